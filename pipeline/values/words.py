"""Words: numbers with their nouns, and what decoders call damage, as a person reads them."""

from __future__ import annotations

import signal
from collections.abc import Mapping

HARM = {
    "InvalidDataError": "cannot be decoded",
    "EOFError": "ends too early",
    "BufferTooSmallError": "does not fit into its place",
    "PatchWelcomeError": "uses what FFmpeg does not know",
    "OSError": "cannot be read",
    "CRC mismatch": "fails its checksum",
}
"""What a decoder's error says of a packet."""


def counted(count: float, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "reel"), counted(0.26, "megapixel"), counted(12345, "frame")
    ('1 reel', '0.3 megapixels', '12,345 frames')
    >>> counted(2, "loss")
    '2 losses'
    """
    number = f"{count:.1f}" if count < 10 and count != int(count) else f"{count:,.0f}"
    plural = "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{plural * (number != '1')}"


def share(part: int, of: int, noun: str) -> str:
    """Some of many, as the subject of a sentence, with its verb.

    >>> share(1, 1, "strip"), share(1, 9, "strip"), share(2, 9, "strip")
    ('its only strip is', '1 of 9 strips is', '2 of 9 strips are')
    """
    return f"its only {noun} is" if of == 1 else f"{part} of {of} {noun}s {'is' if part == 1 else 'are'}"


def in_bytes(count: int) -> str:
    """A length as losses tell it: whole, so that it can be looked for.

    >>> in_bytes(1), in_bytes(1012)
    ('1 byte', '1012 bytes')
    """
    return f"{count} byte{'s' * (count != 1)}"


def area(megapixels: float) -> str:
    """Pixels in words; those of what is small are counted.

    >>> area(12.34), area(0.5), area(0.003072), area(0)
    ('12 megapixels', '0.5 megapixels', '3,072 pixels', '0 megapixels')
    """
    pixels = round(megapixels * 1e6)
    return counted(pixels, "pixel") if 0 < pixels < FEW_PIXELS else counted(megapixels, "megapixel")


FEW_PIXELS = 100_000
"""Below, a number of megapixels with one digit says too little."""


def harm(errors: Mapping[str, int]) -> str:
    """What is damaged, by how many errors of each kind there are.

    >>> harm({"InvalidDataError": 331, "EOFError": 1})
    '1 packet ends too early, 331 packets cannot be decoded'
    """
    return ", ".join(f"{counted(n, 'packet')} {_said(name, n)}" for name, n in sorted(errors.items()))


def signal_name(number: int) -> str:
    """Of a signal, also of one that this system does not know by name.

    >>> signal_name(9)
    'SIGKILL'
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _said(name: str, count: int) -> str:
    """The predicate, in the plural where it must be."""
    verb, _, rest = HARM.get(name, f"gives {name}").partition(" ")
    plural = {"ends": "end", "does": "do", "uses": "use", "gives": "give", "fails": "fail"}
    return f"{plural.get(verb, verb)} {rest.replace('its', 'their')}" if count != 1 else f"{verb} {rest}"
