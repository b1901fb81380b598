"""Color a picture in memory with one call: what `colorizer` gives to notebooks and scripts."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, get_args, overload

import numpy as np
import torch
from torch import Tensor

from colorizer.basis.errors import WrongType, WrongValue
from colorizer.basis.light import luma_light
from colorizer.networks import weights_file
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from colorizer.painting.colorizer import Colorizer, Precision, auto_precision
from colorizer.painting.geometry import DEFAULT_WORKING_SIZE, NATIVE
from colorizer.painting.picture import BAND, Picture, picture_of
from colorizer.painting.plate import Plate, Preview, color_native, color_rows, survey_plate

Asked = Literal["auto", "fp32", "bf16", "fp16"]
"""Precision as a caller names it; auto: what the device has in hardware."""
SIZES = (32, 4096)
"""The least and the largest working size besides native."""


def load(weights: str | Path = DEFAULT_WEIGHTS, device: str = "auto", precision: Asked = "auto") -> Colorizer:
    """A network with its weights, ready to color many pictures.

    weights: a shipped name ("fast", "standard") or a .safetensors file, from which no code is run. device: "cpu",
    "cuda", "cuda:1", or "auto": a GPU if there is one. precision: "auto" takes bf16 where the device has it.

    Raises WeightsError for weights that cannot be used, WrongValue for a device that is not here.

        calm = colorizer.load("standard")
        pictures = [colorizer.colorize(picture, calm) for picture in pictures]
    """
    place = _device(device)
    if precision not in get_args(Asked):
        raise WrongValue(f"precision {precision!r} is none of {', '.join(get_args(Asked))}")
    chosen: Precision = auto_precision(place) if precision == "auto" else precision
    return Colorizer(weights_file.load(weights), str(place), chosen)


@overload
def colorize(
    picture: np.ndarray, weights: str | Path | Colorizer = ..., *, working_size: int | Literal["native"] = ...,
    device: str = ..., precision: Asked = ...,
) -> np.ndarray: ...  # fmt: skip


@overload
def colorize(
    picture: Tensor, weights: str | Path | Colorizer = ..., *, working_size: int | Literal["native"] = ...,
    device: str = ..., precision: Asked = ...,
) -> Tensor: ...  # fmt: skip


@overload
def colorize(
    picture: Any, weights: str | Path | Colorizer = ..., *, working_size: int | Literal["native"] = ...,
    device: str = ..., precision: Asked = ...,
) -> Any: ...  # fmt: skip


def colorize(
    picture: Any, weights: str | Path | Colorizer = DEFAULT_WEIGHTS, *,
    working_size: int | Literal["native"] = DEFAULT_WORKING_SIZE, device: str = "auto", precision: Asked = "auto",
) -> Any:  # fmt: skip
    """A picture in color, at the luma it has.

    picture: a numpy array (H, W), (H, W, 1), (H, W, 3) or, with alpha, (H, W, 2) or (H, W, 4); a torch tensor with the
    same samples in front, (H, W) or (1 to 4, H, W); or a Pillow image of 8 bits. Samples are sRGB codes: uint8,
    uint16, or floats from 0 (black) to 1 (white). Of a picture in color the luma is used. At most 2^28 pixels.

    Returns the same kind of thing with R'G'B' samples of the same dtype and size, and never changes `picture`: an array
    (H, W, 3), a tensor (3, H, W) on its device, an "RGB" image with Exif and resolution. Alpha goes through untouched
    as a fourth channel. The luma is kept: `colorizer.luma(result)` is `colorizer.luma(picture)`, of uint8 and uint16
    exactly and of floats within four times `numpy.finfo(dtype).eps`. The same call on the same kind of processor gives
    the same samples, those that `pipeline.color_scan` writes of the same codes.

    weights: a shipped name, a .safetensors file, or what `load` gave; a name is loaded once and kept for the next call.
    working_size: shorter side in pixels at which the network sees the picture, 32 to 4096, or "native". device,
    precision: as of `load`; at "native", "auto" is fp32, since what bf16 rounds differs from tile to tile.

    Raises WrongType and WrongValue, in one line, for what is no such picture; WeightsError.

        color = colorizer.colorize(gray)
    """
    seen = picture_of(picture)
    size = checked_working_size(working_size)
    painter = _painter(weights, device, "fp32" if size == NATIVE and precision == "auto" else precision)
    return seen.back(_colored(painter, seen, size))


def luma(picture: Any) -> np.ndarray:
    """The luma (H, W) that `colorize` keeps: uint8 or uint16 codes, or float64 from 0 to 1.

    Of one sample a pixel the sample itself; of three (299 R' + 587 G' + 114 B') / 1000, of codes in whole numbers and
    rounded. Takes what `colorize` takes, and raises the same.

        assert (colorizer.luma(color) == gray).all()
    """
    return picture_of(picture).luma


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(name)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError, TypeError) as error:  # torch without CUDA asserts
        reason = str(error).splitlines()[0]
        raise WrongValue(f"device {name!r} cannot be used ({reason}); leave it out to use what is here") from error
    return place


def checked_working_size(asked: int | str) -> int:
    """A working size as a person may give it to a call; NATIVE for 'native'. Raises WrongValue."""
    if asked in ("native", NATIVE):
        return NATIVE
    if not isinstance(asked, int) or not SIZES[0] <= asked <= SIZES[1]:
        raise WrongValue(f"working_size {asked!r} is neither 'native' nor a number from {SIZES[0]} to {SIZES[1]}")
    return int(asked)


def _painter(weights: str | Path | Colorizer, device: str, precision: Asked) -> Colorizer:
    if isinstance(weights, Colorizer):
        if device != "auto":
            raise WrongValue("a loaded Colorizer has a device already; leave device out, or give the weights' name")
        return weights
    if not isinstance(weights, str | Path):
        raise WrongType(f"weights are a name, a file, or what colorizer.load gave, not {type(weights).__name__}")
    return _kept(weights, weights_file.load(weights).digest, device, precision)


@lru_cache(maxsize=1)
def _kept(weights: str | Path, digest: str, device: str, precision: Asked) -> Colorizer:
    """The last weights stay: a notebook colors one picture after another."""
    return load(weights, device, precision)


def _colored(painter: Colorizer, picture: Picture, working_size: int) -> np.ndarray:
    """(H, W, 3) samples of the picture's dtype, or (H, W, 4) with its alpha."""
    floats = picture.luma.dtype.kind == "f"
    codes = np.rint(picture.luma * 65535).astype(np.uint16) if floats else picture.luma
    plate = _surveyed(painter, codes, picture.orientation, working_size)
    out = np.empty((*codes.shape, 3 if picture.alpha is None else 4), picture.dtype)
    if picture.alpha is not None:
        out[..., 3] = picture.alpha
    step = max(8, BAND // codes.shape[1] // 8 * 8)
    for top in range(0, len(codes), step):
        rgb = _rows(painter, plate, codes, top, min(len(codes), top + step))
        out[top : top + step, :, :3] = _exact(rgb, picture.luma[top : top + step]) if floats else rgb
    return out


def _surveyed(painter: Colorizer, codes: np.ndarray, orientation: int, working_size: int) -> Plate:
    height, width = codes.shape
    preview = Preview(height, width, 8 * codes.itemsize)
    step = max(1, BAND // width)
    for top in range(0, height, step):
        preview.add(codes[top : top + step])
    return survey_plate(painter, preview, working_size, orientation)


def _rows(painter: Colorizer, plate: Plate, codes: np.ndarray, top: int, bottom: int) -> np.ndarray:
    if plate.lines is not None:
        return color_rows(painter, plate, codes[top:bottom], top)
    return color_native(painter, plate, partial(_region, codes), top, bottom)


def _region(codes: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    return codes[top : top + height, left : left + width]


def _exact(rgb: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """16-bit R'G'B' codes as numbers from 0 to 1 that have a luma to the last bit, not to the next code.

    What the channels differ from the luma by has a luma of 0, so it may be scaled until the color is within 0 to 1.
    """
    color = rgb / 65535.0
    off = color - luma_light(color)[..., None]
    y = luma[..., None]
    above = off.max(-1, keepdims=True) / np.maximum(1 - y, 1e-300)
    below = off.min(-1, keepdims=True) / -np.maximum(y, 1e-300)
    return (y + off / np.maximum(np.maximum(above, below), 1)).clip(0, 1)
