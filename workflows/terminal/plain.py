"""Plain: the one place where text leaves for a terminal or a log, without controls and without secrets in it.

A file may be called anything, also what a terminal takes for a command or what turns a line's direction. So nothing is
printed raw: what a person could not read is written as `\\u001b`, which is valid JSON too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

import click

from pipeline.values.secrets import without_secrets

UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 but tab and line feed, DEL, C1, separators of lines, marks of direction (UAX 9), bytes that are no text."""
COLORED = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """Text that a terminal takes for text, whatever is in it, without the secrets of URIs.

    >>> plain("a\\x1b[2Jb")
    'a\\\\u001b[2Jb'
    """
    return UNREADABLE.sub(_escaped, without_secrets(text))


def in_a_line(text: str) -> str:
    """The same, with what would end the line."""
    return re.sub(r"[\t\n]", _escaped, plain(text))


def say(text: str, err: bool = False) -> None:
    """Print one line."""
    click.echo(in_a_line(text), err=err)


def uncolored(text: str) -> str:
    """What another program printed, without its colors."""
    return COLORED.sub("", text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class Plain:
    """A stream that takes text and passes it on as `plain` makes it."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream  # by this name rich finds it, whose text `Screen` makes plain

    def write(self, text: str) -> int:
        """Write it; the number of its characters."""
        self.rich_proxied_file.write(plain(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write them one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def install() -> None:
    """From now on whatever this process prints is plain, tracebacks too."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Plain):
            setattr(sys, name, Plain(stream))


def bare(stream: Any) -> Any:
    """A stream for bars, which move the cursor; what they print must be known to be plain."""
    return getattr(stream, "rich_proxied_file", stream)
