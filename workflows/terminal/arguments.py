"""Arguments held against what is there, before the libraries that color are loaded: a slip is told at once.

What is wrong with a file that is there is told by those who read it. Here nothing is opened.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from colorizer.basis.errors import ColorizeError
from colorizer.networks.shipped import names, shipped
from pipeline.storage.stores import is_uri
from pipeline.values.sequence import ONE, pattern_of, sequences
from pipeline.values.sequence import SUFFIXES as PICTURES
from pipeline.values.suffixes import scan_format

STILLS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".jp2", ".jxl", ".heic", ".avif", ".exr", ".dpx")
"""What a person most likely means as a still."""


class OneFile(click.Command):
    """A command for one file; of several it says which command takes them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "extra argument" in error.message:
                more = f"{self.name} takes one file; chromatheque archive FOLDER OUT_DIR takes many"
                raise click.UsageError(f"{error.message}; {more}", ctx) from error
            raise


class WeightsFile(click.Path):
    """A shipped name or a file. A path, so that `submit` does not look for it here."""

    name = "NAME|FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not shipped(value) and not Path(value).is_file():
            here = ", ".join(names()) or "none"
            self.fail(f"{value}: no such weights; shipped here: {here}; or give a .safetensors file", param, ctx)
        return str(value)


def check_reel(source: str, out: Path, profile: str | None) -> None:
    """Raises UsageError where a reel's source is not there, or its output has no format or no folder."""
    from pipeline.containers.profiles import profile_for

    check_source(source)
    try:
        profile_for(out, profile)
    except ColorizeError as error:
        still = Path(source).suffix.lower() in STILLS and out.suffix.lower() in STILLS and "%" not in source
        raise click.UsageError(f"{error}{_rather('scan', source, out) if still else ''}") from error
    check_folder(out)


def check_scan(source: str, out: Path) -> None:
    """Raises UsageError where a scan's source is not there, or its output has no format or no folder."""
    from pipeline.containers.profiles import usual_profiles

    check_source(source)
    if "%" in Path(source).name and not Path(source).exists():
        film = out.with_suffix(out.suffix if out.suffix.lower() in usual_profiles() else ".mkv")
        raise click.UsageError(f"{source}: numbered pictures are a reel{_rather('reel', source, film)}")
    try:
        scan_format(out)
    except ColorizeError as error:
        moving = out.suffix.lower() in usual_profiles()
        raise click.UsageError(f"{error}{_rather('reel', source, out) if moving else ''}") from error
    check_folder(out)


def still_note(source: str) -> str:
    """What to say of a reel that is a still by its name, as it may be all the same; "" of any other file."""
    path = Path(source)
    if path.suffix.lower() not in STILLS or not path.is_file():
        return ""
    found = sequences((other.name for other in path.parent.iterdir()), PICTURES, 2)
    pattern = next((path.parent / str(p) for p, names in found.items() if path.name in names), None)
    many = f"; with its neighbors it is one reel as {shlex.quote(str(pattern))}" if pattern else ""
    return f"note: {source} is a still by its name; chromatheque scan keeps it as a picture{many}"


def check_source(source: str) -> None:
    """Raises UsageError where there is no such file, and where it is a folder."""
    path = Path(source)
    if path.is_dir():
        pattern = _pattern(path)
        reel = f"; its numbered pictures are one reel as {shlex.quote(str(pattern))}" if pattern else ""
        raise click.UsageError(
            f"{source}: a folder; chromatheque archive {shlex.quote(source)} OUT_DIR colors all that is in it{reel}"
        )
    if "%" in path.name and not path.exists():
        _check_sequence(path)
    elif not path.exists():
        raise click.UsageError(f"{source}: no such file")


def check_output(out: Path) -> None:
    """Raises UsageError where nothing lies under the name of an output that is to be looked at."""
    if not out.exists():
        raise click.UsageError(f"{out}: no such file")


def check_folder(out: Path) -> None:
    """Raises UsageError where an output's folder is not there: a slip in a path should not fill another disk."""
    if not is_uri(str(out)) and not out.parent.is_dir():
        raise click.UsageError(f"{out.parent}: no such folder; make it first")


def _check_sequence(pattern: Path) -> None:
    found = pattern_of(pattern.name)
    if found is None:
        raise click.UsageError(f"{pattern}: a sequence is {ONE}")
    if not pattern.parent.is_dir() or all(found.number(path.name) is None for path in pattern.parent.iterdir()):
        raise click.UsageError(f"{pattern}: no picture has such a name")


def _pattern(folder: Path) -> Path | None:
    """The sequence that a folder's numbered pictures are, by the first of them."""
    found = sequences((path.name for path in folder.iterdir()), PICTURES, 1)
    first = min(found, key=lambda pattern: found[pattern][0], default=None)
    return folder / str(first) if first is not None else None


def _rather(command: str, source: str, out: Path) -> str:
    return f". Of a {'still' if command == 'scan' else 'film'}: chromatheque {command} {shlex.join([source, str(out)])}"
