"""Samples of any kind to luma: 8- or 16-bit codes, 0 black, the highest white.

Gray samples of 8 and 16 bits keep their codes (inverted where 0 is white); fewer bits are spread over 8, 9 to 15 over
16. What has a color gets its luma as reels do, `light.luma_codes` of its sRGB codes by Rec. 601. Sources: TIFF 6.0
sections 16, 21 and 23; ICC.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import imagecodecs
import numpy as np

from colorizer.basis.light import MATRICES, light_to_srgb, lightness_to_light, luma_codes
from pipeline.stills.lines import luminance

OFF_GRAY, OFF_NEUTRAL = 12 / 255, 6 / 255
"""How far R or B is from G, and Cb or Cr from the middle, in a pixel that counts as colored."""
COLORED = 0.02
"""Share of colored pixels from which a picture has color of its own, as in `frames.has_color`."""
ALIKE = 0.004
"""An ICC profile whose tones are within this of sRGB's (one 8-bit code) is not applied: codes stay as they are."""
BAND = 1 << 20
"""Pixels worked on at once."""
NO_OPTIMIZE = 0x0100
"""lcms flag: without it, dark 16-bit tones come out of a table and are off by up to 0.2 %."""


@dataclass(frozen=True, slots=True)
class Tone:
    """How samples of one picture become luma.

    model: as in layout.MODELS. bits, format: of a sample. low, high: what becomes black and white where samples
    are no full-range unsigned ones of up to 16 bits. linear: samples are light, not sRGB codes. white_is_zero:
    MinIsWhite. palette: (colors, 3) RGB codes. table: luma codes of gray codes. icc: profile that colors go through.
    curve: sRGB codes of each channel's codes.
    """

    model: str
    bits: int
    format: str = "uint"
    low: float = 0.0
    high: float = 0.0
    linear: bool = False
    white_is_zero: bool = False
    palette: np.ndarray | None = field(default=None, repr=False)
    table: np.ndarray | None = field(default=None, repr=False)
    icc: bytes | None = field(default=None, repr=False)
    curve: np.ndarray | None = field(default=None, repr=False)

    @property
    def luma_bits(self) -> int:
        """8 or 16."""
        return 8 if self.bits <= 8 and self.format == "uint" else 16

    @property
    def channels(self) -> int:
        """How many of a pixel's samples the luma needs."""
        if self.model == "YCbCr" and self.icc is None:
            return 1
        return {"RGB": 3, "YCbCr": 3, "CMYK": 4}.get(self.model, 1)

    @property
    def colors(self) -> int:
        """How many of a pixel's samples its color needs."""
        return 3 if self.model == "YCbCr" else self.channels

    @property
    def plain(self) -> bool:
        """Whether codes are what they are, or turned around, with nothing to be applied to them."""
        applied = (self.palette, self.table, self.icc, self.curve)
        as_stored = self.format == "uint" and not self.high and all(each is None for each in applied)
        return as_stored and self.model in ("gray", "RGB", "YCbCr")

    @property
    def needs_range(self) -> bool:
        """Whether the samples' own range says what is black and white."""
        return self.format == "float" or self.model.startswith("Log")

    def luma(self, samples: np.ndarray) -> np.ndarray:
        """(h, w, n) samples to (h, w) luma codes, uint8 or uint16, owned.

        In bands: the arithmetic takes several times the memory of its result.
        """
        out = np.empty(samples.shape[:2], np.uint8 if self.luma_bits == 8 else np.uint16)
        step = max(1, BAND // samples.shape[1])
        for top in range(0, len(out), step):
            out[top : top + step] = self._luma(samples[top : top + step])
        return out

    def _luma(self, samples: np.ndarray) -> np.ndarray:
        if self.model in ("RGB", "palette", "CMYK") or self.icc is not None:
            return luma_codes(self.rgb(samples))
        codes = self.codes(samples[..., 0])
        return codes if self.table is None else self.table[codes]

    def rgb(self, samples: np.ndarray) -> np.ndarray:
        """(h, w, n) samples of RGB, YCbCr, palette or CMYK to (h, w, 3) sRGB codes, uint8 or uint16."""
        if self.palette is not None:
            return self.palette[np.minimum(samples[..., 0], len(self.palette) - 1)]
        channels = np.ascontiguousarray(self.codes(samples[..., : 4 if self.model == "CMYK" else 3]))
        if self.model == "YCbCr":
            channels = rgb_of(channels)
        if self.icc is not None:
            return transformed(channels, self.icc, "CMYK" if self.model == "CMYK" else "RGB")
        if self.model == "RGB":
            return channels
        top = 2**self.luma_bits - 1
        light = top - channels.astype(np.uint64)
        return ((light[..., :3] * light[..., 3:] + top // 2) // top).astype(channels.dtype)

    def codes(self, samples: np.ndarray) -> np.ndarray:
        """Numbers of any kind to full-range codes, before the color model is looked at."""
        codes = self._codes(samples)
        return codes if self.curve is None else self.curve[codes]

    def _codes(self, samples: np.ndarray) -> np.ndarray:
        top = 2**self.luma_bits - 1
        if self.format == "uint" and self.bits <= 16 and not self.high:
            codes = samples
            if self.bits not in (8, 16):
                most = 2**self.bits - 1
                codes = ((samples.astype(np.uint32) * top + most // 2) // most).astype(
                    np.uint8 if top < 256 else np.uint16
                )
            return top - codes if self.white_is_zero else codes
        if self.model.startswith("Log"):
            samples = luminance(samples, self.bits != 24)
        with np.errstate(all="ignore"):
            at = (np.nan_to_num(samples.astype(np.float64), nan=self.low) - self.low) / (self.high - self.low)
        at = np.nan_to_num(at).clip(0, 1)
        if self.linear:
            at = light_to_srgb(at)
        codes = np.rint(at * top).astype(np.uint8 if top < 256 else np.uint16)
        return top - codes if self.white_is_zero else codes

    def colored(self, samples: np.ndarray) -> float:
        """Share of pixels, 0 to 1, that are far from gray."""
        if self.model in ("RGB", "palette", "CMYK"):
            rgb = self.rgb(samples).astype(np.float32) / (2**self.luma_bits - 1)
            off = np.abs(rgb[..., [0, 2]] - rgb[..., 1:2]).max(-1) > OFF_GRAY
        elif samples.shape[2] < 3 or self.model == "gray":
            return float(self.model == "LogLuv")
        else:
            chroma = samples[..., 1:3]
            if self.model == "Lab":
                chroma = chroma.view(f"i{chroma.dtype.itemsize}").astype(np.float32)
            else:
                chroma = chroma.astype(np.float32) - 2 ** (self.bits - 1)
            off = np.abs(chroma).max(-1) > OFF_NEUTRAL * (2**self.bits - 1)
        return float(off.mean())


def rgb_of(ycc: np.ndarray) -> np.ndarray:
    """Full-range Rec. 601 YCbCr codes (h, w, 3) to RGB codes (JFIF 1.02)."""
    middle, top = 1 << (8 * ycc.itemsize - 1), (1 << 8 * ycc.itemsize) - 1
    kr, kb = MATRICES["bt601"]
    y, cb, cr = (ycc[..., i].astype(np.float32) for i in range(3))
    r, b = y + 2 * (1 - kr) * (cr - middle), y + 2 * (1 - kb) * (cb - middle)
    g = (y - kr * r - kb * b) / (1 - kr - kb)
    return np.rint(np.stack([r, g, b], -1).clip(0, top)).astype(ycc.dtype)


def transformed(channels: np.ndarray, icc: bytes, model: str) -> np.ndarray:
    """(h, w, n) codes to (h, w, 3) sRGB codes of the same depth through a profile. Raises what lcms raises."""
    srgb = imagecodecs.cms_profile("srgb")
    out = imagecodecs.cms_transform(
        channels, icc, srgb, colorspace=model.lower(), outcolorspace="rgb", flags=NO_OPTIMIZE
    )
    return np.asarray(out)


def spread(tone: Tone) -> str:
    """In words, that codes of another depth than 8 and 16 bits are spread over the full range."""
    return f"{tone.bits} bit{'s' if tone.bits > 1 else ''} spread over {tone.luma_bits}"


def with_profile(tone: Tone, icc: bytes) -> tuple[Tone, str]:
    """The tone with a profile applied, and what was done in words. Raises what lcms raises on a bad profile."""
    space = icc[16:20]
    if tone.model == "gray" and space == b"GRAY":
        codes = np.arange(2**tone.luma_bits, dtype=np.uint8 if tone.luma_bits == 8 else np.uint16)
        table = luma_codes(transformed(codes[None, :], icc, "gray"))[0]
        if np.abs(table.astype(float) - codes).max() <= ALIKE * codes[-1]:
            return tone, "its gray profile is sRGB's; codes as stored"
        return replace(tone, table=table), "gray ICC profile applied"
    if space == {"RGB": b"RGB ", "YCbCr": b"RGB ", "palette": b"RGB ", "CMYK": b"CMYK"}.get(tone.model):
        if space == b"RGB " and is_srgb(icc):
            return tone, "its profile is sRGB; Rec. 601 luma of codes as stored"
        if tone.palette is not None:
            return replace(tone, palette=transformed(tone.palette[None], icc, "RGB")[0]), "RGB ICC profile applied"
        return replace(tone, icc=icc), f"{tone.model} ICC profile applied"
    return tone, f"its ICC profile is for {space.decode('ascii', 'replace').strip()} and was not applied"


def is_srgb(icc: bytes) -> bool:
    """Whether a profile turns RGB codes into sRGB codes that are the same within one 8-bit step."""
    steps = np.linspace(0, 65535, 9).round().astype(np.uint16)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    return bool(np.abs(transformed(cube, icc, "RGB").astype(float) - cube).max() <= ALIKE * 65535)


def gamma_curve(bits: int, gamma: float) -> np.ndarray:
    """sRGB codes of codes that are light to the power of `gamma` (PNG, third edition, 11.3.2.2)."""
    light = (np.arange(2**bits) / (2**bits - 1)) ** (1 / gamma)
    return np.rint(light_to_srgb(light).clip(0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def lightness_table(bits: int, top: int) -> np.ndarray:
    """Luma codes of L* codes: L* = 100 at code `top`, to relative luminance, to sRGB (CIE 15; IEC 61966-2-1)."""
    lightness = np.minimum(np.arange(2**bits) / top, 1) * 100
    light = lightness_to_light((lightness + 16) / 116)
    return np.rint(light_to_srgb(light).clip(0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def palette_of(map_: np.ndarray, bits: int) -> np.ndarray:
    """TIFF's ColorMap (all reds, all greens, all blues, 16-bit) as (colors, 3) codes of 8 bits, or of 16 above."""
    colors = map_[: len(map_) // 3 * 3].reshape(3, -1).T
    if colors.size and colors.max() < 256:
        colors = colors * np.uint16(257)  # old writers stored 8-bit values, as libtiff's readers know
    return (colors >> 8).astype(np.uint8) if bits <= 8 else np.ascontiguousarray(colors)


def thinned(samples: np.ndarray) -> np.ndarray:
    """Up to about 512 x 512 of the samples, evenly spread, owned: enough to learn a range or see a color."""
    return samples[:: max(1, samples.shape[0] // 512), :: max(1, samples.shape[1] // 512)].copy()


def range_of(parts: Iterable[np.ndarray], tone: Tone) -> tuple[float, float]:
    """What becomes black and white in samples that are not full-range integers.

    0 and 1 if all samples seen are within; else 0, or the 0.01th percentile if there are negative ones, and the
    99.99th percentile: a handful of hot pixels must not make the picture dark. NaN and infinities do not count.
    """
    seen = []
    for part in parts:
        values = luminance(part, tone.bits != 24) if tone.model.startswith("Log") else part
        with np.errstate(invalid="ignore"):  # a signaling NaN is only a NaN here
            seen.append(values[..., : 3 if tone.model == "RGB" else 1].reshape(-1).astype(np.float64))
    values = np.concatenate(seen) if seen else np.zeros(1)
    values = values[np.isfinite(values)]
    if not values.size or (values.min() >= 0 and values.max() <= 1):
        return 0.0, 1.0
    low, high = np.percentile(values.clip(-1e300, 1e300), (0.01, 99.99))
    low = min(0.0, low) if values.min() >= 0 else low
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1)
