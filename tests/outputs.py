"""What tests of outputs in every profile share: a PAL reel with all that a reel has, and outputs made when asked."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from pipeline.jobs.job import Result
from tests.endtoend import color
from tests.synthetic import write_reel

FRAMES, CUTS, SIZE, RATE, SHAPE = 18, (6, 12), (256, 128), Fraction(25), Fraction(16, 15)


def pal_reel(path: Path, **more: Any) -> Path:
    """Three shots with two tracks of sound, a time code, chapters and color tags. more: as `write_reel` takes it."""
    return write_reel(
        path, FRAMES, SIZE, rate=RATE, cuts=CUTS, sar=SHAPE, audio=["flac", "pcm_s16le"], timecode="10:00:00:00",
        chapters=2, colors=(5, 6, 5), **more,
    )  # fmt: skip


def maker(folder: Path, source: Path, weights: Path) -> Callable[[str, str], tuple[Path, Result]]:
    """Makes the output of a profile and suffix when it is first asked for; what came of it too."""
    done: dict[Path, Result] = {}

    def make(name: str, suffix: str) -> tuple[Path, Result]:
        out = folder / f"{name}{suffix}"
        if out not in done:
            done[out] = color(source, out, weights, profile=name)
        return out, done[out]

    return make
