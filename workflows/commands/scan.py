"""`chromatheque scan`: a still in, a colored still out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from colorizer.networks.shipped import DEFAULT_WEIGHTS
from workflows.terminal.options import Bytes, Local, WorkingSize


@click.command()
@click.argument("source", metavar="IN", type=Local())
@click.argument("out", metavar="OUT", type=Local(dir_okay=False, path_type=Path))
@click.option("--weights", default=DEFAULT_WEIGHTS, show_default=True, help="Shipped name or .safetensors file.")
@click.option(
    "--working-size", type=WorkingSize(),
    help="Shorter side at which the network sees the picture; native paints every pixel, tile by tile.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="auto", show_default=True,
    help="Numbers the network computes with; auto: bf16 where the processor has it.",
)  # fmt: skip
@click.option(
    "--compression", type=click.Choice(["deflate", "zstd", "lzw", "jpeg", "none"]), default="deflate",
    show_default=True, help="Of a TIFF output. zstd is quickest, not every viewer knows it; jpeg is lossy, for 8 bits.",
)  # fmt: skip
@click.option("--tile", type=click.IntRange(16, 4096), help="Side of a TIFF output's tiles [512, less if memory asks].")
@click.option("--pyramid/--no-pyramid", help="Add reduced copies to a TIFF output, for viewers of large pictures.")
@click.option("--page", type=click.IntRange(0), help="Only this page of a TIFF, counted from 0 [all].")
@click.option("--memory", type=Bytes(), default="2G", show_default=True, help="Memory limit.")
@click.option(
    "--max-pixels", type=click.IntRange(1), default=8_000_000_000, show_default=True,
    help="Refuse pictures that say they are larger.",
)  # fmt: skip
@click.option("--ray", default="none", show_default=True, metavar="none|local|ADDRESS", help="Paint on Ray workers.")
@click.option("--workers", type=click.IntRange(1, 4096), default=1, show_default=True, help="Ray workers.")
@click.option(
    "--job", type=click.Path(file_okay=False, path_type=Path), help="Keep plan and bands here [OUT.job, removed]."
)
@click.option("--overwrite", is_flag=True, help="Replace an OUT that some other job made.")
@click.option(
    "--progress", type=click.Choice(["auto", "bar", "json", "none"]), default="auto", show_default=True,
    help="Bars for people, JSON lines for programs.",
)  # fmt: skip
def scan(
    source: str, out: Path, working_size: int | None, tile: int | None, page: int | None, ray: str, workers: int,
    job: Path | None, progress: str, **rest: Any,
) -> None:  # fmt: skip
    """Color the scan IN and write OUT.

    IN is a TIFF of any size and kind (all its pages), or a PNG, JPEG or other picture file; what is in it decides, not
    its name. OUT's suffix picks the format: .tif tiled TIFF (16 bits if the source has more than 8), .png, .jpg.
    Luminance, resolution, orientation and what the source says about the object are kept; OUT.json tells everything.
    Stop it at any time; run it again to continue.

    Example: chromatheque scan plate-0042.tif plate-0042-color.tif --pyramid
    """
    from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
    from pipeline.jobs.scan_job import ScanChoices, ScanJob
    from pipeline.values.events import Finished
    from workflows.terminal.listeners import listener_for

    if workers > 1 and ray == "none":
        raise click.UsageError("--workers needs --ray (local for this machine)")
    if tile is not None and tile % 16:
        raise click.UsageError(f"--tile {tile}: TIFF wants a multiple of 16")
    size = DEFAULT_WORKING_SIZE if working_size is None else working_size
    choices = ScanChoices(
        working_size=size, tile=tile or 0, page=-1 if page is None else page, ray=ray, workers=workers, **rest
    )
    with listener_for(progress) as listener:
        work = ScanJob(source, out, choices, job, listener)
        try:
            result = work.color()
        except KeyboardInterrupt:
            done, total = work.progress()
            kept = f"{done} of {total} bands are safe in {work.folder}. " if total else ""
            click.echo(f"Stopped. {kept}Run it again to continue.", err=True)
            raise click.exceptions.Exit(130) from None
    if progress == "json":
        listener(Finished(str(out), result.plan is None, result.painted, tuple(result.lost)))
    elif result.plan is None:
        click.echo(f"{out} is finished already; nothing to do.")
    else:
        for what in result.lost:
            click.echo(f"not carried over: {what}", err=True)
        pages = [page.plate for page in result.plan.pages]
        sizes = f"{pages[0].width} x {pages[0].height}" if len(pages) == 1 else f"{len(pages)} pages"
        click.echo(f"{out}: {sizes}, verified; details are in {out}.json")
