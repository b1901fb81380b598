"""Training, without the command line: pictures in, a network out; a killed run resumes from its checkpoint.

A run with a budget of samples is a function of its recipe, pictures and machine: stopped and resumed anywhere it gives
the same losses and the same weights. Inside an initialized torch.distributed group every worker takes its part of each
batch, and gradients are averaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as group
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from colorizer.basis.atomic import scratch_of, whole
from colorizer.basis.errors import TrainingError
from colorizer.networks import bins as chroma_bins
from colorizer.networks.iizuka2016 import Iizuka2016Config
from colorizer.networks.protocol import Config, Network
from colorizer.training.aging import age
from colorizer.training.batches import Batch, Batches
from colorizer.training.dataset import Pictures
from colorizer.training.objective import Objective
from colorizer.training.recipe import Recipe
from colorizer.training.starting import Example, settle, start_from

EVERY = 50
"""Steps per line of the log."""
SAVED = 180.0
"""Seconds between checkpoints."""
SETTLING = 16
"""Batches that the running statistics of the finished network are measured on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of the log: means since the last one.

    share: of the run. side: of the pictures. regression, bins, scene: the unweighted losses. waiting: share of the
    time in which the network stood still for data.
    """

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


class Trainer:
    """Holds a run: network, optimizer, average, clock. `run` trains until the recipe's budget is spent."""

    def __init__(
        self, config: Config, pictures: Pictures, recipe: Recipe,
        checkpoint: Path | None = None, device: torch.device | str = "cpu", start: Network | None = None,
        plant: Callable[[Network], np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        """start: finished network that a new run begins from. plant: puts a pretrained encoder into a new network and
        returns the gists of all pictures, for a network that has them. Raises TrainingError.
        """
        flatten = isinstance(config, Iizuka2016Config) and config.head == "flatten"
        if flatten and {s.side for s in recipe.stages} != {config.look_size}:
            raise TrainingError(f"the flatten head needs stages of {config.look_size} px; the mean head takes any")
        if any(stage.side % config.grid for stage in recipe.stages):
            raise TrainingError(f"stages of {[s.side for s in recipe.stages]} px: not multiples of {config.grid}")
        if pictures.planes.shape[-1] != recipe.side:
            raise TrainingError(f"the recipe wants {recipe.side} px pictures, not {pictures.planes.shape[-1]}")
        self.rank, self.world = (group.get_rank(), group.get_world_size()) if group.is_initialized() else (0, 1)
        if self.world > 1 and (recipe.parts != self.world or recipe.minutes):
            raise TrainingError(f"{self.world} workers need a recipe in {self.world} parts with a budget of samples")
        torch.manual_seed(recipe.seed)
        self.recipe, self.pictures, self.checkpoint, self.device = recipe, pictures, checkpoint, torch.device(device)
        self.network = replace(config, classes=max(1, len(pictures.classes))).build()
        if config.bins:
            self.network.centers.copy_(chroma_bins.bin_centers())
        gists = plant(self.network) if plant is not None else None
        if gists is None and self.network.gist_length:
            raise TrainingError(f"{config.architecture} starts from a pretrained encoder; none was given")
        self.network.thaw(True)
        self.batches = Batches(pictures, recipe, self.rank, self.world, gists)
        self.started = _digest(start) if start is not None else ""
        resuming = checkpoint is not None and checkpoint.exists()
        if start is not None and not resuming:
            start_from(self.network, start, _together(self._examples(8)))
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        objective = Objective(self.network, recipe, pictures.ab_histogram()).to(self.device)
        self.objective: nn.Module = objective if self.world == 1 else DistributedDataParallel(objective)
        averaging = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=averaging, use_buffers=False)
        self.optimizer = _optimizer(self.network, recipe)
        self.step = self.samples = 0
        self.seconds = 0.0
        self.sums, self.logged = torch.zeros(3, device=self.device), 0  # of the losses since the last logged step
        if checkpoint is not None and resuming:
            self.restore(checkpoint)

    def averaged(self) -> Network:
        """The network to keep: averaged weights, running statistics measured for them. Training may go on."""
        network = self.average.module
        assert isinstance(network, Network)
        settle(network, [_moved(example, self.device) for example in self._examples(SETTLING)])
        return network

    def run(self, report: Callable[[Progress], None], stop: Callable[[], bool] = lambda: False) -> None:
        """Train to the end of the budget. `report` gets a line every EVERY steps; `stop` is asked between steps."""
        meter = _Meter(self.seconds, self.samples)
        threads = 2 if self.device.type == "cpu" else 8
        ahead = self.batches.ahead(self.step, self.samples, lambda: meter.clock() / 60 / self.recipe.minutes, threads)
        saved = time.monotonic()
        self.objective.train()
        with contextlib.closing(ahead) as batches:  # type: ignore[type-var]
            while not self._spent() and not stop():
                with meter.waiting():
                    parts = next(batches)
                share = min(1.0, parts[0].share)
                self.sums += self._learn(parts, share)
                self.step += 1
                self.samples += sum(len(part.planes) for part in parts) * self.world
                self.seconds = meter.clock()
                if self.step % EVERY == 0:
                    report(self._line(meter, share, parts[0].planes.shape[-1]))
                if self.checkpoint is not None and time.monotonic() - saved > SAVED:
                    self.save_checkpoint(self.checkpoint)
                    saved = time.monotonic()
        if self.checkpoint is not None:
            self.save_checkpoint(self.checkpoint)

    def _line(self, meter: _Meter, share: float, side: int) -> Progress:
        """The line of the log that is due. Raises TrainingError if the run has diverged."""
        terms = (self.sums / (self.step - self.logged)).tolist()
        if not all(math.isfinite(term) for term in terms):
            raise TrainingError(f"the loss is not a number at step {self.step}; lower the rate ({self.recipe.rate})")
        spent = time.monotonic() - meter.since
        line = Progress(
            step=self.step, samples=self.samples, minutes=self.seconds / 60, share=share, side=side,
            rate=self.recipe.rate_at(share), regression=terms[0], bins=terms[1], scene=terms[2],
            samples_per_second=(self.samples - meter.samples) / spent, waiting=meter.waited / spent,
        )  # fmt: skip
        self.sums, self.logged = torch.zeros_like(self.sums), self.step
        meter.lap(self.samples)
        return line

    def _spent(self) -> bool:
        recipe = self.recipe
        return self.samples >= recipe.samples if recipe.samples else self.seconds >= 60 * recipe.minutes

    def _learn(self, parts: list[Batch], share: float) -> Tensor:
        """One step of the optimizer; the terms of the loss, on the device."""
        part_of_rate = self.recipe.encoder_rate(share)
        for settings in self.optimizer.param_groups:
            settings["lr"] = self.recipe.rate_at(share) * (part_of_rate if settings["pretrained"] else 1.0)
        # workers wait for every gradient that was promised at the start, so there a frozen encoder only stands still
        self.network.thaw(self.world > 1 or part_of_rate > 0)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.recipe.loss
        weights = torch.tensor([loss.regression, loss.bins, loss.scene], device=self.device)
        sums = torch.zeros(3, device=self.device)
        for number, part in enumerate(parts, self.rank):
            planes, labels, gists = (
                None if t is None else t.to(self.device, non_blocking=True)
                for t in (part.planes, part.labels, part.gists)
            )
            seed = (self.recipe.seed * 1_000_003 + self.step) * 64 + number
            terms = self.objective(planes, labels, seed, gists)
            ((terms * weights).sum() / len(parts)).backward()
            sums += terms.detach() / len(parts)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        return sums

    def _examples(self, count: int) -> list[Example]:
        """Gray inputs as the last stage sees them, (B, 1, side, side), and gists; from steps that no run reaches."""
        stage = self.recipe.stages[-1]
        made = []
        for number in range(count):
            plain = Batches(self.pictures, replace(self.recipe, parts=1), gists=self.batches.gists)
            batch = plain.parts(2**40 + number, number * stage.batch, stage, 1.0)[0]
            planes = batch.planes.float() / 255
            generator = torch.Generator().manual_seed(number)
            made.append((age(planes[:, :1], planes[:, 3:], self.recipe.aged, generator), batch.gists))
        return made

    # --- checkpoints

    def _identity(self) -> str:
        labels = hashlib.sha256(self.pictures.labels.tobytes()).hexdigest()[:16]
        pictures = [len(self.pictures), self.pictures.shares, labels]
        return json.dumps([asdict(self.network.config), asdict(self.recipe), pictures, self.started])

    def save_checkpoint(self, path: Path) -> None:
        """Write everything a resumed run needs; whole or not at all."""
        state: dict[str, Any] = {
            "identity": self._identity(), "network": self.network.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "step": self.step, "samples": self.samples,
            "seconds": self.seconds, "sums": self.sums, "logged": self.logged,
        }  # fmt: skip
        with whole(path, scratch_of(path, "")) as part:
            torch.save(state, part)

    def restore(self, path: Path) -> None:
        """Go on where a checkpoint of this run stopped. Raises TrainingError if it is of another run, or damaged."""
        try:
            state = torch.load(path, weights_only=True, map_location="cpu")
        except Exception as error:
            raise TrainingError(
                f"{path}: not a checkpoint that can be read ({error}); remove it to start anew"
            ) from error
        if not isinstance(state, dict) or state.get("identity") != self._identity():
            raise TrainingError(
                f"{path}: a checkpoint of another run (data, recipe, network or start differ); "
                "remove it or name another"
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.samples, self.seconds = state["step"], state["samples"], state["seconds"]
        self.sums, self.logged = state["sums"].to(self.device), state["logged"]


def _digest(network: Network) -> str:
    """Of a network's numbers: a run that began elsewhere is another run."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.float().numpy().tobytes())
    return digest.hexdigest()[:16]


def _together(examples: list[Example]) -> Example:
    """One example of several; pictures that are only classified are left out."""
    gists = [gist[: len(luma)] for luma, gist in examples if gist is not None]
    return torch.cat([luma for luma, _ in examples]), torch.cat(gists) if gists else None


def _moved(example: Example, device: torch.device) -> Example:
    luma, gist = example
    return luma.to(device), None if gist is None else gist.to(device)


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """Of what may learn; a pretrained encoder in a group of its own, which does not decay."""
    pretrained = network.encoder()
    theirs = {id(parameter) for parameter in pretrained}
    ours = [p for p in network.parameters() if p.requires_grad and id(p) not in theirs]
    groups: list[dict[str, Any]] = [{"params": ours, "pretrained": False}]
    if pretrained:
        groups.append({"params": pretrained, "pretrained": True, "weight_decay": 0.0})
    if recipe.optimizer == "adadelta":
        return torch.optim.Adadelta(groups, lr=recipe.rate, rho=0.9, eps=1e-6)
    return torch.optim.AdamW(groups, lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.99), fused=True)


class _Meter:
    """The run's clock, and what the time since the last line of the log went into."""

    def __init__(self, seconds: float, samples: int) -> None:
        self.base, self.started = seconds, time.monotonic()
        self.lap(samples)

    def lap(self, samples: int) -> None:
        """Start to measure anew."""
        self.since, self.waited, self.samples = time.monotonic(), 0.0, samples

    def clock(self) -> float:
        """Seconds that the run has taken, over all its sessions."""
        return self.base + time.monotonic() - self.started

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Time spent inside is time without data."""
        asked = time.monotonic()
        yield
        self.waited += time.monotonic() - asked
