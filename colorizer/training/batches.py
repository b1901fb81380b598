"""Batches: which pictures a step sees and how they are cut. A function of (recipe, step), so a run resumes exactly."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.training.dataset import Pictures
from colorizer.training.recipe import Recipe, Stage

LEAST = 9 / 16
"""Crops are at least this share of the cached picture's side, whatever the stage asks for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures of one step (or of one part of it).

    planes: uint8 (B, 4, side, side), as `Pictures.planes`. labels: int64 (B,). share: of the run, when it was cut.
    gists: (B + more, gist_length), float32, of a network that has them; labels then are B + more, too.
    """

    planes: Tensor
    labels: Tensor
    share: float
    gists: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Batches:
    """Makes the batches of a run.

    rank, world: of several workers, each of which takes its part of every batch. gists: of all pictures,
    (n, gist_length).
    """

    pictures: Pictures
    recipe: Recipe
    rank: int = 0
    world: int = 1
    gists: np.ndarray | None = None

    def ahead(self, step: int, samples: int, clock: Callable[[], float], threads: int = 2) -> Iterator[list[Batch]]:
        """The batches from a step on, as lists of parts, made ahead of the reader by threads.

        samples: seen before that step. clock: the share of the run, asked only under a budget in minutes.
        """
        waiting: deque[Future[list[Batch]]] = deque()
        pool = ThreadPoolExecutor(threads, "batches")
        try:
            while True:
                while len(waiting) < 2 * threads:
                    share = samples / self.recipe.samples if self.recipe.samples else clock()
                    stage = self.recipe.stage(share)
                    waiting.append(pool.submit(self.parts, step, samples, stage, share))
                    step, samples = step + 1, samples + stage.batch
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def parts(self, step: int, samples: int, stage: Stage, share: float) -> list[Batch]:
        """This worker's parts of a step's batch."""
        mine = range(self.recipe.parts) if self.world == 1 else [self.rank]
        rng = np.random.default_rng([self.recipe.seed, step])
        side, whole = stage.side, self.recipe.side
        low, high = (round(side * zoom) for zoom in self.recipe.zoom)
        cut = int(rng.integers(min(whole, max(low, round(LEAST * whole))), min(whole, high) + 1))
        chosen = np.array([self._index(samples + i) for i in range(stage.batch)])
        places = rng.integers(0, whole - cut + 1, (stage.batch, 2))
        mirrored = rng.random(stage.batch) < 0.5
        more = self._labeled()[rng.integers(0, len(self._labeled()), self.recipe.more)] if self._looks() else chosen[:0]
        count = self.recipe.parts if self.world == 1 else self.world
        return [
            self._cut(chosen[p::count], more[p::count], places[p::count], mirrored[p::count], cut, side, share)
            for p in mine
        ]

    def _looks(self) -> bool:
        return self.gists is not None and len(self._labeled()) > 0

    def _labeled(self) -> np.ndarray:
        """Pictures whose scene is known."""
        return np.flatnonzero(self.pictures.labels >= 0)

    def _cut(
        self, chosen: np.ndarray, more: np.ndarray, places: np.ndarray, mirrored: np.ndarray, cut: int, side: int,
        share: float,
    ) -> Batch:  # fmt: skip
        out = np.empty((len(chosen), 4, cut, cut), np.uint8)
        for crop, n, (y, x), mirror in zip(out, chosen, places, mirrored, strict=True):
            part = self.pictures.planes[n, :, y : y + cut, x : x + cut]
            crop[:] = part[:, :, ::-1] if mirror else part
        planes = torch.from_numpy(out)
        if cut != side:
            planes = F.interpolate(planes, (side, side), mode="bilinear", antialias=True, align_corners=False)
        seen = np.concatenate([chosen, more])
        gists = None if self.gists is None else torch.from_numpy(self.gists[seen].astype(np.float32))
        return Batch(planes, torch.from_numpy(self.pictures.labels[seen].astype(np.int64)), share, gists)

    def _index(self, sample: int) -> int:
        """The picture that is the run's n-th sample: every epoch is a new order of all pictures."""
        epoch, place = divmod(sample, len(self.pictures))
        return int(_order(self.recipe.seed, epoch, len(self.pictures), self.pictures.shares)[place])


@lru_cache(4)
def _order(seed: int, epoch: int, count: int, shares: tuple[tuple[int, float], ...]) -> np.ndarray:
    """An epoch's pictures. shares: (pictures, weight) of each source; unequal weights draw with replacement."""
    rng = np.random.default_rng([seed, epoch, 1])
    if len({weight for _, weight in shares}) <= 1:
        return rng.permutation(count)
    p = np.repeat([weight for _, weight in shares], [n for n, _ in shares])
    return rng.choice(count, count, p=p / p.sum())
