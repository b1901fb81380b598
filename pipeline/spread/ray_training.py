"""Training on a Ray cluster, by Ray Train: it starts the workers, joins them and restarts the run when one is lost."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from colorizer.basis.errors import ColorizeError, TrainingError
from colorizer.basis.installing import install
from colorizer.networks.protocol import Config, Network
from colorizer.training.dataset import Pictures
from colorizer.training.recipe import Recipe
from colorizer.training.training import Progress, Trainer
from pipeline.spread.cluster import connect, leave

STATE = "run.checkpoint"
EVERY = 10
"""Lines of the log per checkpoint."""


@dataclass(frozen=True, slots=True)
class Run:
    """What every worker is told.

    load: returns the pictures, on the worker's machine. start: as `Trainer`'s. plant: gives what `Trainer` takes for
    these pictures, on the worker's machine.
    """

    config: Config
    recipe: Recipe
    load: Callable[[], Pictures]
    start: Network | None = None
    plant: Callable[[Pictures], Callable[[Network], np.ndarray]] | None = None


def fit(
    address: str,
    run: Run,
    storage: str,
    name: str,
    report: Callable[[Progress], None],
    retries: int = 3,
    temp: Path | None = None,
) -> Path:
    """Train on a cluster, a worker per part of the recipe; the finished run's checkpoint, for `Trainer` to read.

    address: "local" starts a cluster of this process's own. storage: folder or URI that every node and this process
    reach; under `name` in it the run keeps its checkpoints, and the same call goes on from the last one. retries: how
    often a run that lost a worker is taken up again. Raises TrainingError.
    """
    try:
        import ray
        from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
        from ray.util.queue import Queue
    except ImportError as error:
        raise TrainingError(f"training on a cluster needs Ray Train: {install('train')}") from error
    workers = run.recipe.parts
    mine = not ray.is_initialized()
    if mine:
        connect(ray, address, workers, temp)
    try:
        channel = _Channel(Queue(actor_options={"num_cpus": 0}), report)
        trainer = TorchTrainer(
            _work,
            train_loop_config={"run": run, "channel": channel.queue},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=ray.cluster_resources().get("GPU", 0) >= workers),
            run_config=RunConfig(
                name=name,
                storage_path=storage,
                failure_config=FailureConfig(max_failures=retries),
                checkpoint_config=CheckpointConfig(num_to_keep=2),
            ),
        )
        with channel:
            try:
                result = trainer.fit()
            except Exception as error:  # Ray wraps a worker's error in types of its own
                why = channel.drain() or _first_line(error)
                raise TrainingError(f"the run on the cluster failed: {why}") from error
        if result.checkpoint is None:
            raise TrainingError(f"the run on the cluster left no checkpoint in {storage}/{name}")
        kept = Path(tempfile.mkstemp(suffix=".checkpoint")[1])
        with result.checkpoint.as_directory() as folder:
            shutil.copyfile(Path(folder) / STATE, kept)
        return kept
    finally:
        if mine:
            leave(ray)


class _Channel:
    """What the workers say while the run goes on: lines of the log, and why it failed."""

    def __init__(self, queue: Any, report: Callable[[Progress], None]) -> None:
        self.queue, self.report = queue, report
        self._why, self._over = "", threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self.drain()

    def _listen(self) -> None:
        while not self._over.wait(0.5):
            self._take()
        self._take()

    def _take(self) -> None:
        for message in self.queue.get_nowait_batch(self.queue.qsize()):
            if isinstance(message, Progress):
                self.report(message)
            else:
                self._why = message

    def drain(self) -> str:
        """Hear what is left to be heard; why the run failed, if a worker said so."""
        self._over.set()
        self._thread.join()
        return self._why


def _work(settings: dict[str, Any]) -> None:
    """One worker: Ray Train has set up torch.distributed around it."""
    import ray.train
    from ray.train.torch import get_device

    run: Run = settings["run"]
    try:
        pictures = run.load()
        plant = run.plant(pictures) if run.plant is not None else None
        trainer = Trainer(run.config, pictures, run.recipe, device=get_device(), start=run.start, plant=plant)
    except ColorizeError as error:
        settings["channel"].put(str(error))
        raise
    last = ray.train.get_checkpoint()
    if last is not None:
        with last.as_directory() as folder:
            trainer.restore(Path(folder) / STATE)
    lines = 0

    def keep(metrics: dict[str, Any]) -> None:
        """Report with a checkpoint; every worker calls this at the same step, the first one has the file."""
        with tempfile.TemporaryDirectory() as folder:
            found = None
            if trainer.rank == 0:
                trainer.save_checkpoint(Path(folder) / STATE)
                found = ray.train.Checkpoint.from_directory(folder)
            ray.train.report(metrics, checkpoint=found)

    def line(progress: Progress) -> None:
        nonlocal lines
        lines += 1
        if trainer.rank == 0:
            settings["channel"].put(progress)
        if lines % EVERY:
            ray.train.report(asdict(progress))
        else:
            keep(asdict(progress))

    trainer.run(line)
    keep({"finished": True})


def _first_line(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
