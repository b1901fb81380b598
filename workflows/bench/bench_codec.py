"""`chromatheque bench codec`: what the settings of H.264 cost and keep, on a film with grain or on one's own."""

from __future__ import annotations

import io
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.containers.codecs import H264
from workflows.bench.bench_sources import write_grainy_film
from workflows.terminal.loading import saying

if TYPE_CHECKING:
    import numpy as np

NEIGHBORS: tuple[dict[str, str], ...] = (
    {"preset": "medium", "crf": "16", "bf": "0"},
    {"preset": "fast", "crf": "16", "bf": "0"},
    {"preset": "veryfast", "crf": "15.5", "trellis": "1", "chromaoffset": "-2", "bf": "0"},
    {"preset": "veryfast", "crf": "15", "chromaoffset": "-2", "bf": "0"},
)
"""Settings beside which the product's own are measured."""
SEEN = 4
"""Every so many frames are looked at for SSIM and grain."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Of one thread and a frame: kilobytes, milliseconds of processor. Against the source: PSNR of luma and of chroma
    in dB (inf where nothing changed), SSIM of luma, and the share of its finest detail (what a box of 3 x 3 takes
    away), which is grain.
    """

    options: str
    kilobytes: float
    milliseconds: float
    luma: float
    chroma: float
    ssim: float
    grain: float


@click.command()
@click.argument("film", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--frames", type=click.IntRange(2, 10_000), default=24, show_default=True, help="From the film's first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def codec(film: Path | None, frames: int, as_json: bool) -> None:
    """Encode a FILM [a synthetic one with grain, 1920 x 1080] with the settings of .mp4 and with some beside them.

    Example: chromatheque bench codec reel.mp4 --frames 48
    """
    with tempfile.TemporaryDirectory() as place, saying("measuring"):
        if film is None:
            film = Path(place) / "film.mp4"
            write_grainy_film(film, frames, (1920, 1080))
        pictures = list(islice(_pictures(film), frames))
        settings = [_encoded(options, pictures) for options in (dict(H264.options), *NEIGHBORS)]
    if as_json:
        click.echo(json.dumps([asdict(setting) for setting in settings], indent=1))
        return
    for s in settings:
        click.echo(
            f"{s.kilobytes:>8.1f} kB  {s.milliseconds:>6.1f} ms  Y {s.luma:.2f} dB  CbCr {s.chroma:.2f} dB  "
            f"SSIM {s.ssim:.4f}  grain {s.grain:.3f}  {s.options}"
        )


def _pictures(film: Path) -> Iterator[np.ndarray]:
    """Planes of 4:2:0, 8 bits, one under the other, (H * 3 / 2, W), sides even."""
    import av

    with av.open(str(film), "r") as container:
        for frame in container.decode(video=0):
            size = {"width": frame.width // 2 * 2, "height": frame.height // 2 * 2}
            yield frame.reformat(**size, format="yuv420p", threads=1).to_ndarray()


def _encoded(options: dict[str, str], pictures: list[np.ndarray]) -> Setting:
    """One setting: encoded on one thread, decoded again, held against what went in."""
    import av
    import numpy as np

    from colorizer.measures.quality import ssim

    rows, width = pictures[0].shape
    height, film, size, spent = rows * 2 // 3, io.BytesIO(), 0, 0.0
    with av.open(film, "w", format="matroska") as container:
        stream: Any = container.add_stream(H264.encoder, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in (*pictures, None):
            frame = None if picture is None else av.VideoFrame.from_ndarray(picture, format="yuv420p")
            began = time.process_time()
            packets = stream.encode(frame)
            spent += time.process_time() - began
            size += sum(packet.size for packet in packets)
            container.mux(packets)
    film.seek(0)
    errors, likeness, grain = [], [], []
    with av.open(film, "r") as written:
        for index, (frame, picture) in enumerate(zip(written.decode(video=0), pictures, strict=True)):
            seen = frame.to_ndarray(format="yuv420p")
            apart = np.square(seen.astype(np.float32) - picture)
            errors.append((apart[:height].mean(), apart[height:].mean()))
            if index % SEEN == 0:
                mine, source = (plane[:height, :, None] / 255 for plane in (seen, picture))
                likeness.append(ssim(mine, source))
                grain.append(_finest(mine) / max(1e-12, _finest(source)))
    luma, chroma = (10 * float(np.log10(255**2 / error)) if error else float("inf") for error in np.mean(errors, 0))
    count, name = len(pictures), ":".join(f"{key}={value}" for key, value in options.items())
    each = sum(likeness) / len(likeness), sum(grain) / len(grain)
    return Setting(name, size / count / 1000, 1000 * spent / count, luma, chroma, *each)


def _finest(luma: np.ndarray) -> float:
    """Variance of what the mean of 3 x 3 neighbors takes away, (H, W, 1)."""
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(luma[..., 0], (3, 3))
    return float(np.var(luma[1:-1, 1:-1, 0] - windows.mean((2, 3))))
