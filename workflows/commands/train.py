"""`chromatheque train`: color pictures in, a weights file out."""

from __future__ import annotations

import ctypes
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorizer.painting.processor import processor_name
from pipeline.values.words import counted
from workflows.terminal import stopping
from workflows.terminal.arguments import WeightsFile
from workflows.terminal.loading import loading
from workflows.terminal.options import PROGRESS, Named, Real

if TYPE_CHECKING:
    import numpy as np

    from colorizer.networks.protocol import Config, Network
    from colorizer.networks.weights_file import Weights
    from colorizer.training.dataset import Pictures
    from colorizer.training.recipe import Recipe
    from colorizer.training.training import Trainer


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--out", required=True, type=Named(path_type=Path), help="Weights file to write (.safetensors).")
@click.option("--minutes", type=Real(0, min_open=True), help="Wall time of the run, resumed ones included. [60]")
@click.option(
    "--samples",
    type=click.IntRange(1, 10**12),
    help="Pictures to see instead: the same run on every start. [60 minutes]",
)
@click.option(
    "--architecture", type=click.Choice(["iizuka2016", "lite"]), default="iizuka2016", show_default=True,
    help="lite: painting and look over a pretrained encoder; better with fewer pictures, and smaller.",
)  # fmt: skip
@click.option(
    "--encoder", type=Named(exists=True, dir_okay=False, path_type=Path),
    help="The encoder's file, for lite. [of the package that extra train brings]",
)  # fmt: skip
@click.option(
    "--recipe", "kind", type=click.Choice(["modern", "paper"]), default="modern", show_default=True,
    help="paper: as published in 2016 (ADADELTA, 224 px crops, regression, flatten head unless --mean-head).",
)  # fmt: skip
@click.option(
    "--width", type=Real(0.05, 2), default=0.5, show_default=True,
    help="Factor on every channel count: 1 is the published network, 0.5 four times as quick.",
)  # fmt: skip
@click.option("--mean-head", is_flag=True, help="With the paper's recipe: the head that takes any size.")
@click.option(
    "--objective", type=click.Choice(["both", "regression", "bins"]), default="both", show_default=True,
    help="What is painted with: means of color, 313 classes of color (both are then learnt), or both mixed.",
)  # fmt: skip
@click.option("--mix", type=Real(0, 1), default=0.5, show_default=True, help="Share of the bins in what is painted.")
@click.option(
    "--temperature", type=Real(0.05, 1), default=0.38, show_default=True,
    help="Of the bins: lower is livelier and blotchier.",
)  # fmt: skip
@click.option("--rate", type=Real(0, min_open=True), help="Peak learning rate. [2e-3; paper 1]")
@click.option(
    "--batch-factor", type=click.IntRange(1, 1024), default=1, show_default=True,
    help="So many times the recipe's batches: 4 to 8 keep a large GPU busy; raise --rate a little with it.",
)  # fmt: skip
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Of all that is drawn by chance."
)
@click.option(
    "--start",
    "begin",
    metavar="WEIGHTS",
    type=WeightsFile(),
    help="Begin from these, as wide or narrower [anew].",
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to train."
)
@click.option("--ray", "address", metavar="local|ADDRESS", help="Train on a Ray cluster (needs --samples) [here].")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 4096), help="Of the cluster; a GPU each."
)
@click.option("--storage", help="Folder or URI that all nodes reach, for the cluster's checkpoints. [beside OUT]")
@click.option("--validation", type=Named(exists=True, path_type=Path), help="Measure on this, for the card [none].")
@click.option(
    "--sheet-every", default=0.0, show_default=True, type=Real(0),
    help="Minutes between sample sheets (OUT.png), 0: none.",
)  # fmt: skip
@click.option("--rights", default="not stated", show_default=True, help="Rights of the pictures, for the model card.")
@click.option("--cache", type=Named(path_type=Path), help="Converted pictures go here. [~/.cache/chromatheque]")
@click.option("--checkpoint", type=Named(path_type=Path), help="Resumes from here if it exists. [OUT.checkpoint]")
@click.option("--log", type=Named(path_type=Path), help="JSON lines, one per 50 steps. [OUT.log]")
@PROGRESS
def train(out: Path, data: tuple[str, ...], **options: Any) -> None:
    """Train weights on DATA: tar shards, or folders of class-named sub-folders.

    DATA=3 after a path draws its pictures three times as often as the others'. Pictures in no folder, or in
    _unlabelled, teach color only. Gray, tinted and tiny pictures are dropped and counted.

    Stop it with Ctrl-C at any time; run it again to continue.

    Example: chromatheque train pictures/ --out mine.safetensors --minutes 600
    """
    if out.suffix != ".safetensors":
        raise click.UsageError(f"--out {out}: weights files end in .safetensors")
    if options["minutes"] and options["samples"]:
        raise click.UsageError("--minutes or --samples, not both")
    if options["address"] and not options["samples"]:
        raise click.UsageError("--ray needs --samples: the clocks of several machines do not agree on a budget")
    if options["workers"] > 1 and not options["address"]:
        raise click.UsageError("--workers needs --ray (local for this machine)")
    if options["mean_head"] and options["kind"] != "paper":
        raise click.UsageError("--mean-head belongs to --recipe paper; the modern recipe has that head anyway")
    if options["kind"] == "paper" and options["objective"] == "bins":
        raise click.UsageError("--recipe paper learns means of color; it has no --objective bins")
    if options["architecture"] == "lite" and options["kind"] == "paper":
        raise click.UsageError("--recipe paper is that of iizuka2016, not of --architecture lite")
    if options["encoder"] and options["architecture"] != "lite":
        raise click.UsageError("--encoder belongs to --architecture lite")
    paths, shares = zip(*map(_source, data), strict=True)
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"{path}: no such folder or shard")
    _keep_freed_memory()
    with loading(options["progress"]):
        import torch

    from colorizer.networks import weights_file as weights

    if options["device"] == "cuda" and not torch.cuda.is_available():
        raise click.UsageError("--device cuda: torch sees no GPU here; chromatheque doctor says why")
    _check_writable(out, options)
    start = weights.load(options["begin"]) if options["begin"] else None
    if start is not None and start.config.architecture != options["architecture"]:
        raise click.UsageError(f"--start {options['begin']}: of {start.config.architecture}; give --architecture too")
    recipe, config = _recipe(options), _config(options, start)
    load = _loader(paths, shares, options["cache"], recipe.side, start)
    pictures = load()
    dropped = ", ".join(f"{n} {why}" for why, n in pictures.dropped.items()) or "none"
    click.echo(
        f"{counted(len(pictures), 'picture')}, {len(pictures.classes)} scene classes, dropped: {dropped}", err=True
    )
    plant = _planter(options) if options["architecture"] == "lite" else None
    make = _on_cluster if options["address"] else _here
    trainer = make(out, options, recipe, config, load, pictures, start, plant, list(paths))
    _write(out, options, trainer, list(paths), start)


