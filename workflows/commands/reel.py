"""`chromatheque reel`: a film reel in, a colored film reel out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.containers.profiles import PROFILES
from pipeline.values.words import counted
from workflows.terminal.arguments import OneFile, check_reel, still_note
from workflows.terminal.loading import loading
from workflows.terminal.options import (
    INVERT,
    OVERWRITE,
    PRECISION,
    PROGRESS,
    RAY,
    SHEET,
    WEIGHTS,
    WORKERS,
    Bytes,
    Local,
    Named,
    Rate,
    WorkingSize,
    check_workers,
)
from workflows.terminal.plain import say

if TYPE_CHECKING:
    from pipeline.reels.plan import Plan


def check_time(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse what `piece.seconds` would not read, before any work."""
    from pipeline.values.choices import seconds

    if value:
        try:
            seconds(value, Fraction(24))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error
    return value


@click.command(cls=OneFile)
@click.argument("source", metavar="IN", type=Local())
@click.argument("out", metavar="OUT", type=Local(dir_okay=False, path_type=Path))
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help="Output format [by OUT's suffix].",
)
@WEIGHTS
@click.option("--working-size", type=WorkingSize(), help="Shorter side at which the network sees the picture. [192]")
@PRECISION
@click.option(
    "--looks",
    type=click.Choice(["per-shot", "per-frame"]),
    default="per-shot",
    show_default=True,
    help="One look for all frames of a shot, or (for comparison) one for each frame.",
)
@click.option(
    "--color-shots",
    type=click.Choice(["keep", "recolor"]),
    default="keep",
    show_default=True,
    help="Shots in color within a black-and-white reel: keep their colors, or paint them too.",
)
@INVERT
@click.option(
    "--memory", type=Bytes(), default="0", show_default="any", help="Memory limit; fewer frames at once if it asks."
)
@RAY
@WORKERS
@click.option(
    "--job",
    type=Named(file_okay=False, path_type=Path),
    help="Keep plan and segments here [OUT.job, removed].",
)
@OVERWRITE
@SHEET
@PROGRESS
@click.option(
    "--start",
    default="",
    callback=check_time,
    help="Begin here: seconds, MM:SS, HH:MM:SS.sss or HH:MM:SS:FF [its beginning].",
)
@click.option("--stop", default="", callback=check_time, help="End before here; with --start, a test piece [its end].")
@click.option("--dry-run", is_flag=True, help="Look at the file, print what a run would take, and do nothing.")
@click.option("--rate", type=Rate(), help="Pictures per second of an image sequence [what DPX says, else 24].")
def reel(
    source: str, out: Path, profile: str | None, weights: str, working_size: int | None, precision: Any, looks: Any,
    color_shots: Any, ray: str, workers: int, job: Path | None, overwrite: bool, sheet: bool | None, progress: str,
    start: str, stop: str, rate: Fraction | None, memory: int, invert: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Color the film reel IN and write OUT.

    IN is a video file, or an image sequence named like frames/%06d.dpx. OUT's suffix picks the format: .mkv archive
    (FFV1, luminance bit for bit), .mov mezzanine (ProRes 422 HQ), .mp4 access (H.264), .webm AV1, .mxf DNxHR.
    --profile picks another: hevc (H.265; .mp4, .mkv, .mov), av1 (.mkv, .webm, .mp4), dnxhr (.mov, .mxf). Sound,
    subtitles, time code and tags are carried over; OUT.json tells everything. Stop it at any time; run it again to
    continue.

    Example: chromatheque reel newsreel.mov newsreel.mkv
    """
    check_workers(workers, ray)
    check_reel(source, out, profile)
    if hint := still_note(source):
        say(hint, err=True)
    with loading(progress):
        from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
        from pipeline.jobs.reel_job import ReelChoices, ReelJob
        from workflows.terminal.single import color
        from workflows.terminal.single import dry_run as look
    size = DEFAULT_WORKING_SIZE if working_size is None else working_size
    choices = ReelChoices(
        profile=profile, weights=weights, working_size=size, precision=precision, looks=looks, color_shots=color_shots,
        ray=ray, workers=workers, start=start, stop=stop, rate=rate, overwrite=overwrite,
        memory=memory, invert=invert,
    )  # fmt: skip
    if dry_run:
        raise click.exceptions.Exit(look(ReelJob(source, out, choices, job), progress))
    color(source, lambda listener: ReelJob(source, out, choices, job, listener), progress, _summary)
    from workflows.sheets.sheet import leave_sheet  # not before the work begins: it brings the report's readers

    leave_sheet(out, sheet, progress == "json")


def _summary(plan: Plan) -> str:
    """What was colored, in words."""
    frames, shots, harm = len(plan.pts), len(plan.shots), len(plan.damaged_frames)
    damage = f", {harm} of them damaged in the source" if harm else ""
    return f"{counted(frames, 'frame')} in {counted(shots, 'shot')}{damage}"
