"""Kinds of options that several commands take."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import click

from colorizer.basis.errors import ColorizeError
from pipeline.storage.stores import is_uri, masked


class WorkingSize(click.ParamType):
    """A number of pixels or `native`."""

    name = "N|native"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value == "native":
            return 0
        if value.isdecimal() and value.isascii() and 32 <= int(value) <= 4096:
            return int(value)
        return self.fail(f"{value!r} is neither 'native' nor a size from 32 to 4096", param, ctx)


class Local(click.Path):
    """A path; a URI is refused with what takes one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and is_uri(value):
            raise ColorizeError(f"{masked(value)}: a path is wanted; what is in stores is for `archive`")
        return super().convert(value, param, ctx)


class Place(click.Path):
    """A path, or the URI of something in a store. exists: a path must be there."""

    name = "PATH|URI"

    def __init__(self, exists: bool = False, folder: bool = False) -> None:
        super().__init__(exists=exists, file_okay=not folder)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value.startswith("file://"):
            value = unquote(value.removeprefix("file://"))
        elif is_uri(value):
            return str(value)
        return str(super().convert(value, param, ctx))


class Bytes(click.ParamType):
    """A number of bytes such as 800M or 2G."""

    name = "BYTES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", value, re.IGNORECASE | re.ASCII)
        if match is None:
            self.fail(f"{value!r} is not a number of bytes; write 800M or 2G", param, ctx)
        return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


class Numbers(click.ParamType):
    """Whole numbers from 1 to 4096, with commas."""

    name = "N,N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        found = [int(text) if text.isdecimal() and text.isascii() else 0 for text in value.split(",")]
        if not all(1 <= number <= 4096 for number in found):
            self.fail(f"{value!r}: write numbers from 1 to 4096 with commas, such as 1,2,4", param, ctx)
        return found
