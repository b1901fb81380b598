"""Color clips made gray and colored again: how steady the result is, beside the truth and the gray clip.

Owns the way from a video file to the measures of colorizer's wing `measures`: the reel's own survey (shots and looks),
the product's painter, and optical flow of the gray clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from colorizer.basis.errors import ColorizeError, UnsupportedSource
from colorizer.basis.installing import install
from colorizer.basis.light import MATRIX_TAGS, Range
from colorizer.measures import quality, steadiness
from colorizer.measures.score import lab_of
from colorizer.painting.colorizer import Colorizer, auto_precision
from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
from pipeline.containers.planes import plane_view
from pipeline.containers.profiles import PROFILES
from pipeline.reels.decode import Reader
from pipeline.reels.frames import has_color
from pipeline.reels.plan import BATCH, Settings, Shot
from pipeline.reels.reel import Reel, probe
from pipeline.reels.survey import survey
from pipeline.reels.target import Target, target_for

Picture = NDArray[np.uint8]

WIDTH = 320
"""Frames are measured at this display width at most: what sets the cost is the flow, which takes seconds at it."""

MIN_FRAMES = max(quality.CDC_STEPS) + 1
COLUMNS = ("per_shot", "per_frame", "truth", "gray")
FASTEST = 60
"""Pictures per second beyond which a header's rate is not believed; some files promise 1000."""


def require_flow() -> None:
    """Raises ColorizeError when scikit-image, whose optical flow is used, is not installed."""
    if find_spec("skimage") is None:
        raise ColorizeError(f"clips are measured with scikit-image's optical flow: {install('demo')}")


def measure(path: Path, colorizer: Colorizer, frames: int) -> dict[str, Any]:
    """Steadiness of the longest shot in a color clip's first frames, colored from its luma.

    Returns "start" and "frames" (of the shot), "size" (measured, width and height), "followed" (share of the pixels
    that the flow finds again in the next frame), and per figure the columns "per_shot" (one look), "per_frame" (a look
    for each frame), "truth" and "gray": "cdc" (nats), "warp_error" (R'G'B' in [0, 1]), "warp_error_ab" (a*b* / 110),
    "flicker" (a*b*) and "colorfulness" (mean over frames).
    Raises SourceError for what cannot be read, UnsupportedSource for a clip without color or shorter than five frames.
    """
    reel = probe(str(path))
    shot = _longest_shot(reel, colorizer, frames)
    if (length := shot.stop - shot.start) < MIN_FRAMES:
        raise UnsupportedSource(str(path), f"longest shot: {length} of the {MIN_FRAMES} frames that steadiness needs")
    shown = _shown(reel, shot, colorizer)
    motions = _motions([frame[..., 0] for frame in shown["gray"]])
    high, wide = shown["gray"][0].shape[:2]
    figures = {name: _figures(pictures, motions) for name, pictures in shown.items()}
    return {
        "start": shot.start,
        "frames": length,
        "size": [wide, high],
        "followed": round(float(np.mean([motion.visible for motion in motions])), 3),
        **{figure: {name: round(figures[name][figure], 8) for name in COLUMNS} for figure in figures["gray"]},
    }


def _longest_shot(reel: Reel, colorizer: Colorizer, frames: int) -> Shot:
    weights = colorizer.weights
    settings = Settings(
        "archive", weights.name, weights.digest, DEFAULT_WORKING_SIZE, auto_precision(colorizer.device),
        stop=str(frames / min(Fraction(FASTEST), reel.rate)),
    )  # fmt: skip
    shots = survey(reel, {}, settings, colorizer).shots
    cut = [replace(shot, stop=min(shot.stop, frames)) for shot in shots if shot.start < frames]
    return max(cut, key=lambda shot: shot.stop - shot.start)


