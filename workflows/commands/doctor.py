"""`chromatheque doctor`: what this machine has, what is missing, and the command that brings it."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import click

from colorizer.basis.installing import PIP, reinstall, requirements
from colorizer.networks import shipped
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from colorizer.painting.processor import bf16_flags, processor_name
from pipeline.containers.containers import CONTAINERS
from pipeline.containers.profiles import PROFILES, usual_profiles
from workflows.terminal.loading import loading

PYTHON = (3, 11)
PACKAGES = (
    "torch", "av", "numpy", "ray", "tifffile", "imagecodecs", "safetensors", "fsspec", "click", "jinja2", "rich",
)  # fmt: skip
USUAL = [p for p in PROFILES.values() if usual_profiles()[p.suffix] is p]
TRACKS = (*sorted({p.containers[0].sound.encoder for p in USUAL}), "pcm_s16le", "subrip")
ENCODERS = (*(p.codec.encoder for p in USUAL), *TRACKS)
DECODERS = (*(p.codec.decoder for p in USUAL), *TRACKS)
MUXERS = tuple(c.muxer for c in CONTAINERS.values())
ROOM = 10  # GB free: a night's job of one reel, scratch included


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` is a command, given when it is not as it should be.

    needed: nothing works without it, so its absence makes the exit code 1.
    """

    group: str
    name: str
    value: str
    ok: bool = True
    needed: bool = False
    fix: str = ""

    @property
    def mark(self) -> str:
        """One word: ok, missing, or look for what is worth a look."""
        return "ok" if self.ok else "missing" if self.needed else "look"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable, one object.")
def doctor(as_json: bool) -> None:
    """Show versions, devices and codecs, and what is missing.

    Exits 1 if something is missing that coloring needs, and names the command that fixes it.

    Example: chromatheque doctor --json
    """
    with loading("none" if as_json else "auto"):
        found = examine()
    failed = [f for f in found if f.needed and not f.ok]
    if as_json:
        click.echo(json.dumps({"ok": not failed, "findings": [asdict(f) for f in found]}, indent=2))
    else:
        _show(found)
        click.echo("Ready." if not failed else f"Missing: {', '.join(f.name for f in failed)}.")
    if failed:
        sys.exit(1)


def examine() -> list[Finding]:
    """Every finding, in the order of the table; a broken package is a finding, never an exception."""
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        _versions, _ffmpeg, _processors, _gpus, _codecs, _weights, _disks,
    )  # fmt: skip
    return [finding for check in checks for finding in _guarded(check)]


