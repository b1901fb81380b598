"""Pictures in memory as people have them, and what is colored of them: luma, transparency, and which way is up.

numpy arrays and what numpy takes for one, torch tensors, and Pillow's images, which are known without loading Pillow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from colorizer.basis.errors import WrongType, WrongValue
from colorizer.basis.light import luma_codes, luma_light

MAX_PIXELS = 1 << 28
"""16,384 x 16,384: what is larger is for files, which are read by region."""
BAND = 1 << 20
"""Pixels worked on at once."""
INSTEAD = "floats from 0 to 1, uint8 or uint16"
PILLOW = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV")
"""Modes of Pillow's images that have 8 bits and are RGB for Pillow too."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is colored. luma: (H, W), uint8 or uint16 codes, or float64 from 0 to 1. alpha: (H, W) as given, or None.

    dtype: of the samples given. orientation: 1 to 8 (TIFF 6.0), of the rows as they lie. back: makes what was given
    out of (H, W, 3 or 4) samples of that dtype.
    """

    luma: np.ndarray
    alpha: np.ndarray | None
    dtype: np.dtype
    back: Callable[[np.ndarray], Any]
    orientation: int = 1


def picture_of(given: Any) -> Picture:
    """A picture in memory. Raises WrongType for what is none, WrongValue for one that cannot be colored."""
    if isinstance(given, Tensor):
        return _of_samples(_of_tensor(given), lambda out: _tensor(out, given))
    if _is_pillow(given):
        return _of_pillow(given)
    if not hasattr(given, "__array__"):
        raise WrongType(
            f"a picture is a numpy array, a torch tensor or a Pillow image, not {_kind(given)}; "
            "files are for pipeline.color_scan"
        )
    return _of_samples(np.asarray(given), lambda out: out)


def _kind(given: Any) -> str:
    kind = type(given)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _of_samples(samples: np.ndarray, back: Callable[[np.ndarray], Any], orientation: int = 1) -> Picture:
    """Of (H, W) or (H, W, n) samples, checked before anything is allocated for them."""
    _check_shape(samples.shape)
    _check_kind(samples.dtype)
    if samples.dtype.kind == "f":
        _check_numbers(samples)
    planes = samples if samples.ndim == 3 else samples[..., None]
    alpha = planes[..., -1] if planes.shape[2] in (2, 4) else None
    return Picture(_luma(planes), alpha, samples.dtype, back, orientation)


def _check_shape(shape: tuple[int, ...]) -> None:
    message = " x ".join(map(str, shape))
    if len(shape) == 4:
        raise WrongValue(f"one picture at a time, and this has 4 axes ({message}); [colorize(p) for p in pictures]")
    if len(shape) not in (2, 3):
        raise WrongValue(f"a picture has 2 axes or, with colors, 3; this has {len(shape)} ({message or 'a number'})")
    if 0 in shape:
        raise WrongValue(f"a picture of {message} is empty")
    if len(shape) == 3 and shape[2] > 4 >= shape[0]:
        raise WrongValue(f"{message}: colors come last in an array; numpy.moveaxis(picture, 0, -1)")
    if len(shape) == 3 and shape[2] > 4:
        raise WrongValue(f"{message}: a pixel has 1, 3 or 4 samples (2 with gray and alpha), not {shape[2]}")
    if shape[0] * shape[1] > MAX_PIXELS:
        raise WrongValue(
            f"{message} is more than {MAX_PIXELS} pixels in memory; save it as TIFF for pipeline.color_scan"
        )


def _check_kind(dtype: np.dtype) -> None:
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return
    if dtype.kind == "f" and dtype.itemsize in (2, 4, 8):
        return
    hints = {"b": "picture.astype(numpy.uint8) * 255", "i": "picture.astype(numpy.uint8), if that holds its codes",
             "u": "picture.astype(numpy.uint16), if that holds its codes"}  # fmt: skip
    raise WrongType(f"samples are {INSTEAD}, not {dtype}; {hints.get(dtype.kind, 'convert it first')}")


def _check_numbers(samples: np.ndarray) -> None:
    """Floats must be numbers from 0 to 1; nothing is guessed of others. Looked at by bands."""
    low, high = np.inf, -np.inf
    for top, band in _bands(samples):
        bad = ~np.isfinite(band)
        if bad.any():
            row, column = np.argwhere(bad)[0][:2]
            raise WrongValue(
                f"NaN or infinity, first at row {top + row}, column {column}; numpy.nan_to_num(picture) makes them 0"
            )
        low, high = min(low, float(band.min())), max(high, float(band.max()))
    if low < 0 or high > 1:
        raise WrongValue(
            f"floats from {low:.6g} to {high:.6g}, where 0 is black and 1 is white; divide them, or clip them"
        )


def _bands(samples: np.ndarray) -> Any:
    """(first row, rows) of a picture, about BAND pixels at a time."""
    step = max(1, BAND // samples.shape[1])
    return ((top, samples[top : top + step]) for top in range(0, len(samples), step))


def _luma(planes: np.ndarray) -> np.ndarray:
    """(H, W, n) samples to luma, owned, native byte order, in bands: the arithmetic takes several times its result."""
    exact = planes.dtype.kind == "u"
    kind = np.dtype(f"u{planes.dtype.itemsize}") if exact else np.dtype(np.float64)
    out = np.empty(planes.shape[:2], kind)
    for top, band in _bands(planes):
        native = band.astype(kind, copy=False)
        if planes.shape[2] < 3:
            out[top : top + len(band)] = native[..., 0]
        else:
            out[top : top + len(band)] = luma_codes(native) if exact else luma_light(native)
    return out


def _of_tensor(tensor: Tensor) -> np.ndarray:
    """A tensor's samples as (H, W) or (H, W, n): torch puts the colors first."""
    if tensor.dtype == torch.bfloat16:
        raise WrongType(f"samples are {INSTEAD}, not bfloat16; picture.float()")
    if tensor.ndim == 3 and tensor.shape[0] > 4 >= tensor.shape[2] > 0:
        raise WrongValue(
            f"{' x '.join(map(str, tensor.shape))}: colors come first in a tensor; picture.permute(2, 0, 1)"
        )
    try:
        samples = tensor.detach().cpu().numpy()
    except (TypeError, RuntimeError) as error:
        raise WrongType(f"a tensor that numpy cannot hold ({error}); picture.float()") from error
    return np.moveaxis(samples, 0, -1) if samples.ndim == 3 else samples


