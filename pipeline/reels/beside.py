"""What frames carry beside their samples, such as captions: taken from each, counted, and held against the output's."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from uuid import UUID

import av

from pipeline.containers.containers import CONTAINERS, Container
from pipeline.containers.profiles import PROFILES, Profile
from pipeline.containers.sei import CAPTIONS, FORMAT_DESCRIPTION
from pipeline.containers.side_data import UNKNOWN, Type
from pipeline.reels.captions import parted
from pipeline.values.finding import Finding
from pipeline.values.hdr import CHROMATICITY, LUMINANCE, NO_HDR, Hdr, in_units
from pipeline.values.words import counted

TIME_CODES = "time code of each frame"

KINDS = {
    "A53_CC": CAPTIONS, "AFD": FORMAT_DESCRIPTION, "S12M_TIMECODE": TIME_CODES,
    "GOP_TIMECODE": "time code of each group of pictures", "DYNAMIC_HDR_PLUS": "HDR10+",
    "DOVI_RPU_BUFFER": "Dolby Vision", "DOVI_METADATA": "Dolby Vision", "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "AMBIENT_VIEWING_ENVIRONMENT": "ambient light", "FILM_GRAIN_PARAMS": "parameters of film grain",
    "SPHERICAL": "spherical projection", "ICC_PROFILE": "ICC profile", "EXIF": "Exif",
    "LCEVC": "LCEVC enhancement", "REFERENCE_DISPLAYS_3D": "3D reference displays",
}  # fmt: skip
"""FFmpeg's kinds of side data that say something of the film, in words. Left out: what decoders say of their work, what
is carried as facts of a reel (display matrix, stereo mode, HDR10), and what encoders say of themselves."""

USER_DATA = "user data"
ENCODERS = {
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"): "x264",
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"): "x265",
}
"""Whose messages of H.264 and H.265 say how a picture was coded; those of others are named by their UUID."""
FEW = 16
"""UUIDs that are told apart."""

HELD = frozenset[str]().union(*(profile.codec.carries for profile in PROFILES.values()))
"""Of these kinds those whose bytes some codec carries."""

OTHER_HDR = "HDR metadata of later frames"


@dataclass(frozen=True, slots=True)
class Aside:
    """What a frame carries beside its samples. kinds: by name. held: of those that some codec carries their bytes, by
    name, sorted. hdr: of the display that it was graded on."""

    kinds: frozenset[str] = frozenset()
    held: tuple[tuple[str, bytes], ...] = ()
    hdr: Hdr = NO_HDR

    def only(self, kinds: Iterable[str]) -> tuple[tuple[str, bytes], ...]:
        """Those bytes of some kinds."""
        return tuple(part for part in self.held if part[0] in kinds)


NOTHING = Aside()


def aside_of(frame: av.VideoFrame) -> Aside:
    """What a frame carries beside its samples."""
    data: Any = frame.side_data
    named = [(name, kind) for kind in data if (name := _name(kind))]
    held = sorted((name, bytes(kind)) for name, kind in named if name in HELD)
    found = Aside(frozenset(name for name, _ in named), tuple(held), hdr_of(data))
    return found if found != NOTHING else NOTHING


def _name(kind: Any) -> str:
    """What a piece of side data is called; "" for one that says nothing of the film."""
    if kind.type.name.startswith(UNKNOWN):
        return f"side data of kind {kind.type.value}"
    if kind.type.name != "SEI_UNREGISTERED":
        return KINDS.get(kind.type.name, "")
    mark = bytes(kind)[:16]
    return "" if mark in ENCODERS or len(mark) < 16 else f"{USER_DATA} {UUID(bytes=mark)}"


def hdr_of(data: Any) -> Hdr:
    """What a frame's side data says of the display that it was graded on; nothing where no format could say that."""
    display, light = data.get(Type.MASTERING_DISPLAY_METADATA), data.get(Type.CONTENT_LIGHT_LEVEL)
    if display is None and light is None:
        return NO_HDR
    try:
        levels = struct.unpack_from("=2I", bytes(light)) if light is not None else ()
        levels = levels if any(levels) else ()  # 0 says that it is not known
        return Hdr(*(_display(bytes(display)) if display is not None else ((), ())), levels)
    except (ValueError, ZeroDivisionError, struct.error):
        return NO_HDR


