"""Training, without the command line: pictures in, a network out; a killed run resumes from its checkpoint.

The recipe: AdamW under a one-cycle schedule, an exponential moving average of the weights, small pictures
first, and gray inputs that are aged like film (grain, softness, contrast) while their colors stay the clean
ones.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from colorizer import bins as chroma_bins
from colorizer import losses
from colorizer.dataset import SIDE, Pictures
from colorizer.errors import TrainingError
from colorizer.network import Network, NetworkConfig

STAGES = ((0.45, 64, 128), (0.80, 96, 64), (1.01, 128, 40))
"""(until this share of the run, picture side, batch): small pictures teach most per second."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a training run is; a checkpoint resumes only under the same one.

    minutes: wall time of the run, over all its sessions. rate: peak learning rate. uniform: share of the
    uniform distribution in the bins' rebalancing (0.5 in Zhang 2016; higher is milder).
    """

    minutes: float = 60.0
    seed: int = 0
    rate: float = 2e-3
    decay: float = 0.02
    warmup: float = 0.04
    average: float = 0.999
    uniform: float = 0.85
    aged: float = 0.5
    loss: losses.LossWeights = field(default_factory=losses.LossWeights)

    def rate_at(self, share: float) -> float:
        """One-cycle: linear warm-up, then half a cosine to nearly zero. share: of the run, [0, 1]."""
        if share < self.warmup:
            return self.rate * max(0.02, share / self.warmup)
        rest = min(1.0, (share - self.warmup) / (1 - self.warmup))
        return float(self.rate * (0.004 + 0.996 * (1 + np.cos(np.pi * rest)) / 2))


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of the training log."""

    step: int
    samples: int
    minutes: float
    share: float
    side: int
    rate: float
    regression: float
    bins: float
    scene: float
    samples_per_second: float
    waiting: float


def stage_at(share: float) -> tuple[int, int]:
    """Picture side and batch size at a share of the run."""
    return next((side, batch) for until, side, batch in STAGES if share < until)


def crops(pictures: Pictures, side: int, batch: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A batch of random square crops, mirrored at random, resized to `side`.

    Returns planes uint8 (B, 3, side, side) and labels (B,). One crop size serves the batch, so the resize is
    one call.
    """
    cut = int(rng.integers(max(side, SIDE * 5 // 8), SIDE + 1))
    chosen = rng.integers(0, len(pictures), batch)
    out = np.empty((batch, 3, cut, cut), np.uint8)
    for i, n in enumerate(chosen):
        y, x = rng.integers(0, SIDE - cut + 1, 2)
        part = pictures.planes[n, :, y : y + cut, x : x + cut]
        out[i] = part[:, :, ::-1] if rng.random() < 0.5 else part
    planes = torch.from_numpy(out)
    if cut != side:
        planes = F.interpolate(planes, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return planes, torch.from_numpy(pictures.labels[chosen].astype(np.int64))


def age(luma: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Film's wear on a share of the batch: contrast, gamma, softness, grain. luma: (B, 1, H, W) in [0, 1]."""
    n = luma.shape[0]

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, 1, generator=generator)

    worn = luma.clamp(1e-4, 1) ** torch.exp(uniform(-0.35, 0.35))
    worn = (worn - 0.5) * uniform(0.65, 1.15) + 0.5 + uniform(-0.1, 0.1)
    soft = F.avg_pool2d(F.pad(worn, (1, 1, 1, 1), mode="replicate"), 3, 1)
    worn = torch.lerp(worn, soft, uniform(-0.2, 1.0).clamp(0, 1))
    worn = worn + torch.randn(luma.shape, generator=generator) * uniform(-0.02, 0.06).clamp(0, 1)
    return torch.where(uniform(0, 1) < share, worn.clamp(0, 1), luma)


