"""XMP packets: a source's packet is kept as it is, and a few properties are set in it (XMP part 1, RDF/XML)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr, unescape

from pipeline.values.loss import Loss
from pipeline.values.source_type import SOURCE_TYPE

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
"""Namespace of the IPTC Extension schema, by custom called Iptc4xmpExt."""

EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f'<rdf:RDF xmlns:rdf="{RDF}">\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
).encode()
START_TAG = re.compile(rb"""<[^\s>/]+(?:[^"'>]|"[^"]*"|'[^']*')*>""")
"""A start tag of well-formed XML; a > inside a quoted value does not end it."""

DECLARED = re.compile(r"^(<\?xml[^>]*?)\s+encoding\s*=\s*(?:\"[^\"]*\"|'[^']*')")
"""An XML declaration up to the end of its encoding, which does not hold for the packet that goes out."""

DEEPEST = 200
"""Elements inside elements, beyond which a packet is refused: real ones have about ten."""


class NotXmp(ValueError):
    """The packet is not XML that can be merged; the message says why."""


def ai_mark(system: str = "", version: str = "") -> dict[str, str]:
    """IPTC Extension properties which say that a trained model made the colors (IPTC Photo Metadata 2025.1)."""
    mark = {"AISystemUsed": system, "AISystemVersionUsed": version, "DigitalSourceType": SOURCE_TYPE}  # as JSON sorts
    return {name: value for name, value in mark.items() if value}


def marked(packet: bytes) -> dict[str, str]:
    """The mark in a packet that `merge` wrote; empty where there is none."""
    found = {}
    for name in ("AISystemUsed", "AISystemVersionUsed", "DigitalSourceType"):
        values = re.findall(rb"<Iptc4xmpExt:%s>([^<]*)</Iptc4xmpExt:%s>" % (name.encode(), name.encode()), packet)
        if values:
            found[name] = unescape(values[-1].decode("utf-8", "replace"))
    return found


def merge(source: bytes | None, properties: Mapping[str, str]) -> tuple[bytes, list[Loss]]:
    """A packet with IPTC Extension properties set to the values given, in UTF-8; and what is no longer in it.

    All else in the source's packet stays byte for byte, order and prefixes included. A packet that is not
    well-formed, or has a DOCTYPE (entities can make kilobytes into gigabytes), is left out as a whole.
    """
    if not source or not source.strip(b"\0 \t\r\n"):
        return _with(EMPTY, _outline(EMPTY, properties), properties), []
    try:
        packet = _utf8(source)
        outline = _outline(packet, properties)
    except NotXmp as error:
        return merge(None, properties)[0], [Loss("XMP", str(error))]
    lost = [
        Loss(f"XMP {name}", f"it said {value!r}, the output's own is {properties[name]!r}")
        for name, value in outline.old
        if value != properties[name]
    ]
    return _with(packet, outline, properties), lost


def _utf8(packet: bytes) -> bytes:
    """The packet in UTF-8, which XMP part 3 asks for in TIFF, without the padding that files end it with."""
    marks = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    silent = "utf-16-le" if packet[1:2] == b"\0" else "utf-16-be" if packet[:1] == b"\0" else "utf-8"
    encoding = next((name for mark, name in marks if packet.startswith(mark)), silent)
    try:
        text = packet.decode(encoding).strip("\0 \t\r\n")
    except UnicodeDecodeError as error:
        raise NotXmp(f"not {encoding} text") from error
    return DECLARED.sub(r"\1", text).encode()


@dataclass(slots=True)
class _Outline:
    """Where a packet would be changed: byte offsets."""

    opened: tuple[int, int] = (-1, -1)  # rdf:RDF's start tag, or its only one if it is empty
    end: int = -1  # where rdf:RDF's end tag begins, if it has one
    about: str = ""  # the resource that the packet describes
    cuts: list[tuple[int, int]] = field(default_factory=list)  # the properties' present values
    old: list[tuple[str, str]] = field(default_factory=list)


def _outline(packet: bytes, properties: Mapping[str, str]) -> _Outline:
    """Find rdf:RDF and the present values of the properties. Raises NotXmp."""
    found = _Outline()
    path: list[tuple[str, int]] = []
    text: list[str] = []
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.ordered_attributes = True

    def doctype(*_: Any) -> None:
        raise NotXmp("it has a DOCTYPE")

    def start(name: str, attributes: list[str]) -> None:
        at = parser.CurrentByteIndex
        path.append((name, at))
        if len(path) > DEEPEST:
            raise NotXmp("its elements are nested too deep")
        if name == f"{RDF} Description" and _is_rdf(path[:-1]):
            values = dict(zip(attributes[::2], attributes[1::2], strict=True))
            found.about = found.about or values.get(f"{RDF} about", "")
            for prop in properties:
                if (value := values.get(f"{IPTC} {prop}")) is not None:
                    found.old.append((prop, value))
                    found.cuts += _attribute(packet, at, prop, value)
        text.clear()

    def end(name: str) -> None:
        _, at = path.pop()
        prop = name.removeprefix(f"{IPTC} ")
        inside = len(path) > 1 and path[-1][0] == f"{RDF} Description" and _is_rdf(path[:-1])
        if name != prop and prop in properties and inside:
            found.old.append((prop, "".join(text).strip()))
            found.cuts.append((at, _stop(packet, at, parser.CurrentByteIndex)))
        if name == f"{RDF} RDF" and _is_rdf([*path, (name, at)]):
            found.opened, found.end = (at, _tag(packet, at)), parser.CurrentByteIndex

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(packet, True)
    except expat.ExpatError as error:
        raise NotXmp(f"not well-formed ({error})") from error
    if found.end < 0:
        raise NotXmp("it has no rdf:RDF")
    return found


def _is_rdf(path: list[tuple[str, int]]) -> bool:
    """Whether a path leads to the packet's rdf:RDF: the root, or right below x:xmpmeta."""
    names = [name for name, _ in path]
    return names in ([f"{RDF} RDF"], ["adobe:ns:meta/ xmpmeta", f"{RDF} RDF"])


def _tag(packet: bytes, at: int) -> int:
    """Where the start tag that begins at a place ends."""
    match = START_TAG.match(packet, at)
    if match is None:
        raise NotXmp("its tags cannot be told apart")
    return match.end()


def _stop(packet: bytes, start: int, end_tag: int) -> int:
    """Where an element ends, whose start tag begins at `start` and whose end tag at `end_tag`."""
    opened = _tag(packet, start)
    return opened if packet[opened - 2 : opened] == b"/>" else packet.index(b">", end_tag) + 1


def _attribute(packet: bytes, at: int, name: str, value: str) -> list[tuple[int, int]]:
    """Where the start tag at a place holds an attribute of the IPTC Extension, whatever its prefix."""
    tag = packet[at : _tag(packet, at)]
    quoted = re.compile(rb"\s[^\s=\"'<>]+:" + re.escape(name.encode()) + rb"\s*=\s*(\"[^\"]*\"|'[^']*')")
    hits = list(quoted.finditer(tag))
    if len(hits) != 1:  # the same name in two namespaces: nothing real
        raise NotXmp(f"its {name} cannot be told apart")
    return [(at + hits[0].start(), at + hits[0].end())]


def _with(packet: bytes, outline: _Outline, properties: Mapping[str, str]) -> bytes:
    """The packet without the present values of the properties, and a description with the new ones at the end."""
    lines = "".join(f"<Iptc4xmpExt:{k}>{escape(v)}</Iptc4xmpExt:{k}>" for k, v in properties.items())
    about = quoteattr(outline.about)
    added = (
        f'<rdf:Description xmlns:rdf="{RDF}" xmlns:Iptc4xmpExt="{IPTC}" rdf:about={about}>{lines}</rdf:Description>\n'
    )
    start, stop = outline.opened
    tag, new = packet[start:stop], added.encode()
    if tag.endswith(b"/>"):
        name = re.split(rb"[\s/]", tag[1:], maxsplit=1)[0]
        return packet[:start] + tag[:-2] + b">" + new + b"</" + name + b">" + packet[stop:]
    packet = packet[: outline.end] + new + packet[outline.end :]
    for start, stop in sorted(outline.cuts, reverse=True):  # all before the end, so their places still hold
        packet = packet[:start] + packet[stop:]
    return packet