def _check_writable(out: Path, options: dict[str, Any]) -> None:
    """Find out before hours of work whether what they make can be written."""
    from pipeline.storage.atomic import writable

    for path in (out, options["checkpoint"], options["log"], options["cache"]):
        if path is not None:
            folder = path if path is options["cache"] else path.parent
            with writable(path):
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()


def _source(argument: str) -> tuple[Path, float]:
    """PATH or PATH=WEIGHT."""
    path, equals, weight = argument.rpartition("=")
    if not equals or Path(argument).exists():
        return Path(argument), 1.0
    try:
        value = float(weight)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise click.UsageError(f"{argument}: after = comes how often to draw, a number above 0, not {weight!r}")
    return Path(path), value


def _recipe(options: dict[str, Any]) -> Recipe:
    from colorizer.training.recipe import LITE, PAPER, PROGRESSIVE, Recipe

    given: dict[str, Any] = dict(PAPER) if options["kind"] == "paper" else {}
    if options["architecture"] == "lite":
        given = dict(LITE)
    given |= {"seed": options["seed"], "parts": options["workers"], "samples": options["samples"] or 0}
    if not options["samples"]:
        given["minutes"] = options["minutes"] or 60.0
    if options["rate"]:
        given["rate"] = options["rate"]
    stages = given.get("stages", PROGRESSIVE)
    given["stages"] = tuple(replace(stage, batch=stage.batch * options["batch_factor"]) for stage in stages)
    return Recipe(**given)