def _display(data: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Chromaticities and luminances of FFmpeg's AVMasteringDisplayMetadata: ten fractions and what of them is known."""
    *parts, has_primaries, has_luminance = struct.unpack_from("=22i", data)
    values = [Fraction(a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)] if 0 not in parts[1::2] else []
    primaries = tuple(in_units(v, CHROMATICITY) for v in values[:8])
    luminance = tuple(in_units(v, LUMINANCE) for v in values[8:])
    return primaries * bool(has_primaries), luminance * bool(has_luminance)


@dataclass(slots=True)
class Beside:
    """What the frames of a reel carry, together. hdr: that which the output is to say. counts: frames by kind."""

    hdr: Hdr
    counts: Counter[str] = field(default_factory=Counter)
    captions: list[tuple[int, str]] = field(default_factory=list)
    frames: int = 0
    _digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16), repr=False)
    _any: bool = False

    def add(self, aside: Aside) -> None:
        """Take what the next frame carries."""
        self.counts.update(map(self._few, aside.kinds))
        if aside.hdr and aside.hdr != self.hdr:
            self.counts[OTHER_HDR] += 1
        if aside.held:
            self._any = True
            self._part(dict(aside.held).get(CAPTIONS, b""))
        self.frames += 1
        self._digest.update(repr(aside.held).encode())

    def _few(self, kind: str) -> str:
        """Of user data a kind of its own, but where there are many of them."""
        if not kind.startswith(USER_DATA) or kind in self.counts:
            return kind
        many = sum(known.startswith(USER_DATA) for known in self.counts) >= FEW
        return f"further {USER_DATA}" if many else kind

    def _part(self, captions: bytes) -> None:
        first, others = parted(captions)
        self.counts.update(others)
        if first:
            self.captions.append((self.frames, first.hex()))

    @property
    def digest(self) -> str:
        """Of all bytes that a codec may carry; "" where there are none."""
        return self._digest.hexdigest() if self._any else ""


def check_beside(counts: dict[str, int] | Counter[str], profile: Profile) -> list[Finding]:
    """A finding for each kind that a source's frames carry and the output's cannot, with how many do, and which formats
    would hold it."""
    return [
        Finding(kind, False, f"in {counted(count, 'frame')}{ANOTHER * (kind == TIME_CODES)}; {_where(kind)}")
        for kind, count in sorted(counts.items())
        if kind not in profile.codec.carries and kind != CAPTIONS  # of which there is a side file
    ]


ANOTHER = " another than the reel's counts to"


def _where(kind: str) -> str:
    if kind == OTHER_HDR:
        return "a file says it once for all, and that is what its first frame has"
    others = [f"{p.codec.name} (profile {name})" for name, p in PROFILES.items() if kind in p.codec.carries]
    if not others:
        return "no profile writes it"
    return f"it is written into {' and '.join(others)} alone"


class Kept:
    """Whether the frames of an output carry what those of its source do, of the kinds that its codec carries."""

    def __init__(self, profile: Profile) -> None:
        self._kinds = profile.codec.carries
        self._frames: Counter[str] = Counter()
        self._wrong: dict[str, list[int]] = {}

    def add(self, index: int, was: Aside, now: Aside) -> None:
        """Compare a frame's with its source's."""
        if was is NOTHING and now is NOTHING:
            return
        before, after = dict(was.only(self._kinds)), dict(now.only(self._kinds))
        self._frames.update(before.keys())
        for kind in before.keys() | after.keys():
            if before.get(kind) != after.get(kind):
                self._wrong.setdefault(kind, []).append(index)

    def findings(self) -> list[Finding]:
        """One for each kind that there is."""
        found = []
        for kind in sorted(self._frames.keys() | self._wrong.keys()):
            wrong, count = self._wrong.get(kind, []), counted(self._frames[kind], "frame")
            detail = f"in {count}; not the source's in {len(wrong)}, first {wrong[0]}" if wrong else f"in {count}"
            found.append(Finding(kind, not wrong, detail))
        return found


def check_hdr(was: Hdr, now: Hdr, container: Container) -> list[Finding]:
    """Mastering display and light levels of an output against its source's; nothing where that says nothing."""
    half = (was.primaries or was.luminance) and not was.whole
    whys = [
        f"; {container.suffix} files do not hold it, {HOLDERS} do" if not container.hdr else
        f"; {container.suffix} files hold both chromaticities and luminances, or neither" if half else "",
        f"; {container.suffix} files do not hold it, {HOLDERS} do" if not container.hdr else "",
    ]  # fmt: skip
    return [
        Finding(what, a == b, a if a == b else f"{a} became {b or 'none'}{why}")
        for what, a, b, why in zip(HDR, (was.display, was.levels), (now.display, now.levels), whys, strict=True)
        if a
    ]


HDR = ("HDR mastering display", "HDR light level")
HOLDERS = ", ".join(suffix for suffix, container in CONTAINERS.items() if container.hdr)
