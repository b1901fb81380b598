"""Options that several commands take, and their kinds."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from colorizer.networks.shipped import DEFAULT_WEIGHTS
from pipeline.storage.stores import is_uri, masked
from pipeline.values.choices import PYRAMIDS, bytes_of, rate_of, whole, working_size_of
from workflows.terminal.arguments import WeightsFile

ONE_OF_THEM = "auto"
"""What `--pyramid` alone means."""


class Typed(click.ParamType):
    """What `pipeline.values.choices` reads and what manifests hold too; a ValueError is a slip of the keyboard."""

    read: Callable[[str], Any]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return type(self).read(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


class WorkingSize(Typed):
    """A number of pixels or `native`."""

    name = "N|native"
    read = staticmethod(working_size_of)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As it is typed."""
        return self.name


class Pyramid(click.ParamType):
    """Where reduced levels are; True where it is not said."""

    name = "[pages|subifds]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool | str:
        if isinstance(value, bool) or value in PYRAMIDS:
            return value
        return True if value == ONE_OF_THEM else self.fail(f"{value!r} is not {' or '.join(PYRAMIDS)}", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As it is typed."""
        return self.name


class WithPyramid(click.Command):
    """A command that takes `--pyramid` alone as well, whatever follows on it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What follows on `--pyramid` is its own only if it is one of its words."""
        alone = [a == "--pyramid" and b not in PYRAMIDS for a, b in zip_longest(args, args[1:])]
        joined = [f"--pyramid={ONE_OF_THEM}" if bare else a for a, bare in zip(args, alone, strict=True)]
        return super().parse_args(ctx, joined)


class Named(click.Path):
    """A path that has a name: an empty one, of a variable that is not set, would be the folder one stands in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty name; give a path", param, ctx)
        return super().convert(value, param, ctx)


class Local(Named):
    """A path; a URI is refused with what takes one, and so is what has no end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and is_uri(value):
            self.fail(f"{masked(value)}: a path is wanted; what is in stores is for `archive`", param, ctx)
        path = super().convert(value, param, ctx)
        place = Path(os.fsdecode(path))
        if place.exists() and not (place.is_file() or place.is_dir()):
            self.fail(f"{str(place)!r} is a pipe, a socket or a device; give a file", param, ctx)
        return path


class Place(Named):
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


class Bytes(Typed):
    """A number of bytes such as 800M or 2G."""

    name = "BYTES"
    read = staticmethod(bytes_of)


class Rate(Typed):
    """Pictures per second, 24 or 24000/1001."""

    name = "RATE"
    read = staticmethod(rate_of)


class Real(click.FloatRange):
    """A number of a range that is a number: `nan` is in no range, and nothing here is infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number that can be counted with", param, ctx)
        return number


class Numbers(click.ParamType):
    """Whole numbers, with commas. least, most: that are taken."""

    name = "N,N"

    def __init__(self, least: int = 1, most: int = 4096) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        try:
            return [whole(text, range(self.least, self.most + 1)) for text in value.split(",")]
        except ValueError:
            such = ",".join(str(self.least * n) for n in (1, 2, 4))
            message = f"{value!r}: write numbers from {self.least} to {self.most} with commas, such as {such}"
            return self.fail(message, param, ctx)


class Sizes(click.ParamType):
    """Sizes of pictures, with commas: width x height, even, 32 to 16,384."""

    name = "WxH,WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[tuple[int, int]]:
        if isinstance(value, list):
            return value
        try:
            sizes = [tuple(whole(side, range(32, 16385, 2)) for side in text.split("x")) for text in value.split(",")]
            return [(width, height) for width, height in sizes]
        except ValueError:
            return self.fail(f"{value!r}: write sizes with even sides, such as 720x576,1920x1080", param, ctx)


WEIGHTS = click.option(
    "--weights",
    type=WeightsFile(),
    default=DEFAULT_WEIGHTS,
    show_default=True,
    help="Shipped name or .safetensors file.",
)  # fmt: skip
PRECISION = click.option(
    "--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="auto", show_default=True,
    help="Numbers the network computes with; auto: bf16 where the processor has it.",
)  # fmt: skip
RAY = click.option(
    "--ray", default="none", show_default=True, metavar="none|local|ADDRESS", help="Work on Ray workers."
)
WORKERS = click.option("--workers", type=click.IntRange(1, 4096), default=1, show_default=True, help="Ray workers.")
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace an OUT that some other job made.")
SHEET = click.option(
    "--sheet/--no-sheet", default=None,
    help="Leave a contact sheet beside OUT, OUT.jpg: gray and colored [on a terminal].",
)  # fmt: skip
PYRAMID = click.option(
    "--pyramid", type=Pyramid(), is_flag=False, flag_value=ONE_OF_THEM, default=False, show_default=False,
    help="Add reduced copies to a TIFF, for viewers of large pictures: in pages behind their own, as servers and slide "
    "viewers read them, or in SubIFDs. [pages; of several pictures subifds]",
)  # fmt: skip
INVERT = click.option(
    "--invert", is_flag=True, help="It is a black-and-white negative: its positive is colored and written."
)
PROGRESS = click.option(
    "--progress", type=click.Choice(["auto", "bar", "json", "none"]), default="auto", show_default=True,
    help="Bars for people, JSON lines for programs; none leaves notes on stderr.",
)  # fmt: skip

FOLDER = click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Work here [the temporary folder]."
)


def check_workers(workers: int, ray: str) -> None:
    """Raises UsageError for workers without Ray."""
    if workers > 1 and ray == "none":
        raise click.UsageError("--workers needs --ray (local for this machine)")
