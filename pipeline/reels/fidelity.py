"""Fidelity: the proof that an output keeps its source's picture, sound, timing and tags.

Decodes the output anew and compares; the same checks run before an output gets its final name and in `verify`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np

from colorizer.basis.light import Matrix, Range, matrix_words
from colorizer.color.coding import Coding
from pipeline.containers.codecs import PictureCodec
from pipeline.containers.containers import Container, container_of
from pipeline.containers.crop import crop
from pipeline.containers.field_word import field_word
from pipeline.containers.profiles import PROFILES, Profile
from pipeline.reels.account import Account
from pipeline.reels.beside import NOTHING, Aside, Beside, Kept, check_hdr
from pipeline.reels.decode import Damage, Reader
from pipeline.reels.fields import runs_of, told, words_in
from pipeline.reels.frame_codes import beside_in
from pipeline.reels.frames import luma_digest
from pipeline.reels.pictures import sound_beside
from pipeline.reels.piece import Piece
from pipeline.reels.plan import Plan, rising
from pipeline.reels.projection import DOUBT, mean_square, sums_of
from pipeline.reels.reel import UNSAID, Reel, probe
from pipeline.reels.target import Target, target_for
from pipeline.reels.track_fidelity import check_tracks
from pipeline.reels.tracks import Carried
from pipeline.spread.ahead import ahead
from pipeline.values.finding import Finding, Law
from pipeline.values.words import counted

ROWS = 32
"""Rows compared at a time, so that a processor's cache holds their differences."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A source frame as the check needs it. known: the digest that a survey took; else there is the luma itself.

    sums: of the luma that was given to an encoder (`projection.sums_of`), where it is not kept bit for bit.
    """

    pts: int | None
    known: str
    luma: np.ndarray | None
    fields: str = ""
    aside: Aside = NOTHING
    sums: str = ""

    @property
    def digest(self) -> str:
        """Of the luma; taken when asked for, since the check of a lossy format does not ask."""
        return self.known if self.luma is None else luma_digest(self.luma)


def planned(plan: Plan, sums: Sequence[str] = ()) -> Iterator[Shown]:
    """What a plan says of its frames. sums: of each."""
    words = words_in(plan.fields, 0, len(plan.pts)) or [""] * len(plan.pts)
    each = zip(plan.pts, plan.digests, words, sums or [""] * len(plan.pts), strict=True)
    return (Shown(pts, digest, None, word, sums=told) for pts, digest, word, told in each)


def decoded(
    reel: Reel, start: str = "", stop: str = "", harmed: dict[int, str] | None = None, more: Beside | None = None,
    account: Account | None = None,
) -> Iterator[Shown]:  # fmt: skip
    """The frames of a reel, decoded now.

    harmed: filled with what is wrong with some of them, by index in the reel; more: with what they carry beside their
    samples; account: with what became of the packets.
    """
    piece, damage = Piece(reel, start, stop), Damage(account=account or Account())
    since: int | None = None
    with Reader(reel, damage) as reader:
        for frame in reader:
            place = piece.place(frame)
            if place == "after":
                damage.account.until = frame.pts
                return
            if place == "inside":
                if start and damage.account.since is None:
                    damage.account.since = frame.pts
                if harmed is not None and frame.index in damage.frames:
                    harmed[frame.index] = damage.frames[frame.index]
                if more is not None and reader.raw is not None:
                    since = frame.index if since is None else since
                    more.add(beside_in(reel, frame.index, reader.raw, frame.aside, since))
                yield Shown(frame.pts, "", frame.luma, frame.fields, frame.aside)


def positives(shown: Iterable[Shown], coding: Coding, beyond: Counter[str]) -> Iterator[Shown]:
    """Frames of a negative as the output must show them, by a table of its own and not by who colored them.

    beyond: counts the samples that have no code when they are turned around, and the frames that have some.
    """
    black, white = coding.luma_range
    table = np.array([max(0, black + white - code) for code in range(1 << coding.bits)])
    for frame in shown:
        assert frame.luma is not None, "a negative is held against its own codes"
        codes = table[frame.luma].astype(frame.luma.dtype)
        if samples := int((frame.luma > black + white).sum()):
            beyond.update(samples=samples, frames=1)
        yield Shown(frame.pts, "", codes, frame.fields, frame.aside)


def check_inversion(coding: Coding, beyond: Mapping[str, int]) -> Finding:
    """What a negative's positive does not hold of it: a code in the headroom that is further above white than there is
    room below black."""
    both = sum(coding.luma_range)
    if not beyond:
        return Finding("inversion", True, f"every luma code is {both} less the source's")
    where = f"{counted(beyond['samples'], 'sample')} of {counted(beyond['frames'], 'frame')}"
    return Finding("inversion", False, f"{where} have codes above {both}, which turned around are below 0; they are 0")


def check_picture(
    reel: Reel, made: Reel, shown: Iterable[Shown], profile: Profile, whose: str = "the source's", fresh: bool = False
) -> list[Finding]:  # fmt: skip
    """Frame count, luma and times of an output against its source. whose: luma it is to have, in words. fresh: the
    output has just been written."""
    target, damage = target_for(reel, profile), Damage()
    differing: list[int] = []
    worst, counts, times_in, times_out = 200.0, [0, 0], [], []
    words: tuple[list[str], list[str]] = [], []
    kept, summed = Kept(profile), False
    with Reader(made, damage, ours=fresh) as reader, closing(ahead(reader, 4)) as frames:
        for index, (a, b) in enumerate(zip_longest(shown, frames)):
            counts[0] += a is not None
            counts[1] += b is not None
            if a is not None:
                times_in.append(a.pts)
            if b is not None:
                times_out.append(b.pts)
            if a is None or b is None:
                continue
            words[0].append(a.fields)
            words[1].append(b.fields)
            kept.add(index, a.aside, b.aside)
            if profile.lossless:
                if target.coding.bits == reel.coding.bits:
                    same = luma_digest(b.luma) == a.digest
                else:
                    assert a.luma is not None, "a format that stores luma in more bits needs the source's luma"
                    same = np.array_equal(target.luma(a.luma), b.luma)
            elif a.luma is not None:
                found = psnr(target, target.luma(a.luma), b.luma)
                worst, same = min(worst, found), found >= profile.psnr
            elif a.sums:
                summed = True
                found = _psnr_by_sums(target, a.sums, b.luma)
                worst, same = min(worst, found), found >= profile.psnr + DOUBT
            else:
                continue
            if not same:
                differing.append(index)
    complete = counts[0] == counts[1]
    if not profile.lossless:
        by = ", by sums of samples" * summed
        detail = f"lossy by format; worst frame {worst:.1f} dB{by} (at least {profile.psnr:g})"
    elif differing:
        detail = f"it differs in {counted(len(differing), 'frame')}, first {', '.join(map(str, differing[:5]))}"
    else:
        detail = f"every frame's luma digest is {whose} ({counted(counts[0], 'frame')})"
    to_blame = () if damage.packets else tuple(damage.frames)
    return [
        Finding("frames", complete, f"{counts[0]} in the source, {counts[1]} in the output", (), Law.WHOLE),
        Finding("luma", not differing and (complete or not profile.lossless), detail, tuple(differing), Law.PICTURE),
        _check_times(reel, made, times_in, times_out, container_of(Path(made.uri)).timed),
        Finding("decodes cleanly", not damage.any(), str(damage), to_blame, Law.PICTURE),
        *_check_fields(*words),
        *kept.findings(),
    ]


FIELDS = "fields of frames"


def _check_fields(was: list[str], now: list[str]) -> list[Finding]:
    """Whether each frame says of its fields what it said; of a reel whose frames all say the same nothing."""
    if not runs_of(was):
        return []
    detail = told(was) if was == now else f"{told(was)} became {told(now)}"
    return [Finding(FIELDS, was == now, detail)]


def check_source(reel: Reel, harmed: Mapping[int, str]) -> list[Finding]:
    """What a source holds and no profile writes: a crop, transparency, and of a sequence the pictures that cannot be
    read, each by its name, with what stands in its place, and sound in a file of its own."""
    found = []
    if reel.is_sequence:
        message = "; ".join(harmed.values()) or "every one of the source can be read"
        found.append(Finding("pictures", not harmed, message))
        found += [
            Finding("sound", False, f"{path.name}, which lies beside the pictures; mux it to the output by hand")
            for path in sound_beside(reel.uri)
        ]
    elif cropped := crop(Path(reel.uri), reel.width, reel.height):
        found.append(Finding("crop", False, f"{cropped}; no profile writes a crop"))
    if reel.layout.alpha:
        found.append(Finding("transparency", False, "no profile writes it"))
    return found


def psnr(target: Target, wanted: np.ndarray, got: np.ndarray) -> float:
    """Luma PSNR in dB, peak = white minus black."""
    if wanted.shape != got.shape:
        return 0.0
    total = 0.0
    for top in range(0, len(wanted), ROWS):
        apart = np.subtract(wanted[top : top + ROWS], got[top : top + ROWS], dtype=np.float32).ravel()
        total += float(apart @ apart)
    return _decibels(target, total / wanted.size)


def _psnr_by_sums(target: Target, wanted: str, got: np.ndarray) -> float:
    """The same, nearly, of a frame of which only sums are known; 0 where they are none, or of another size."""
    try:
        return _decibels(target, mean_square(wanted, sums_of(got), got.size))
    except ValueError:
        return 0.0


def _decibels(target: Target, error: float) -> float:
    black, white = target.coding.luma_range
    return 10 * float(np.log10((white - black) ** 2 / error)) if error > 0 else 200.0


def _check_times(
    reel: Reel, made: Reel, times_in: list[int | None], times_out: list[int | None], timed: bool
) -> Finding:
    if not times_in or len(times_in) != len(times_out):
        return Finding("times", False, "frame counts differ, so times cannot be compared", (), Law.WHOLE)
    a, _ = rising(times_in, reel.step)
    b = [t if t is not None else -1 for t in times_out]
    worst = max(
        abs((x - a[0]) * reel.time_base - (y - b[0]) * made.time_base) for x, y in zip(a, b, strict=True)
    )  # both relative to the first frame
    finest = made.time_base if timed else reel.time_base  # even times differ by what the source rounds
    allowed = finest if made.time_base != reel.time_base else Fraction(0)
    detail = f"largest difference {float(worst) * 1000:.3f} ms (at most {float(allowed) * 1000:.3f})"
    return Finding("times", worst <= allowed, detail, (), Law.WHOLE)


RESERVED = ((), (0, 3), (0, 3), (3,))
"""Numbers of range, primaries, transfer and matrix that say nothing (H.273, tables 2 to 4); ProRes has 0."""


def check_tags(reel: Reel, made: Reel, codec: PictureCodec, container: Container, mixed: bool) -> list[Finding]:
    """Aspect, rotation, fields, time code and color tags. A tag the source leaves open may be set.

    mixed: frames differ in their fields, and each says its own.
    """
    size, found = (reel.width, reel.height), (made.width, made.height)
    pairs = [
        ("sample aspect", reel.aspect, made.aspect),
        ("rotation", reel.turn, made.turn),
        *([] if mixed else [("fields", reel.fields, _fields_of(made))]),
        ("time code", reel.timecode or made.timecode, made.timecode),
    ]
    names = ("range", "primaries", "transfer", "matrix")
    for i, name in enumerate(names):
        source = reel.tags[i]
        special = name == "matrix" and (source == Matrix.IDENTITY or reel.layout.kind == "rgb")
        rescaled = name == "range" and reel.coding.full_range and not made.coding.full_range
        dropped = (source, made.tags[i]) == (Range.LIMITED, Range.UNSPECIFIED)
        implied = name == "range" and dropped and codec.implies_range
        alike = name == "transfer" and (source, made.tags[i]) in container.alike
        fine = special or implied or alike or (rescaled and not codec.full_range)
        if source not in (UNSAID[i], *RESERVED[i]) and not fine:
            words = {"matrix": matrix_words, "range": _range_words}.get(name, int)
            pairs.append((f"color {name}", words(source), words(made.tags[i])))
    return [
        replace(_kept("size", size, found), frames=(), law=Law.PICTURE),
        *(_kept(what, a, b) for what, a, b in pairs),
        *check_hdr(reel.hdr, made.hdr, container),
    ]


def _fields_of(made: Reel) -> str:
    """What an output says of its fields: its pictures, as FFmpeg decodes them, and the file, read without it."""
    said = field_word(Path(made.uri))
    return made.fields if said in ("", made.fields) else f"{made.fields} in its pictures, {said} in the file"


def _kept(what: str, was: object, now: object) -> Finding:
    return Finding(
        what, was == now, _words(was) or "none" if was == now else f"{_words(was)} became {_words(now) or 'none'}"
    )


def _range_words(number: int) -> str:
    return "full" if number == Range.FULL else "limited" if number == Range.LIMITED else str(number)


def _words(value: object) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def check(
    reel: Reel, out: Path, profile_name: str, shown: Iterable[Shown], declared: list[Carried] | None, piece: bool,
    inverted: bool = False, fresh: bool = False,
) -> list[Finding]:  # fmt: skip
    """Everything. inverted: the output shows the positive of the source, whose own luma `shown` has. fresh: the output
    has just been written.

    Raises SourceError if the output cannot even be opened.
    """
    made, profile = probe(str(out)), PROFILES[profile_name]
    times: list[int | None] = []

    def noted() -> Iterator[Shown]:
        for frame in shown:
            times.append(frame.pts)
            yield frame

    beyond: Counter[str] = Counter()
    if inverted:
        wanted = positives(noted(), reel.coding, beyond)
        findings = check_picture(reel, made, wanted, profile, "that of the source's positive", fresh)
        findings.append(check_inversion(reel.coding, beyond))
    else:
        findings = check_picture(reel, made, noted(), profile, fresh=fresh)
    mixed = profile.codec.marks and any(f.what == FIELDS for f in findings)
    findings += check_tags(reel, made, profile.codec, container_of(out), mixed)
    pts, _ = rising(times, reel.step)
    span = (pts[0] * reel.time_base, (pts[-1] + reel.step) * reel.time_base) if pts else (Fraction(0), Fraction(0))
    return findings + check_tracks(reel, made, declared, container_of(out), span, piece)