def _config(options: dict[str, Any], start: Weights | None) -> Config:
    from colorizer.networks.iizuka2016 import Iizuka2016Config
    from colorizer.networks.lite import LiteConfig

    bins = 0 if options["objective"] == "regression" else 313
    if options["architecture"] == "lite":
        return LiteConfig(bins=bins, output="mixed" if bins else "regression")
    if start is not None:  # whatever it begins from decides what it is
        return replace(start.config, width=options["width"], norm=True)
    if options["kind"] == "paper":
        head = {"head": "mean"} if options["mean_head"] else {"head": "flatten"}
        return Iizuka2016Config(width=options["width"], look_size=224, **head)  # type: ignore[arg-type]
    return Iizuka2016Config(width=options["width"], head="mean", look_size=128, bins=bins)


def _loader(
    paths: Sequence[Path], shares: Sequence[float], cache: Path | None, side: int, start: Weights | None
) -> Callable[[], Pictures]:
    """A function that gives the pictures, here or on a node of a cluster."""
    from colorizer.training import dataset
    from pipeline.storage.cache import cache_folder

    sources = [path.absolute() for path in paths]
    home = cache or cache_folder()
    classes = start.classes if start is not None else None
    return lambda: dataset.load(sources, home.absolute(), classes, side, shares)


Plant = Callable[["Pictures"], Callable[["Network"], "np.ndarray"]]
"""For pictures, what puts an encoder into a network and finds their gists."""


def _planter(options: dict[str, Any]) -> Plant:
    from colorizer.networks.lite import Lite
    from colorizer.training import encoder, gists
    from pipeline.storage.cache import cache_folder

    path = options["encoder"] or encoder.packaged()
    read = encoder.read_encoder(path)
    home = options["cache"] or cache_folder()

    def planter(pictures: Pictures) -> Callable[[Network], np.ndarray]:
        def plant(network: Network) -> np.ndarray:
            assert isinstance(network, Lite)
            encoder.plant(network, read)
            return gists.find(network, pictures, home.absolute(), partial(_looked, len(pictures)))

        return plant

    return planter


def _looked(of: int, done: int) -> None:
    click.echo(f"looking at the pictures, once: {done} of {of}", err=True)


