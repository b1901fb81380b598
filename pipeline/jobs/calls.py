"""The calls that `pipeline` gives to scripts: color a reel, color a scan, prove either again.

What the commands `reel`, `scan` and `verify` do, with the same defaults and the same bytes.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

from colorizer.basis.errors import ColorizeError, SourceError, WrongValue
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from colorizer.painting.colorize import checked_working_size
from colorizer.painting.geometry import DEFAULT_WORKING_SIZE
from pipeline.containers.profiles import PROFILES
from pipeline.jobs.job import Result
from pipeline.jobs.reel_job import ReelChoices, ReelJob
from pipeline.jobs.reel_proof import verify_reel
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.jobs.scan_proof import verify_scan
from pipeline.pages.still_formats import STILL_SUFFIXES
from pipeline.reels.plan import Plan
from pipeline.scans import memory as limits
from pipeline.scans.plan import ScanPlan
from pipeline.stills.opening import MAX_PIXELS
from pipeline.storage import standing
from pipeline.storage.stores import is_uri, masked
from pipeline.values.choices import PAGES, PYRAMIDS, seconds
from pipeline.values.events import Listener
from pipeline.values.finding import Finding

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Looks = Literal["per-shot", "per-frame"]
ColorShots = Literal["keep", "recolor"]
Compression = Literal["deflate", "zstd", "lzw", "jpeg", "none"]
Size = int | Literal["native"]
MAX_WORKERS = 4096


def color_reel(
    source: str | Path, out: str | Path, *, profile: str | None = None, weights: str | Path = DEFAULT_WEIGHTS,
    working_size: Size = DEFAULT_WORKING_SIZE, precision: Precision = "auto",
    looks: Looks = "per-shot", color_shots: ColorShots = "keep", start: str = "", stop: str = "",
    rate: Fraction | None = None, invert: bool = False, memory: int = 0, ray: str = "none", workers: int = 1,
    job: str | Path | None = None, overwrite: bool = False, listener: Listener | None = None,
) -> Result[Plan]:  # fmt: skip
    """Color a film reel: `source`, a video file or an image sequence such as "frames/%06d.dpx", to `out`.

    out: its suffix picks the profile: .mkv archive (luma bit for bit), .mov mezzanine, .mp4 access. weights: a
    shipped name or a .safetensors file. working_size: shorter side in pixels at which the network sees the picture,
    32 to 4096, or "native". color_shots: of a reel that is partly in color, "keep" those shots or "recolor" them.
    start, stop: of a piece: seconds, "MM:SS", "HH:MM:SS.sss" or "HH:MM:SS:FF". rate: pictures per second of an
    image sequence. invert: it is a negative; its positive is colored and written, and a color of its own is not kept.
    memory: bytes that the job may take, 0 for any. ray: "none" paints in this process, "local" or
    an address on `workers` Ray workers. job: a folder for plan and segments that is kept. overwrite: replace an
    `out` that another job made. listener: a function that is told what happens, an `Event` at a time; print will
    do.

    Returns when `out` is there, decoded again and checked; its story lies beside it in OUT.json. Of the result `out`,
    `painted` (segments), `findings` (what was proved) and `lost` (what could not be carried, by name). Stopped at any
    time, the same call goes on; of a finished one it does nothing. Raises ColorizeError, in one line.

        pipeline.color_reel("newsreel.mov", "newsreel.mkv")
    """
    _one_of("profile", profile, (None, *PROFILES))
    _one_of("precision", precision, get_args(Precision))
    _one_of("looks", looks, get_args(Looks))
    _one_of("color_shots", color_shots, get_args(ColorShots))
    for time in (start, stop):
        _check_time(time)
    _check_number("rate", rate, 0, 1000)
    choices = ReelChoices(
        profile=profile, weights=str(weights), working_size=checked_working_size(working_size), precision=precision,
        looks=looks, color_shots=color_shots, start=start, stop=stop, rate=rate, invert=invert, memory=memory, ray=ray,
        workers=_workers(workers, ray), overwrite=overwrite,
    )  # fmt: skip
    return ReelJob(_path(source), Path(_path(out)), choices, _folder(job), listener).color()


def color_scan(
    source: str | Path, out: str | Path, *, weights: str | Path = DEFAULT_WEIGHTS,
    working_size: Size = DEFAULT_WORKING_SIZE, precision: Precision = "auto",
    compression: Compression = "deflate", tile: int | None = None,
    pyramid: bool | Literal["pages", "subifds"] = False, page: int | None = None, memory: int = limits.DEFAULT,
    max_pixels: int = MAX_PIXELS, invert: bool = False,
    ray: str = "none", workers: int = 1, job: str | Path | None = None, overwrite: bool = False,
    listener: Listener | None = None,
) -> Result[ScanPlan]:  # fmt: skip
    """Color a photograph, plate or negative of any size: `source`, a file of any still format, to `out`.

    out: its suffix picks the format: .tif (tiled, 8 or 16 bits), .png, .jpg. compression, tile, pyramid: of a TIFF
    output; tile is a multiple of 16, None for one that fits; pyramid says whether there are reduced levels, or where:
    in pages behind their own, as servers and slide viewers want them, or in SubIFDs. page: of a TIFF, from 0; None for
    all. memory: bytes that are not exceeded, whatever the size. max_pixels: a header that says more is not believed.
    invert: it is a negative; its positive is colored and written. The others are those of `color_reel`.

    Returns when `out` is there, decoded again and checked; its story lies beside it in OUT.json. Of the result `out`,
    `painted` (bands), `findings` (what was proved) and `lost` (what could not be carried, by name). Stopped at any
    time, the same call goes on. Raises ColorizeError, in one line.

        pipeline.color_scan("plate-0042.tif", "plate-0042-color.tif", pyramid=True)
    """
    _one_of("precision", precision, get_args(Precision))
    _one_of("compression", compression, get_args(Compression))
    if not isinstance(pyramid, bool):
        _one_of("pyramid", pyramid, PYRAMIDS)
    _check_number("page", page, 0, PAGES)
    if tile is not None and (not 16 <= tile <= 4096 or tile % 16):
        raise WrongValue(f"tile {tile!r} is not a multiple of 16 from 16 to 4096, which TIFF wants")
    choices = ScanChoices(
        weights=str(weights), working_size=checked_working_size(working_size), precision=precision,
        compression=compression, tile=tile or 0, pyramid=pyramid, page=-1 if page is None else page, memory=memory,
        max_pixels=max_pixels, invert=invert, ray=ray, workers=_workers(workers, ray), overwrite=overwrite,
    )  # fmt: skip
    return ScanJob(_path(source), Path(_path(out)), choices, _folder(job), listener).color()


def verify(source: str | Path, out: str | Path, *, rate: Fraction | None = None) -> list[Finding]:
    """Decode `source` and `out` and compare them: luma sample by sample, and all that goes with it.

    out: what `color_reel` or `color_scan` wrote; its suffix says which. What its sidecar (OUT.json) names as lost is
    accepted. rate: pictures per second of an image sequence.

    Returns findings: `what` was looked at, whether it `holds`, and the `detail` in words; one that does not is `right`
    if the sidecar names that loss. Raises ColorizeError, in one line, for files that cannot be compared at all.

        assert all(finding.right for finding in pipeline.verify("newsreel.mov", "newsreel.mkv"))
    """
    path, place = _path(source), Path(_path(out))
    if not place.is_file():
        raise SourceError(str(place), "no such file")
    standing.at(f"{place}, while it was compared with {path}")
    return verify_scan(path, place) if place.suffix.lower() in STILL_SUFFIXES else verify_reel(path, place, rate)


def _path(place: str | Path) -> str:
    if is_uri(str(place)):
        raise ColorizeError(f"{masked(str(place))}: a path is wanted; what is in stores is for `archive`")
    return str(place)


def _folder(job: str | Path | None) -> Path | None:
    return None if job is None else Path(job)


def _one_of(name: str, asked: object, known: tuple[object, ...]) -> None:
    if asked not in known:
        raise WrongValue(f"{name} {asked!r} is none of {', '.join(map(str, known))}")


def _workers(asked: int, ray: str) -> int:
    if not 1 <= asked <= MAX_WORKERS:
        raise WrongValue(f"workers {asked!r} is not a number from 1 to {MAX_WORKERS}")
    if asked > 1 and ray == "none":
        raise WrongValue(f"{asked} workers need ray: 'local' for this machine, or a cluster's address")
    return asked


def _check_number(name: str, asked: Any, least: int, most: int) -> None:
    if asked is not None and not least <= asked <= most:
        raise WrongValue(f"{name} {asked!r} is not a number from {least} to {most}")


def _check_time(time: str) -> None:
    try:
        if time:
            seconds(time, Fraction(24))
    except ValueError as error:
        raise WrongValue(str(error)) from error
