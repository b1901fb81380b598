"""Training pictures: read once from tar shards or folders, kept as 8-bit (Y', a*, b*, gray') in one memory map.

Decoding WebP and converting to L*a*b* inside the training loop halves its speed; cropping a memory map costs
nothing. Gray, tinted and tiny pictures are dropped and counted.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from colorizer.basis.atomic import whole, write_text
from colorizer.basis.errors import TrainingError
from colorizer.training.picture_files import SIDE, class_of, members, picture_files, planes_of, refusal, rgb_of, squares

UNLABELED = -1
FORMAT = 4
AT_ONCE = 2048
"""Pictures handed to the worker processes at a time; a pool's `map` would read a whole shard ahead."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """A cached set.

    planes: uint8 (n, 4, side, side) of Y', a* + 128, b* + 128 and the gray of an orthochromatic emulsion.
    labels: int16 (n,), UNLABELED if none. shares: (pictures, sampling weight of each) per source, in order.
    """

    planes: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    classes: tuple[str, ...]
    dropped: dict[str, int]
    shares: tuple[tuple[int, float], ...] = ()

    def __len__(self) -> int:
        return len(self.planes)

    def ab_histogram(self, sample: int = 4000) -> np.ndarray:
        """Counts over 8-bit a*b* of every (len/sample)-th picture, (65536,)."""
        step = max(1, len(self) // sample)
        planes = np.asarray(self.planes[::step, 1:3, ::2, ::2])
        return np.bincount((planes[:, 0].astype(np.int64) * 256 + planes[:, 1]).ravel(), minlength=65536)


def _convert(item: tuple[str, bytes], side: int) -> tuple[str | None, list[np.ndarray] | str]:
    name, data = item
    torch.set_num_threads(1)
    rgb = rgb_of(data)
    if rgb is None:
        return None, "unreadable"
    cached = [planes_of(square) for square in squares(rgb, side)]
    why = refusal(rgb, cached[0])
    return (None, why) if why else (class_of(name), cached)


def load(
    sources: Sequence[Path],
    cache: Path,
    classes: Sequence[str] | None = None,
    side: int = SIDE,
    weights: Sequence[float] | None = None,
) -> Pictures:
    """The pictures of tar shards and folders, converted on first use and cached under `cache`.

    classes: scene classes in index order; by default those found, sorted. side: of the cached squares.
    weights: how often a picture of each source is drawn, relative to the others; equal by default.
    Raises TrainingError.
    """
    for source in sources:
        if not source.exists():
            raise TrainingError(f"{source}: no such folder or shard")
    key = hashlib.sha256(json.dumps([FORMAT, side, [_facts(s) for s in sources]]).encode())
    home = cache / key.hexdigest()[:16]
    if not (home / "index.json").exists():
        _build(sources, home, side)
    index = json.loads((home / "index.json").read_text())
    if not sum(index["counts"]):
        raise TrainingError(f"{', '.join(map(str, sources))}: no usable color picture ({index['dropped']})")
    planes = np.memmap(home / "planes.u8", np.uint8, "r", shape=(sum(index["counts"]), 4, side, side))
    names = list(classes) if classes is not None else sorted({c for c in index["classes"] if c is not None})
    known = {name: i for i, name in enumerate(names)}
    labels = np.array([known.get(c, UNLABELED) for c in index["classes"]], np.int16)
    shares = tuple(zip(index["counts"], weights or [1.0] * len(sources), strict=True))
    return Pictures(planes, labels, tuple(names), index["dropped"], shares)


def _facts(source: Path) -> list[object]:
    """What a source is known by; a folder by its files too, since its date ignores its subfolders."""
    stat = source.stat()
    facts: list[object] = [str(source.resolve()), stat.st_size, stat.st_mtime_ns]
    if source.is_dir():
        files = [(path, path.stat()) for path in picture_files(source)]
        facts.append([(path.relative_to(source).as_posix(), s.st_size, s.st_mtime_ns) for path, s in files])
    return facts


def _build(sources: Sequence[Path], home: Path, side: int) -> None:
    home.mkdir(parents=True, exist_ok=True)
    dropped: Counter[str] = Counter()
    classes: list[str | None] = []
    counts: list[int] = []
    convert = partial(_convert, side=side)
    with (
        whole(home / "planes.u8", lasting=False) as scratch,
        scratch.open("wb") as out,
        ProcessPoolExecutor(mp_context=get_context("spawn")) as pool,
    ):
        for source in sources:
            before, found = len(classes), members(source)
            while group := list(islice(found, AT_ONCE)):
                for label, result in pool.map(convert, group, chunksize=32):
                    if isinstance(result, str):
                        dropped[result] += 1
                        continue
                    for planes in result:
                        out.write(planes.tobytes())
                        classes.append(label)
            counts.append(len(classes) - before)
    index = {"counts": counts, "classes": classes, "dropped": dict(dropped)}
    write_text(home / "index.json", json.dumps(index))
