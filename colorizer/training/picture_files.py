"""Picture files of training and evaluation sets: found in folders and tar shards, decoded, cut square, or refused."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import torch
from torch.nn import functional as F

from colorizer.basis.errors import TrainingError
from colorizer.basis.light import LUMA_WEIGHTS
from colorizer.color.lab import rgb_to_lab
from colorizer.training.aging import orthochromatic

SIDE = 128
"""Usual side of the square pictures, pixels."""
MIN_SHORT = 96
SUFFIXES = (".webp", ".avif", ".jpg", ".jpeg", ".png")
DECODERS: tuple[tuple[int, bytes, Callable[..., Any]], ...] = (
    (0, b"\x89PNG", imagecodecs.png_decode),
    (0, b"\xff\xd8", imagecodecs.jpeg_decode),
    (0, b"RIFF", imagecodecs.webp_decode),
    (4, b"ftypavif", imagecodecs.avif_decode),
)
"""Where the kinds of pictures that sets are made of can be told by their bytes."""


def picture_files(folder: Path) -> list[Path]:
    """Pictures anywhere below a folder, in a fixed order."""
    return [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES and p.is_file()]


def members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the pictures of a tar shard or of a folder of class-named folders."""
    if source.is_dir():
        for path in picture_files(source):
            yield path.relative_to(source).as_posix(), path.read_bytes()
        return
    try:
        if not tarfile.is_tarfile(source):  # told here: tarfile says it in five lines
            raise TrainingError(f"{source}: not a folder or tar shard of pictures")
        with tarfile.open(source) as tar:
            for member in tar:
                if member.isfile() and Path(member.name).suffix.lower() in SUFFIXES:
                    stream = tar.extractfile(member)
                    assert stream is not None
                    yield member.name, stream.read()
    except (tarfile.TarError, OSError) as error:
        raise TrainingError(f"{source}: not a folder or tar shard of pictures ({error})") from error


def class_of(name: str) -> str | None:
    """The scene class of `<class>/<file>`; it may contain slashes; `_unlabelled` and bare files have none."""
    folder = name.removeprefix("./").rpartition("/")[0]
    return None if folder in ("", "_unlabelled", "_unlabeled") else folder


def rgb_of(data: bytes) -> np.ndarray | None:
    """A picture file's 8-bit (H, W, 3); gray ones get three equal channels. None if it cannot be read as such."""
    # not imagecodecs.imread, which tries every codec: on an empty file one of them takes the process with it
    decode = next((decode for at, mark, decode in DECODERS if data.startswith(mark, at)), None)
    if decode is None or _is_cut_off(data):
        return None
    try:
        picture = np.asarray(decode(data))
    except Exception:  # a broken picture is counted by the caller, whatever its codec raises
        return None
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.dtype != np.uint8 or picture.ndim != 3 or not picture.size:
        return None
    return np.ascontiguousarray(picture[..., :3] if picture.shape[2] >= 3 else np.repeat(picture[..., :1], 3, 2))


def _is_cut_off(data: bytes) -> bool:
    """Whether a JPEG has no end behind its last scan (ITU-T T.81, B.1.1.3): its codec fills the rest with gray."""
    return data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")


def planes_of(rgb: np.ndarray) -> np.ndarray:
    """8-bit sRGB (H, W, 3) to 8-bit (4, H, W): Rec. 601 Y' of the coded values, a* + 128, b* + 128, orthochromatic."""
    planes = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float() / 255
    red, green, blue = LUMA_WEIGHTS["bt601"]
    luma = 255 * (red * planes[0] + green * planes[1] + blue * planes[2])
    ab = rgb_to_lab(planes)[1:].clamp(-128, 127) + 128
    ortho = 255 * orthochromatic(planes)
    return torch.cat([luma[None], ab, ortho[None]]).round().clamp(0, 255).byte().numpy()


def squares(rgb: np.ndarray, size: int = SIDE) -> Iterator[np.ndarray]:
    """The picture's central square, or both ends of a picture longer than 4:3, at size x size."""
    h, w = rgb.shape[:2]
    side, long = min(h, w), max(h, w)
    ends = (0, long - side) if long > 1.34 * side else ((long - side) // 2,)
    for start in ends:
        cut = rgb[start : start + side] if h > w else rgb[:, start : start + side]
        x = torch.from_numpy(np.ascontiguousarray(cut)).permute(2, 0, 1)[None].float()
        if side != size:
            x = F.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False)
        yield x[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()


def refusal(rgb: np.ndarray, planes: np.ndarray) -> str | None:
    """Why a picture teaches nothing about color, or None."""
    if min(rgb.shape[:2]) < MIN_SHORT:
        return "tiny"
    ab = planes[1:3].astype(np.float32) - 128
    chroma = np.hypot(ab[0], ab[1])
    if np.percentile(chroma, 95) < 6:
        return "gray"
    if chroma.mean() > 6 and ab.std((1, 2)).max() < 2.5:
        return "tinted"
    return None
