"""`chromatheque train`: color pictures in, a weights file out."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Weights file to write (.safetensors).")
@click.option(
    "--minutes",
    default=60.0,
    show_default=True,
    help="Wall time of the whole run, resumed sessions included.",
)
@click.option("--width", default=0.5, show_default=True, help="Factor on every channel count of the network.")
@click.option("--rate", default=2e-3, show_default=True, help="Peak learning rate.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--output",
    type=click.Choice(["mixed", "bins", "regression"]),
    default="mixed",
    show_default=True,
    help="The head that paints; both are trained, mixed reads both.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0.05, 1),
    default=0.38,
    show_default=True,
    help="Of the bins: lower is livelier and blotchier.",
)
@click.option(
    "--mix", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Share of the bins when mixed."
)
@click.option(
    "--validation", type=click.Path(exists=True, path_type=Path), help="Measure on this and put it on the card."
)
@click.option("--rights", default="not stated", help="Rights of the pictures, for the model card.")
@click.option("--cache", type=click.Path(path_type=Path), help="Converted pictures go here [~/.cache/chromatheque].")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Resumes from here if it exists [OUT.checkpoint].")
@click.option("--log", type=click.Path(path_type=Path), help="JSON lines, one per 50 steps [OUT.log].")
def train(
    data: tuple[Path, ...], out: Path, minutes: float, width: float, rate: float, seed: int, output: Any,
    temperature: float, mix: float, validation: Path | None, rights: str, cache: Path | None,
    checkpoint: Path | None, log: Path | None,
) -> None:  # fmt: skip
    """Train weights on DATA: tar shards, or folders of class-named sub-folders.

    Stop it with Ctrl-C at any time; the same command goes on where it stopped.

    Example: chromatheque train pictures/ --out mine.safetensors --minutes 600
    """
    from colorizer import dataset, evaluation, weights
    from colorizer.network import NetworkConfig
    from colorizer.training import Progress, Recipe, Trainer

    if out.suffix != ".safetensors":
        raise click.UsageError(f"--out {out}: weights files end in .safetensors")
    out.parent.mkdir(parents=True, exist_ok=True)
    pictures = dataset.load(list(data), cache or Path.home() / ".cache" / "chromatheque")
    click.echo(
        f"{len(pictures)} pictures, {len(pictures.classes)} scene classes, dropped: {pictures.dropped or 'none'}"
    )
    config = NetworkConfig(width=width, head="mean", look_size=128, bins=313)
    recipe = Recipe(minutes=minutes, seed=seed, rate=rate)
    checkpoint = checkpoint or out.with_name(out.name + ".checkpoint")
    trainer = Trainer(config, pictures, recipe, checkpoint)
    if trainer.step:
        click.echo(f"resuming at step {trainer.step}, {trainer.seconds / 60:.1f} of {minutes:g} minutes spent")
    stopped: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    path = log or out.with_name(out.name + ".log")

    def report(progress: Progress) -> None:
        with path.open("a") as lines:
            lines.write(json.dumps({"time": time.time(), **asdict(progress)}) + "\n")
        click.echo(
            f"{progress.share:6.1%}  {progress.samples:>8} pictures  {progress.side} px  "
            f"{progress.samples_per_second:.0f}/s ({progress.waiting:.0%} waiting)  "
            f"chroma {progress.regression:.5f}  bins {progress.bins:.3f}  scene {progress.scene:.3f}"
        )

    try:
        trainer.run(report, stop=lambda: bool(stopped))
    finally:
        signal.signal(signal.SIGINT, previous)
    if stopped:
        click.echo(f"Stopped; {checkpoint} holds the run. The same command goes on.")
        raise click.exceptions.Exit(130)
    network = trainer.averaged()
    network.config = replace(network.config, output=output, temperature=temperature, mix=mix)
    card: dict[str, Any] = {
        "data": [path.name for path in data], "pictures": len(pictures), "rights": rights, "recipe": asdict(recipe),
        "samples": trainer.samples, "minutes": round(trainer.seconds / 60, 1),
    }  # fmt: skip
    if validation is not None:
        click.echo(f"measuring on {validation} ...")
        card["validation"] = validation.name
        card["figures"] = evaluation.evaluate(network.folded(), [validation], pictures.classes)
        for name, value in card["figures"].items():
            click.echo(f"{name:<20} {value}")
    weights.save(network, out, pictures.classes, card)
    click.echo(f"wrote {out}")