def _tensor(out: np.ndarray, given: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(out, -1, 0))).to(given.device)


def _is_pillow(given: Any) -> bool:
    """Whether it is an image of Pillow, which is loaded then."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(given, pillow.Image)


def _of_pillow(image: Any) -> Picture:
    if image.mode not in PILLOW:
        raise WrongType(
            f"Pillow holds no colors of mode {image.mode}'s depth; numpy.asarray(picture) gives an array, "
            f"which is to hold {INSTEAD}"
        )
    try:
        clear = "A" in image.getbands() or "transparency" in image.info
        gray = image.mode in ("1", "L", "LA")
        samples = np.asarray(image.convert(("LA" if clear else "L") if gray else "RGBA" if clear else "RGB"))
        orientation = image.getexif().get(274, 1)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow reads a file when its pixels are asked for
        raise WrongValue(f"Pillow cannot read this picture ({error})") from error
    orientation = orientation if orientation in range(1, 9) else 1
    return _of_samples(samples, lambda out: _pillow(out, image), orientation)


def _pillow(out: np.ndarray, given: Any) -> Any:
    """An image of Pillow, with the Exif block and the resolution of the one given."""
    image = sys.modules["PIL.Image"].fromarray(out)
    image.info.update({name: given.info[name] for name in ("exif", "dpi") if name in given.info})
    return image
