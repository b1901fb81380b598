"""Recipes: everything that decides what a training run learns, apart from its pictures and its network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from colorizer.basis.errors import TrainingError
from colorizer.training.losses import LossWeights


@dataclass(frozen=True, slots=True)
class Stage:
    """Until this share of the run, pictures are `side` pixels and come `batch` at a time."""

    until: float
    side: int
    batch: int


PROGRESSIVE = (Stage(0.50, 64, 128), Stage(0.82, 96, 64), Stage(1.0, 128, 40))
"""Small pictures teach most per second; the last ones have the size that the product works at."""
PUBLISHED = (Stage(1.0, 224, 128),)
RISE = 0.03


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a training run is; a checkpoint resumes only under the same one.

    samples, minutes: the budget, one of the two and 0 for the other. Only a budget in samples gives the same run
        again: one in minutes of wall time sees as many pictures as the machine manages.
    side: of the cached pictures that crops are cut from. zoom: smallest and largest crop, as shares of the stage's
        side; a crop is resized to that side.
    optimizer: "adamw" under one cycle, or "adadelta" at a constant rate, as published.
    rate: peak learning rate. decay: AdamW's. warmup: share of the run. average: decay of the moving average of the
        weights per step, 0 for none.
    aged: share of gray inputs that are worn like film. smoothing: of the scene labels. dropout: of the scene features
        before the classifier. uniform: share of the uniform distribution in the bins' rebalancing (0.5 in Zhang 2016;
        higher is milder).
    parts: a batch is normalized and back-propagated in so many parts; each of several workers takes one, so a run on
        one worker in n parts learns what a run on n workers learns.
    encoder: share of the rate at which a pretrained encoder learns. thawed: share of the run up to which it is frozen;
        then its rate rises to that share over RISE of the run. more: pictures per batch whose kept gists are classified
        beside it. gist_dropout: of the gists. All four are for networks with a pretrained encoder.
    thinning: the bins learn at every n-th row and column.
    """

    samples: int = 0
    minutes: float = 0.0
    seed: int = 0
    side: int = 128
    stages: tuple[Stage, ...] = PROGRESSIVE
    zoom: tuple[float, float] = (0.8, 2.0)
    optimizer: Literal["adamw", "adadelta"] = "adamw"
    rate: float = 2e-3
    decay: float = 0.03
    warmup: float = 0.03
    average: float = 0.999
    aged: float = 0.5
    smoothing: float = 0.1
    dropout: float = 0.2
    uniform: float = 0.85
    parts: int = 1
    loss: LossWeights = field(default_factory=LossWeights)
    encoder: float = 0.1
    thawed: float = 0.12
    more: int = 64
    gist_dropout: float = 0.1
    thinning: int = 1

    def __post_init__(self) -> None:
        if (self.samples > 0) == (self.minutes > 0):
            raise TrainingError("a run has a budget of samples or of minutes, one of them")
        if self.parts < 1 or any(stage.batch % self.parts for stage in self.stages):
            raise TrainingError(f"batches of {[s.batch for s in self.stages]} do not divide into {self.parts} parts")
        if self.more % self.parts or self.thinning < 1:
            raise TrainingError(
                f"{self.more} more pictures, {self.parts} parts, thinned by {self.thinning}: not a recipe"
            )
        if any(stage.side > self.side for stage in self.stages):
            raise TrainingError(f"pictures are cached at {self.side} px, smaller than a stage of the recipe")

    def encoder_rate(self, share: float) -> float:
        """What the encoder's rate is of the others', at a share of the run."""
        return self.encoder * min(1.0, max(0.0, (share - self.thawed) / RISE))

    def stage(self, share: float) -> Stage:
        """The stage at a share of the run, [0, 1]."""
        return next((stage for stage in self.stages if share < stage.until), self.stages[-1])

    def rate_at(self, share: float) -> float:
        """Learning rate: linear warm-up, then half a cosine to nearly zero; constant for ADADELTA."""
        if self.optimizer == "adadelta":
            return self.rate
        if share < self.warmup:
            return self.rate * max(0.02, share / self.warmup)
        rest = min(1.0, (share - self.warmup) / (1 - self.warmup))
        return self.rate * (0.004 + 0.996 * (1 + math.cos(math.pi * rest)) / 2)


PAPER = {
    "side": 256, "stages": PUBLISHED, "zoom": (1.0, 1.0), "optimizer": "adadelta", "rate": 1.0, "decay": 0.0,
    "warmup": 0.0, "average": 0.0, "aged": 0.0, "smoothing": 0.0, "dropout": 0.0,
    "loss": LossWeights(regression=1.0, bins=0.0, scene=1 / 300),
}  # fmt: skip
"""The published recipe, as fields of `Recipe`: 224 px crops of 256 px pictures, 128 at a time, ADADELTA, mean squared
error + 1/300 of the class term (Iizuka 2016, section 4). The error is averaged over elements, which is the default of
the authors' Torch; the paper writes a sum."""

LITE = {"stages": (Stage(0.62, 96, 32), Stage(1.0, 128, 32)), "thinning": 2}
"""What differs in the recipe of `lite`, as fields of `Recipe`: its encoder knows little of pictures of 64 px."""
