"""Training pictures: read once from tar shards or folders, kept as 8-bit (Y', a*, b*) in one memory map.

Decoding WebP and converting to L*a*b* inside the training loop halves its speed; cropping a memory map costs
nothing. Gray, tinted and tiny pictures are dropped and counted.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import imagecodecs
import numpy as np
import torch
from torch.nn import functional as F

from colorizer.color import rgb_to_lab
from colorizer.errors import TrainingError

SIDE = 128
"""Side of the cached square pictures, pixels."""
UNLABELED = -1
MIN_SHORT = 96
SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")
FORMAT = 3
AT_ONCE = 2048
"""Pictures handed to the worker processes at a time; a pool's `map` would read a whole shard ahead."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """A cached set.

    planes: uint8 (n, 3, SIDE, SIDE) of Y', a* + 128, b* + 128. labels: int16 (n,), UNLABELED if none.
    """

    planes: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    classes: tuple[str, ...]
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.planes)

    def ab_histogram(self, sample: int = 4000) -> np.ndarray:
        """Counts over 8-bit a*b* of every (len/sample)-th picture, (65536,)."""
        step = max(1, len(self) // sample)
        planes = np.asarray(self.planes[::step, 1:, ::2, ::2])
        return np.bincount((planes[:, 0].astype(np.int64) * 256 + planes[:, 1]).ravel(), minlength=65536)


def luma_ab(rgb: np.ndarray) -> np.ndarray:
    """8-bit sRGB (H, W, 3) to 8-bit (3, H, W): Rec. 601 Y' of the coded values, a* + 128, b* + 128."""
    planes = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float() / 255
    luma = 255 * (0.299 * planes[0] + 0.587 * planes[1] + 0.114 * planes[2])
    ab = rgb_to_lab(planes)[1:].clamp(-128, 127) + 128
    return torch.cat([luma[None], ab]).round().byte().numpy()


def squares(rgb: np.ndarray) -> Iterator[np.ndarray]:
    """The picture's central square, or both ends of a picture longer than 4:3, at SIDE x SIDE."""
    h, w = rgb.shape[:2]
    side, long = min(h, w), max(h, w)
    ends = (0, long - side) if long > 1.34 * side else ((long - side) // 2,)
    for start in ends:
        cut = rgb[start : start + side] if h > w else rgb[:, start : start + side]
        x = torch.from_numpy(np.ascontiguousarray(cut)).permute(2, 0, 1)[None].float()
        if side != SIDE:
            x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        yield x[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()


def refusal(rgb: np.ndarray, planes: np.ndarray) -> str | None:
    """Why a picture teaches nothing about color, or None."""
    if min(rgb.shape[:2]) < MIN_SHORT:
        return "tiny"
    ab = planes[1:].astype(np.float32) - 128
    chroma = np.hypot(ab[0], ab[1])
    if np.percentile(chroma, 95) < 6:
        return "gray"
    if chroma.mean() > 6 and ab.std((1, 2)).max() < 2.5:
        return "tinted"
    return None


def _picture_files(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES and p.is_file()]


def members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the pictures of a tar shard or of a folder of class-named folders."""
    if source.is_dir():
        for path in _picture_files(source):
            yield path.relative_to(source).as_posix(), path.read_bytes()
        return
    try:
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


def _convert(item: tuple[str, bytes]) -> tuple[str | None, list[np.ndarray] | str]:
    name, data = item
    torch.set_num_threads(1)
    try:
        rgb = imagecodecs.imread(data)
    except Exception:  # a broken picture in a training set is counted, whatever its codec raises
        return None, "unreadable"
    if rgb.ndim != 3 or rgb.shape[2] < 3 or rgb.dtype != np.uint8:
        return None, "gray"
    rgb = rgb[..., :3]
    cached = [luma_ab(square) for square in squares(rgb)]
    why = refusal(rgb, cached[0])
    return (None, why) if why else (class_of(name), cached)


def load(sources: Sequence[Path], cache: Path, classes: Sequence[str] | None = None) -> Pictures:
    """The pictures of tar shards and folders, converted on first use and cached under `cache`.

    classes: scene classes in index order; by default those found, sorted. Raises TrainingError.
    """
    for source in sources:
        if not source.exists():
            raise TrainingError(f"{source}: no such folder or shard")
    key = hashlib.sha256(json.dumps([FORMAT, SIDE, [_facts(s) for s in sources]]).encode())
    home = cache / key.hexdigest()[:16]
    if not (home / "index.json").exists():
        _build(sources, home)
    index = json.loads((home / "index.json").read_text())
    if not index["count"]:
        raise TrainingError(f"{', '.join(map(str, sources))}: no usable color picture ({index['dropped']})")
    planes = np.memmap(home / "planes.u8", np.uint8, "r", shape=(index["count"], 3, SIDE, SIDE))
    names = list(classes) if classes is not None else sorted({c for c in index["classes"] if c is not None})
    known = {name: i for i, name in enumerate(names)}
    labels = np.array([known.get(c, UNLABELED) for c in index["classes"]], np.int16)
    return Pictures(planes, labels, tuple(names), index["dropped"])


def _facts(source: Path) -> list[object]:
    """What a source is known by; a folder by its files too, since its date ignores its subfolders."""
    stat = source.stat()
    facts: list[object] = [str(source.resolve()), stat.st_size, stat.st_mtime_ns]
    if source.is_dir():
        files = [(path, path.stat()) for path in _picture_files(source)]
        facts.append([(path.relative_to(source).as_posix(), s.st_size, s.st_mtime_ns) for path, s in files])
    return facts


def _build(sources: Sequence[Path], home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    dropped: Counter[str] = Counter()
    classes: list[str | None] = []
    scratch = home / f"planes.{os.getpid()}.part"
    with scratch.open("wb") as out, ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for source in sources:
            found = members(source)
            while group := list(islice(found, AT_ONCE)):
                for label, result in pool.map(_convert, group, chunksize=32):
                    if isinstance(result, str):
                        dropped[result] += 1
                        continue
                    for planes in result:
                        out.write(planes.tobytes())
                        classes.append(label)
    scratch.replace(home / "planes.u8")
    index = {"count": len(classes), "classes": classes, "dropped": dict(dropped)}
    part = home / f"index.{os.getpid()}.part"
    part.write_text(json.dumps(index))
    part.replace(home / "index.json")