def _here(
    out: Path, options: dict[str, Any], recipe: Recipe, config: Config, load: Callable[[], Pictures],
    pictures: Pictures, start: Weights | None, plant: Plant | None, sources: list[Path],
) -> Trainer:  # fmt: skip
    import torch

    from colorizer.training.training import Trainer
    from workflows.terminal.training_watch import Watch

    device = options["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    checkpoint = options["checkpoint"] or out.with_name(out.name + ".checkpoint")
    begin = start.network() if start else None
    trainer = Trainer(config, pictures, recipe, checkpoint, device, begin, plant(pictures) if plant else None)
    if trainer.step:
        click.echo(f"resuming at step {trainer.step}, after {trainer.seconds / 60:.1f} minutes", err=True)
    log = options["log"] or out.with_name(out.name + ".log")
    shown = [options["validation"]] if options["validation"] else sources
    draw = partial(_draw, out, trainer, options, shown)
    with _interrupts() as stopped, Watch(log, options["progress"], options["sheet_every"], draw) as watch:
        trainer.run(watch, stop=lambda: bool(stopped))
    if stopped:
        click.echo(f"Stopped; {checkpoint} holds the run. Run it again to continue.", err=True)
        raise click.exceptions.Exit(130)
    return trainer


def _on_cluster(
    out: Path, options: dict[str, Any], recipe: Recipe, config: Config, load: Callable[[], Pictures],
    pictures: Pictures, start: Weights | None, plant: Plant | None, sources: list[Path],
) -> Trainer:  # fmt: skip
    from colorizer.training.training import Trainer
    from pipeline.spread.ray_training import Run, fit
    from workflows.terminal.training_watch import Watch

    storage = options["storage"] or str(out.parent.absolute())
    run = Run(config, recipe, load, start.network() if start else None, plant)
    log = options["log"] or out.with_name(out.name + ".log")
    with Watch(log, options["progress"]) as watch:
        state = fit(options["address"], run, storage, out.stem + "-run", watch)
    try:
        trainer = Trainer(config, pictures, recipe, start=run.start, plant=plant(pictures) if plant else None)
        trainer.restore(state)
    finally:
        state.unlink()
    return trainer


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Ctrl-C and its like inside are remembered, so that the run ends between two steps."""
    stopped: list[int] = []
    heard = [number for number in stopping.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, lambda number, _: stopped.append(number)) for number in heard}
    try:
        yield stopped
    finally:
        for number, former in previous.items():
            signal.signal(number, former)


def _finished(trainer: Trainer, options: dict[str, Any]) -> Network:
    """The network as it would be kept now, painting as the options say."""
    network = trainer.averaged()
    output: Any = {"both": "mixed"}.get(options["objective"], options["objective"])
    if not network.config.bins:
        output = "regression"
    kept = replace(network.config, output=output, temperature=options["temperature"], mix=options["mix"])
    network.config = kept
    return network


def _draw(out: Path, trainer: Trainer, options: dict[str, Any], sources: list[Path]) -> None:
    """A sheet of what the network paints now, OUT.png."""
    from colorizer.networks import weights_file as weights
    from colorizer.painting.colorizer import Colorizer
    from workflows.sheets.gallery import write_gallery

    with tempfile.TemporaryDirectory() as folder:
        now = Path(folder) / out.name
        weights.save(_finished(trainer, options), now, trainer.pictures.classes, {})
        write_gallery(sources, Colorizer(weights.load(now)), out.with_suffix(".png"))


def _write(out: Path, options: dict[str, Any], trainer: Trainer, sources: list[Path], start: Weights | None) -> None:
    """The weights file, with its card."""
    from colorizer.networks import weights_file as weights

    network, classes = _finished(trainer, options), trainer.pictures.classes
    card: dict[str, Any] = {
        "data": [path.name for path in sources], "pictures": len(trainer.pictures), "rights": options["rights"],
        "recipe": asdict(trainer.recipe), "samples": trainer.samples, "minutes": round(trainer.seconds / 60, 1),
        "hardware": hardware(trainer.device.type),
    }  # fmt: skip
    card["architecture"] = network.config.architecture
    if options["architecture"] == "lite":
        from colorizer.training import encoder

        card["encoder"] = {"name": encoder.FILE.rpartition("/")[2], "sha256": encoder.DIGEST}
    if start is not None:
        card["started_from"] = {"name": start.name, "sha256": start.digest, "samples": start.card.get("samples")}
    weights.save(network, out, classes, card)
    click.echo(f"wrote {out}")
    if options["validation"] is not None:
        card |= _measured(network, classes, options["validation"], out)
        weights.save(network, out, classes, card)


def _measured(network: Network, classes: tuple[str, ...], validation: Path, out: Path) -> dict[str, Any]:
    """What the card says of a measurement. The weights are written by then: it may take an hour, and may be stopped."""
    from colorizer.measures import evaluation
    from workflows.terminal.console import show, working
    from workflows.terminal.figures import picture_table

    try:
        with working(f"measuring on {validation}") as say:
            figures = evaluation.evaluate(
                network.folded(), [validation], classes, report=lambda count: say(counted(count, "picture"))
            )
    except KeyboardInterrupt:
        click.echo(f"Stopped; {out} is whole, only its card has no figures: chromatheque evaluate {out}", err=True)
        raise click.exceptions.Exit(stopping.code()) from None
    show(picture_table(figures), stderr=True)
    return {"validation": validation.name, "figures": figures}


def hardware(device: str) -> str:
    """The machine in words, for the card."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{counted(torch.get_num_threads(), 'thread')} of {os.cpu_count()} x {processor_name()}"


def _keep_freed_memory() -> None:
    """Tell glibc to keep what is freed: mapping and unmapping large tensors took half of every step on a CPU."""
    try:
        tune = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return  # another C library
    mmap_max, trim_threshold, top_pad = -4, -1, -2
    tune(mmap_max, 0)
    tune(trim_threshold, 2**31 - 1)
    tune(top_pad, 64 << 20)