class Trainer:
    """Holds a run: network, optimizer, average, clock. `run` trains until the recipe's minutes are spent."""

    def __init__(
        self, config: NetworkConfig, pictures: Pictures, recipe: Recipe, checkpoint: Path | None = None
    ) -> None:
        if config.head == "flatten":
            raise TrainingError("crops of several sizes need the mean head")
        torch.manual_seed(recipe.seed)
        self.recipe, self.pictures, self.checkpoint = recipe, pictures, checkpoint
        self.network = Network(replace(config, classes=max(1, len(pictures.classes))))
        if config.bins:
            centers = chroma_bins.bin_centers()
            self.network.centers.copy_(centers)
            self.table = chroma_bins.soft_encoding(centers)
            self.weight = chroma_bins.rebalancing(pictures.ab_histogram(), centers, recipe.uniform)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        averaging = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=averaging, use_buffers=False)
        parameters = self.network.parameters()
        self.optimizer = torch.optim.AdamW(
            parameters, lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.99), fused=True
        )
        self.step = self.samples = 0
        self.seconds = 0.0
        if checkpoint is not None and checkpoint.exists():
            self._restore(checkpoint)

    def averaged(self) -> Network:
        """The network to keep: averaged weights, with the current running statistics of its normalization."""
        network = self.average.module
        assert isinstance(network, Network)
        for mine, current in zip(network.buffers(), self.network.buffers(), strict=True):
            mine.copy_(current)
        return network

    def _losses(self, planes: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        network = self.network
        luma = age(planes[:, :1].float() / 255, self.recipe.aged, generator)
        ab = planes[:, 1:].float() - 128
        with torch.autocast("cpu", torch.bfloat16):
            x = (luma - network.config.mean).contiguous(memory_format=torch.channels_last)
            low = network.low(x)
            look, scene = network.look_of(low)
            quarter, half = network.decode(low, look)
            class_logits = network.classify(scene)
            bin_logits = network.bins(quarter) if network.config.bins else None
        assert half is not None
        first = losses.regression(half, F.avg_pool2d(ab, 2))
        second = torch.zeros(())
        if bin_logits is not None:
            codes = (F.avg_pool2d(ab, 4) + 128).round().clamp(0, 255).long()
            second = losses.bins(bin_logits, codes[:, 0] * 256 + codes[:, 1], self.table, self.weight)
        return first, second, losses.scene(class_logits, labels)

    def run(self, report: Callable[[Progress], None], stop: Callable[[], bool] = lambda: False) -> None:
        """Train to the recipe's end. `report` gets a line every 50 steps; `stop` is asked between steps."""
        budget = 60 * self.recipe.minutes
        generator = torch.Generator().manual_seed(self.recipe.seed + self.step)
        started, base, saved = time.monotonic(), self.seconds, time.monotonic()
        sums, waited, since, counted, first_step = torch.zeros(3), 0.0, time.monotonic(), 0, self.step
        batches = _ahead(self._batches(lambda: (base + time.monotonic() - started) / budget))
        self.network.train()
        while self.seconds < budget and not stop():
            asked = time.monotonic()
            planes, labels = next(batches)
            waited += time.monotonic() - asked
            share = self.seconds / budget
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.rate_at(share)
            terms = self._losses(planes, labels, generator)
            weights = self.recipe.loss
            total = weights.regression * terms[0] + weights.bins * terms[1] + weights.scene * terms[2]
            self.optimizer.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimizer.step()
            self.average.update_parameters(self.network)
            self.step += 1
            self.samples += len(planes)
            counted += len(planes)
            sums += torch.stack([t.detach() for t in terms])
            now = time.monotonic()
            self.seconds = base + now - started
            if self.step % 50 == 0:
                if not torch.isfinite(sums).all():
                    raise TrainingError(
                        f"the loss is not a number at step {self.step}; lower the rate ({self.recipe.rate})"
                    )
                first, second, third = (sums / (self.step - first_step)).tolist()
                line = Progress(
                    step=self.step,
                    samples=self.samples,
                    minutes=self.seconds / 60,
                    share=share,
                    side=planes.shape[-1],
                    rate=self.recipe.rate_at(share),
                    regression=first,
                    bins=second,
                    scene=third,
                    samples_per_second=counted / (now - since),
                    waiting=waited / (now - since),
                )
                report(line)
                sums, waited, since, counted, first_step = torch.zeros(3), 0.0, now, 0, self.step
            if self.checkpoint is not None and now - saved > 180:
                self.save_checkpoint()
                saved = now
        if self.checkpoint is not None:
            self.save_checkpoint()

    def _batches(self, share: Callable[[], float]) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng([self.recipe.seed, self.step])
        while True:
            side, batch = stage_at(min(1.0, share()))
            yield crops(self.pictures, side, batch, rng)

    def _identity(self) -> str:
        return json.dumps([asdict(self.network.config), asdict(self.recipe), len(self.pictures)])

    def save_checkpoint(self) -> None:
        """Write everything a resumed run needs; whole or not at all."""
        assert self.checkpoint is not None
        state: dict[str, Any] = {
            "identity": self._identity(),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "samples": self.samples,
            "seconds": self.seconds,
        }
        part = self.checkpoint.with_name(self.checkpoint.name + ".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

    def _restore(self, path: Path) -> None:
        try:
            state = torch.load(path, weights_only=True)
        except Exception as error:
            raise TrainingError(
                f"{path}: not a checkpoint that can be read ({error}); remove it to start anew"
            ) from error
        if not isinstance(state, dict) or state.get("identity") != self._identity():
            raise TrainingError(
                f"{path}: a checkpoint of another run (data or recipe differ); remove it or name another"
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.samples, self.seconds = state["step"], state["samples"], state["seconds"]


def _ahead(batches: Iterator[tuple[Tensor, Tensor]], depth: int = 4) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches made one thread ahead of the network; the thread ends when the reader goes away."""
    ready: queue.Queue[tuple[Tensor, Tensor]] = queue.Queue(depth)
    done = threading.Event()

    def work() -> None:
        for batch in batches:
            while not done.is_set():
                try:
                    ready.put(batch, timeout=0.2)
                    break
                except queue.Full:
                    continue
            if done.is_set():
                return

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            yield ready.get()
    finally:
        done.set()
