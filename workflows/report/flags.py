"""What a person should look at, and by which numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from pipeline.values.remarks import COLORED
from pipeline.values.stages import DONE
from workflows.report.values import File, Flag, FlagKind, Part, Picture, shown

GRAY = 2.0
"""8-bit codes of Cb and Cr together, as receipts count them: less than one code each, which no screen shows."""
PALE = 7.5
"""On the scale of `quality.colorfulness`, the middle between what its viewers called not (0) and slightly (15)
colorful."""
UNSURE = 0.1
"""Probability of the likeliest scene. The shipped weights know 205: chance is 0.005, clear scenes got 0.2 to 0.7."""
JUMP = 10.0
"""8-bit codes between the mean (Cb, Cr) of two pictures. On films of the shipped weights, neighboring shots of one kind
were 1 to 6 apart, and plain changes of tint 11 to 13."""
VEIL, STRENGTH = 0.9, 12.0
"""Share of the lit pixels within 45 degrees of hue, and 8-bit codes of their chroma. Of 23 historical photographs and
25 shots of real films, colored by `fast`, 4 and 1 reach both: two of the five have a veil, the others are skin, wood or
an autochrome all over. At a share of 0.8 it would be 9 and 5."""
STEADY, STEP = 1 / 3, 3.0
"""Share and 8-bit codes by which the chroma of neighboring pieces of a shot, which have one look, may differ."""

FLAGS = {
    FlagKind.GRAY: f"gray result: chroma below {GRAY:g} codes of 255",
    FlagKind.LOW_COLOR: f"low color: colorfulness below {PALE:g} (Hasler and Süsstrunk; 15 is slightly colorful)",
    FlagKind.COLOR_JUMP: f"color jump: neighboring shots of the same scene tag, mean chroma over {JUMP:g} codes of 255 "
    "apart",
    FlagKind.ONE_HUE: f"one hue: over {VEIL * 100:g} % of what is lit is within 45 degrees of hue, chroma over "
    f"{STRENGTH:g} codes of 255",
    FlagKind.UNSURE: f"unsure: the likeliest scene tag has a probability below {UNSURE * 100:g} %",
    FlagKind.UNSTEADY: f"unsteady: chroma changes by over a third, and {STEP:g} codes, between pieces of one shot",
    FlagKind.NEGATIVE: "negative: what was colored looks like one; see --invert",
    FlagKind.HAD_COLOR: "had color: the source is in color, faded perhaps; what is shown as gray is its luminance",
    FlagKind.DAMAGE: "damage: the source could not be decoded in full",
    FlagKind.CHECK: "check: a finding about the output does not hold",
    FlagKind.MISSING: "missing: the output, its story or its state cannot be read",
}
"""What is pointed out, and when."""


def illustrated(file: File, pictures: Mapping[int, Picture], why: str = "") -> File:
    """The file with its pictures, by number of the part, and with every flag. why: there are none."""
    parts: list[Part] = []
    for part in file.parts:
        part = replace(part, picture=pictures.get(part.number))
        before = parts[-1] if parts and file.continuous else None
        parts.append(replace(part, flags=tuple(_part_flags(part, before))))
    return replace(file, parts=tuple(parts), flags=tuple(_file_flags(file)), unpictured=shown(why))


def _file_flags(file: File) -> list[Flag]:
    flags = [Flag(FlagKind.NEGATIVE, file.negative)] if file.negative else []
    flags += [Flag(FlagKind.HAD_COLOR, COLORED)] if COLORED in file.notes else []
    flags += [Flag(FlagKind.DAMAGE, file.damage[0])] if file.damage else []
    flags += [Flag(FlagKind.CHECK, f"{what}: {detail}") for what, holds, detail in file.findings if not holds]
    if not file.source:
        flags.append(Flag(FlagKind.MISSING, "what the collection knows of this file cannot be read"))
    elif file.state == DONE and not file.output:
        flags.append(Flag(FlagKind.MISSING, "the output is not where it was written"))
    elif file.state == DONE and not file.parts:
        flags.append(Flag(FlagKind.MISSING, "the story of the output (its .json) cannot be read"))
    return flags


def _part_flags(part: Part, before: Part | None) -> list[Flag]:
    flags: list[Flag] = []
    picture = part.picture
    if part.chroma is not None and part.chroma < GRAY:
        flags.append(Flag(FlagKind.GRAY, f"chroma {part.chroma:.1f}"))
    elif picture is not None and picture.colorfulness < PALE:
        flags.append(Flag(FlagKind.LOW_COLOR, f"colorfulness {picture.colorfulness:.1f}"))
    if before is not None and picture is not None and before.picture is not None and _same_scene(part, before):
        apart = ((picture.cb - before.picture.cb) ** 2 + (picture.cr - before.picture.cr) ** 2) ** 0.5
        if apart > JUMP:
            flags.append(Flag(FlagKind.COLOR_JUMP, f"{apart:.0f} codes from the shot before"))
    if picture is not None and picture.hue[0] > VEIL and picture.hue[1] > STRENGTH:
        flags.append(Flag(FlagKind.ONE_HUE, f"{picture.hue[0] * 100:.0f} % of it, chroma {picture.hue[1]:.0f}"))
    if part.scenes and part.scenes[0][1] < UNSURE:
        flags.append(Flag(FlagKind.UNSURE, f"likeliest scene {part.scenes[0][1] * 100:.1f} %"))
    steps = [(a, b) for a, b in pairwise(part.pieces) if abs(a - b) > max(STEP, STEADY * max(a, b))]
    if steps:
        worst = max(steps, key=lambda step: abs(step[0] - step[1]))
        flags.append(Flag(FlagKind.UNSTEADY, f"chroma from {worst[0]:.1f} to {worst[1]:.1f}"))
    return flags


def _same_scene(first: Part, second: Part) -> bool:
    return bool(first.scenes and second.scenes) and first.scenes[0][0] == second.scenes[0][0]