def _shown(reel: Reel, shot: Shot, colorizer: Colorizer) -> dict[str, list[Picture]]:
    """The shot's frames as a screen shows them, small, by column."""
    target = target_for(reel, PROFILES["archive"])
    geometry = replace(reel.geometry, step_y=target.step_y, step_x=target.step_x)
    shown: dict[str, list[Picture]] = {name: [] for name in COLUMNS}
    colored = False
    with Reader(reel) as reader:
        frames = islice(reader, shot.start, shot.stop)
        while True:
            lumas = []
            for frame in islice(frames, BATCH):
                assert reader.raw is not None
                colored = colored or has_color(reader.raw)
                shown["truth"].append(_small(reader.raw, reel))
                lumas.append(frame.luma)
            if not lumas:
                break
            luma = np.stack(lumas)
            own, _ = colorizer.look(np.stack([colorizer.whole(y, reel.coding, geometry) for y in lumas]))
            for name, look in (("per_shot", shot.look), ("per_frame", own)):
                cb, cr = colorizer.chroma(luma, reel.coding, geometry, look, DEFAULT_WORKING_SIZE, target.coding)
                shown[name] += [
                    _small(_frame(reel, target, *planes), reel) for planes in zip(luma, cb, cr, strict=True)
                ]
            neutral = np.full_like(cb[0], target.coding.neutral)
            shown["gray"] += [_small(_frame(reel, target, y, neutral, neutral), reel) for y in lumas]
    if not colored:
        where = f"frames {shot.start} to {shot.stop}, its longest shot so far,"
        raise UnsupportedSource(reel.uri, f"{where} have no color to compare with; give a color video or more --frames")
    return shown


def _frame(reel: Reel, target: Target, luma: np.ndarray, cb: np.ndarray, cr: np.ndarray) -> av.VideoFrame:
    """A frame of the source's luma codes and painted chroma, as the archive profile stores it."""
    frame = av.VideoFrame(reel.width, reel.height, target.pix_fmt)
    for i, plane in enumerate((target.luma(luma), cb, cr)):
        np.copyto(plane_view(frame, i), plane, casting="no")
    frame.color_range = Range.FULL if target.coding.full_range else Range.LIMITED
    frame.colorspace = MATRIX_TAGS[target.coding.matrix]
    return frame


def _small(frame: av.VideoFrame, reel: Reel) -> Picture:
    """R'G'B' of a frame in square pixels, at most WIDTH wide."""
    if reel.layout.kind != "rgb":
        frame.colorspace = MATRIX_TAGS[reel.coding.matrix]
    shown = frame.width * reel.aspect
    scale = min(Fraction(1), WIDTH / shown)
    width, height = max(1, round(shown * scale)), max(1, round(frame.height * scale))
    interpolation = Interpolation.AREA | Interpolation.ACCURATE_RND
    small = frame.reformat(width, height, "rgb24", interpolation=interpolation, threads=1)
    return np.asarray(small.to_ndarray(), np.uint8)


def _motions(lumas: Sequence[Picture]) -> list[steadiness.Motion]:
    """Motion between neighbors of a gray clip.

    Zach, Pock and Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow" (2007), in scikit-image; with
    fewer rounds than its default: on a pair of real frames as good a match, in a third of the time.
    """
    from skimage.registration import optical_flow_tvl1

    def flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.asarray(optical_flow_tvl1(first, second, num_warp=3, num_iter=6))

    planes = [luma.astype(np.float32) / 255 for luma in lumas]
    return [steadiness.motion(flow(a, b), flow(b, a)) for a, b in pairwise(planes)]


def _figures(pictures: Sequence[Picture], motions: Sequence[steadiness.Motion]) -> dict[str, float]:
    rgb = [picture / 255.0 for picture in pictures]
    ab = [lab_of(picture)[..., 1:] for picture in rgb]
    return {
        "cdc": quality.color_consistency(pictures),
        "warp_error": steadiness.warp_error(rgb, motions),
        "warp_error_ab": steadiness.warp_error([plane / 110 for plane in ab], motions),
        "flicker": steadiness.flicker(ab),
        "colorfulness": float(np.mean([quality.colorfulness(picture) for picture in pictures])),
    }