def _guarded(check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check found. What it raises is reported in its place: sick machines are what this is for."""
    try:
        return list(check())
    except Exception as error:
        name = check.__name__.strip("_")
        return [Finding("checks", name, _line(error), ok=False, fix=reinstall())]


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _requirement(package: str) -> str:
    """What to ask pip for: the package with the bounds this program states."""
    plain = [line.split(";")[0].strip() for line in requirements() if "extra ==" not in line]
    return {re.split(r"[^\w.-]", line)[0].lower(): line for line in plain}.get(package, package)


def _imported(package: str) -> tuple[Any, str]:
    """A package, or None and why not. Native libraries may fail with anything at import."""
    try:
        return import_module(package), ""
    except Exception as error:
        return None, _line(error)


def _versions() -> Iterable[Finding]:
    new = sys.version_info >= PYTHON
    newer = "" if new else "install Python 3.11 or newer, then make PYTHON=python3.11 test"
    yield Finding("versions", "python", platform.python_version(), new, True, newer)
    own = _version("chromatheque")
    again = "" if own else reinstall()
    yield Finding("versions", "chromatheque", own or "not installed", own is not None, False, again)
    for package in PACKAGES:
        module, why = _imported(package)
        install = f'{PIP} "{_requirement(package)}"'
        if module is not None:
            yield Finding("versions", package, _version(package) or "unknown version", needed=True)
        elif _version(package):
            yield Finding("versions", package, why, False, True, f"{install} --force-reinstall")
        else:
            yield Finding("versions", package, "not installed", False, True, install)


def _ffmpeg() -> Iterable[Finding]:
    av, _ = _imported("av")
    if av is None:
        return
    libraries = " ".join(
        f"{name} {'.'.join(map(str, version))}" for name, version in sorted(av.library_versions.items())
    )
    yield Finding("versions", "FFmpeg", f"{getattr(av, 'ffmpeg_version_info', '?')} ({libraries})")


def _processors() -> Iterable[Finding]:
    yield Finding("devices", "CPU", f"{os.cpu_count()} logical cores, {processor_name()}")
    yield Finding("devices", "bf16 on the CPU", ", ".join(bf16_flags()) or "no: float32 is used, about half as fast")


def _gpus() -> Iterable[Finding]:
    torch, _ = _imported("torch")
    if torch is None:
        return
    built = f"with CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    if not torch.cuda.is_available():
        driver = shutil.which("nvidia-smi") is not None
        fix = f"{PIP} --force-reinstall --index-url https://pypi.org/simple torch" if driver else ""
        value = f"none (torch is built {built}); the CPU is used"
        yield Finding("devices", "CUDA GPU", value, ok=not driver, fix=fix)
        return
    for number in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(number)
        memory = f"{card.total_memory / 2**30:.0f} GiB"
        bf16 = "bf16" if card.major >= 8 else "no bf16"
        kind = f"compute {card.major}.{card.minor}, {bf16}, torch {built}"
        yield Finding("devices", f"CUDA GPU {number}", f"{card.name}, {memory}, {kind}")


def _codecs() -> Iterable[Finding]:
    """Encoders, decoders and muxers. PyAV's own wheels have them all; a build on another FFmpeg may not."""
    av, _ = _imported("av")
    if av is None:
        return
    fix = f'{PIP} --force-reinstall --only-binary=av "{_requirement("av")}"'
    kinds: tuple[tuple[str, tuple[str, ...], Callable[..., Any], str], ...] = (
        ("encoder", ENCODERS, av.Codec, "w"),
        ("decoder", DECODERS, av.Codec, "r"),
        ("muxer", MUXERS, av.ContainerFormat, "w"),
    )
    for kind, names, opener, mode in kinds:
        missing = [name for name in names if not _opens(opener, name, mode)]
        present = " ".join(name for name in names if name not in missing)
        yield Finding("codecs", f"{kind}s", present or "none")
        for name in missing:
            yield Finding("codecs", f"{kind} {name}", "missing", False, True, fix)
    for profile in PROFILES.values():
        if _opens(av.Codec, encoder := profile.codec.encoder, "w"):
            yield Finding("codecs", f"profile {profile.name}", f"{profile.meaning}: {', '.join(profile.suffixes)}")
        else:
            yield Finding("codecs", f"profile {profile.name}", f"its encoder {encoder} is missing", False, False, fix)


def _opens(kind: Callable[..., Any], name: str, mode: str) -> bool:
    try:
        kind(name, mode)
    except (ValueError, LookupError):  # av.codec.UnknownCodecError is a ValueError
        return False
    return True


def _weights() -> Iterable[Finding]:
    weights, why = _imported("colorizer.networks.weights_file")
    if weights is None:
        fix = "install what is missing above, then run chromatheque doctor again"
        yield Finding("weights", "weights", f"cannot be looked at: {why}", False, True, fix)
        return
    names = shipped.names()
    if DEFAULT_WEIGHTS not in names:
        fix = "chromatheque train PICTURES --out mine.safetensors  (PICTURES: a folder of color photographs)"
        yield Finding("weights", f"weights {DEFAULT_WEIGHTS}", "does not ship with this installation", False, True, fix)
    for name in names:
        needed = name == DEFAULT_WEIGHTS
        try:
            loaded = weights.load(name)
        except Exception as error:
            yield Finding("weights", f"weights {name}", _line(error), False, needed, reinstall())
        else:
            yield Finding("weights", f"weights {name}", f"loads, sha256 {loaded.digest[:12]}", True, needed)


def _disks() -> Iterable[Finding]:
    for name, folder in (("this folder", Path.cwd()), ("temporary files", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free / 1e9
        fix = "" if free >= ROOM else "free some space, or export TMPDIR=/a/larger/disk and work there"
        yield Finding("disk", name, f"{free:.0f} GB free in {folder}", free >= ROOM, False, fix)


def _show(found: list[Finding]) -> None:
    """A table on a terminal, plain lines when piped; without rich, plain lines always."""
    if sys.stdout.isatty() and _imported("rich.table")[0] is not None:
        from workflows.terminal.console import checklist, show

        show(checklist((f.group, f.mark, f.name, f.value) for f in found))
    else:
        for f in found:
            click.echo(f"{f.mark if f.ok else f.mark.upper():8}{f.group}: {f.name}: {f.value}")
    for f in found:
        if f.fix:  # outside the table, where a command is neither wrapped nor cut and can be copied
            click.echo(f"To fix {f.name}: {f.fix}")
