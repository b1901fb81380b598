"""`chromatheque reel`: a film reel in, a colored film reel out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from colorizer.networks.shipped import DEFAULT_WEIGHTS
from pipeline.containers.profiles import PROFILES
from workflows.terminal.options import Local, WorkingSize


class Rate(click.ParamType):
    """Pictures per second, 24 or 24000/1001."""

    name = "RATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            rate = Fraction(value)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a rate; write 18, 23.976 or 24000/1001", param, ctx)
        if not 0 < rate <= 1000:
            self.fail(f"{value!r} is not a rate between 0 and 1000", param, ctx)
        return rate


def check_time(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse what `piece.seconds` would not read, before any work."""
    from pipeline.reels.piece import seconds

    if value:
        try:
            seconds(value, Fraction(24))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error
    return value


@click.command()
@click.argument("source", metavar="IN", type=Local())
@click.argument("out", metavar="OUT", type=Local(dir_okay=False, path_type=Path))
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help="Output format [by OUT's suffix].",
)
@click.option("--weights", default=DEFAULT_WEIGHTS, show_default=True, help="Shipped name or .safetensors file.")
@click.option("--working-size", type=WorkingSize(), help="Shorter side at which the network sees the picture.")
@click.option(
    "--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="auto", show_default=True,
    help="Numbers the network computes with; auto: bf16 where the processor has it.",
)  # fmt: skip
@click.option(
    "--looks",
    type=click.Choice(["per-shot", "per-frame"]),
    default="per-shot",
    show_default=True,
    help="One look for all frames of a shot, or (for comparison) one for each frame.",
)
@click.option("--ray", default="none", show_default=True, metavar="none|local|ADDRESS", help="Paint on Ray workers.")
@click.option("--workers", type=click.IntRange(1, 4096), default=1, show_default=True, help="Ray workers.")
@click.option(
    "--job",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep plan and segments here [OUT.job, removed].",
)
@click.option("--overwrite", is_flag=True, help="Replace an OUT that some other job made.")
@click.option(
    "--progress", type=click.Choice(["auto", "bar", "json", "none"]), default="auto", show_default=True,
    help="Bars for people, JSON lines for programs.",
)  # fmt: skip
@click.option(
    "--start",
    default="",
    callback=check_time,
    help="Begin here: seconds, MM:SS, HH:MM:SS.sss or HH:MM:SS:FF.",
)
@click.option("--stop", default="", callback=check_time, help="End before here; with --start, a test piece.")
@click.option("--rate", type=Rate(), help="Pictures per second of an image sequence [24].")
def reel(
    source: str, out: Path, profile: str | None, weights: str, working_size: int | None, precision: Any, looks: Any,
    ray: str, workers: int, job: Path | None, overwrite: bool, progress: str, start: str, stop: str,
    rate: Fraction | None,
) -> None:  # fmt: skip
    """Color the film reel IN and write OUT.

    IN is a video file, or an image sequence named like frames/%06d.dpx. OUT's suffix picks the format: .mkv archive
    (FFV1, luminance bit for bit), .mov mezzanine (ProRes 422 HQ), .mp4 access (H.264), .webm AV1, .mxf DNxHR.
    --profile picks another: hevc (H.265; .mp4, .mkv, .mov), av1 (.mkv, .webm, .mp4), dnxhr (.mov, .mxf). Sound,
    subtitles, time code and tags are carried over; OUT.json tells everything. Stop it at any time; run it again to
    continue.

    Example: chromatheque reel newsreel.mov newsreel.mkv
    """
    from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
    from pipeline.jobs.reel_job import ReelChoices, ReelJob
    from pipeline.values.events import Finished
    from workflows.terminal.listeners import listener_for

    if workers > 1 and ray == "none":
        raise click.UsageError("--workers needs --ray (local for this machine)")
    size = DEFAULT_WORKING_SIZE if working_size is None else working_size
    choices = ReelChoices(
        profile=profile, weights=weights, working_size=size, precision=precision, looks=looks, ray=ray, workers=workers,
        start=start, stop=stop, rate=rate, overwrite=overwrite,
    )  # fmt: skip
    with listener_for(progress) as listener:
        work = ReelJob(source, out, choices, job, listener)
        try:
            result = work.color()
        except KeyboardInterrupt:
            done, total = work.progress()
            kept = f"{done} of {total} segments are safe in {work.folder}. " if total else ""
            click.echo(f"Stopped. {kept}Run it again to continue.", err=True)
            raise click.exceptions.Exit(130) from None
    if progress == "json":
        listener(Finished(str(out), result.already, result.painted, tuple(result.lost)))
    elif result.plan is None:
        click.echo(f"{out} is finished already; nothing to do.")
    else:
        for what in result.lost:
            click.echo(f"not carried over: {what}", err=True)
        frames, shots = len(result.plan.pts), len(result.plan.shots)
        counted = f"{frames} frames in {shots} shot{'s' * (shots != 1)}"
        harm = len(result.plan.damaged_frames)
        damage = f", {harm} of them damaged in the source" if harm else ""
        click.echo(f"{out}: {counted}{damage}, verified; details are in {out}.json")
