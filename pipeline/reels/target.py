"""Target: what a reel's pictures become in a profile, its luma codes above all.

Where a profile is lossy, the codes that go into the encoder are the source's, exactly represented.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation

from colorizer.basis.light import MATRIX_TAGS, Range
from colorizer.color.coding import Coding
from pipeline.containers.planes import YUV_DEPTHS, owned_plane, pixel_layout, repacked
from pipeline.containers.profiles import Profile
from pipeline.reels.reel import Reel


@dataclass(frozen=True, slots=True)
class Target:
    """What a reel's pictures become in a profile.

    coding: of the output's planes; chroma is found for it. rescale: the source is full range and the format cannot
    say so, so luma is mapped to the limited range (one to one where that has codes enough).
    """

    pix_fmt: str
    coding: Coding
    step_y: int
    step_x: int
    rescale: bool
    source: Coding

    def luma(self, codes: np.ndarray) -> np.ndarray:
        """Source luma codes as the output stores them; the very same codes where depth and range agree."""
        if self.rescale:
            black, white = self.coding.luma_range
            top = 2**self.source.bits - 1
            mapped = (codes.astype(np.uint32) * (2 * (white - black)) + top) // (2 * top) + black
            return mapped.astype(np.uint16)
        return self._deepened(codes)

    def chroma(self, frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray]:
        """Cb and Cr of a source's frame as the output stores them; the very same codes where depth, range and
        subsampling agree."""
        layout = pixel_layout(frame.format.name)
        assert layout is not None
        if layout.kind != "rgb" and (layout.step_y, layout.step_x) == (self.step_y, self.step_x) and not self.rescale:
            planar = repacked(frame, layout.planar) if layout.kind == "convert" else frame
            if len(planar.planes) > 2:
                return self._deepened(owned_plane(planar, 1)), self._deepened(owned_plane(planar, 2))
        ranges = [Range.FULL if coding.full_range else Range.LIMITED for coding in (self.source, self.coding)]
        matrix = MATRIX_TAGS[self.coding.matrix]
        shown = frame.reformat(
            format=self.pix_fmt, src_colorspace=None if layout.kind == "rgb" else matrix, dst_colorspace=matrix,
            src_color_range=ranges[0], dst_color_range=ranges[1], interpolation=FINE, threads=1,
        )  # fmt: skip
        return owned_plane(shown, 1), owned_plane(shown, 2)

    def _deepened(self, codes: np.ndarray) -> np.ndarray:
        """Codes of the source's depth at the output's."""
        shift = self.coding.bits - self.source.bits
        if shift == 0:
            return codes
        if shift > 0:
            return codes.astype(np.uint16) << shift
        rounded = (codes.astype(np.uint32) + (1 << (-shift - 1))) >> -shift
        return np.minimum(rounded, 2**self.coding.bits - 1).astype(np.uint8 if self.coding.bits == 8 else np.uint16)


FINE = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
"""How chroma is resampled where it must be."""

NAMES = {
    (2, 2): "yuv420p", (1, 2): "yuv422p", (1, 1): "yuv444p", (2, 1): "yuv440p", (1, 4): "yuv411p", (4, 4): "yuv410p",
}  # fmt: skip
"""Planar formats by luma samples per chroma sample (vertical, horizontal)."""

FEW_DEPTHS = {"yuv440p": (8, 10, 12), "yuv411p": (8,), "yuv410p": (8,)}


def target_for(reel: Reel, profile: Profile) -> Target:
    """The output's pixel format for a reel."""
    source, codec = reel.coding, profile.codec
    steps, bits = codec.steps_for(reel.width, reel.height) or own_steps(reel), codec.depth_for(source.bits)
    name = NAMES.get(steps)
    if name in FEW_DEPTHS:
        bits = next((d for d in FEW_DEPTHS[name] if d >= source.bits), 0)
    if name is None or not bits:
        name, steps, bits = "yuv444p", (1, 1), codec.depth_for(source.bits)
    coding = Coding(bits, source.full_range and codec.full_range, source.matrix, source.primaries)
    rescale = source.full_range and not codec.full_range
    return Target(name + YUV_DEPTHS[bits], coding, *steps, rescale, source)


def own_steps(reel: Reel) -> tuple[int, int]:
    """Luma samples per chroma sample of a source that outputs keep: 4:2:0 for gray, none for RGB."""
    layout = reel.layout
    if layout.kind == "rgb":
        return 1, 1
    return (layout.step_y, layout.step_x) if layout.step_x else (2, 2)
