"""Readers of files that others write, under a fuzzer that is led by coverage (atheris, the extra `fuzz`).

    python -m tests.fuzz xmp --seconds 600 --folder /tmp/fuzz    # one reader; `make fuzz` tries all

It begins with small whole files that are made here. Whatever a reader raises beside what it says it raises, and
whatever takes more than SECONDS or MEMORY, ends it, and the file lies in the folder, outside the checkout. What was
found becomes a test that makes such a file, and no such file is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

SECONDS = 20
MEMORY = 3000
"""Megabytes, of which torch takes some hundreds."""
MARK = {"AISystemUsed": "a & b", "DigitalSourceType": "c"}
ODD: list[Any] = [
    None, True, False, -1, 0, 1, 7, 2**31, 2**62, 2**63, 2**64, 1e308, 0.5, math.nan, math.inf, "", "0", "1/0", "AAAA",
    "x" * 300, [], {}, [0], [[]], [None], {"": 0},
]  # fmt: skip
"""What is put in the place of a plan's values."""


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="chromatheque-fuzz-")


def scratch(data: bytes, suffix: str) -> Path:
    """A file of these bytes, over the one before; gone with this process."""
    path = Path(_folder().name) / f"file{suffix}"
    path.write_bytes(data)
    return path


def census(data: bytes) -> None:
    """The walks of the elements of a file: they raise nothing."""
    from pipeline.census.element import File
    from pipeline.census.walks import counted, walk_of

    file = File(io.BytesIO(data))
    walk = walk_of(file)
    if walk is not None:
        counted(walk(file))


def matroska(data: bytes) -> None:
    """What is read of a Matroska file and written into it after FFmpeg: ValueError and JoinError say why not."""
    from colorizer.basis.errors import JoinError
    from pipeline.containers import words
    from pipeline.containers.matroska import pixel_crop, set_display_size

    path = scratch(data, ".mkv")
    found = None
    with contextlib.suppress(ValueError):
        found = words.read_words(path)
    with path.open("rb") as file, contextlib.suppress(ValueError):
        pixel_crop(file)
    for change in (
        lambda: words.write_words(path, found and found.chapters, found.tags if found else ()),
        lambda: set_display_size(path, Fraction(4, 3)),
    ):
        try:
            change()
        except JoinError:
            continue


def xmp(data: bytes) -> None:
    """A packet with a mark set in it: it raises nothing, and the mark is read back from it."""
    from pipeline.metadata.extended_xmp import joined
    from pipeline.metadata.xmp import marked, merge

    packet, _ = merge(data, MARK)
    if marked(packet) != MARK:
        raise AssertionError(f"marked {marked(packet)}")
    joined(data, [data])


def manifest(data: bytes) -> None:
    """A table of files: ColorizeError says why not."""
    from colorizer.basis.errors import ColorizeError
    from pipeline.collection.manifest import read_manifest

    try:
        read_manifest(str(scratch(data, ".csv")))
    except ColorizeError:
        return


def plan(data: bytes) -> None:
    """A plan in which some values are others: the errors of `from_json`, or units."""
    from pipeline.jobs.plan import plan_from_json
    from pipeline.reels.plan import Plan

    values = changed(data)
    try:
        made = plan_from_json(values)
        wanted = len(made.pts) if isinstance(made, Plan) else sum(page.plate.height for page in made.pages)
        found = sum(sum(unit.size.values()) for unit in made.units())
        if found != wanted:
            raise AssertionError(f"units of {found} frames or rows where there are {wanted}")
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError):
        return


def changed(data: bytes) -> Any:
    """A plan as its bytes say: which, and then in threes a place in it and what is put there."""
    values = copy.deepcopy(plans()[data[0] % len(plans()) if data else 0])
    for at in range(1, len(data) - 2, 3):
        places = list(_places(values))
        inside, key = places[(data[at] << 8 | data[at + 1]) % len(places)]
        inside[key] = copy.deepcopy(ODD[data[at + 2] % len(ODD)])
    return values


def plans() -> list[Any]:
    """Whole plans of both kinds."""
    from tests.formats import DATA, NUMBERS

    return [
        json.loads((DATA / kind / str(NUMBERS[kind]) / "plan.json").read_text("utf-8")) for kind in ("reel", "scan")
    ]


def _places(values: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(values) if isinstance(values, dict) else range(len(values))
    for key in keys:
        yield values, key
        if isinstance(values[key], dict | list):
            yield from _places(values[key])


def films() -> Iterator[bytes]:
    """Small films in the containers that are walked."""
    import av
    import numpy as np

    codecs = {
        "matroska": ("ffv1", "gray"), "mp4": ("mpeg4", "yuv420p"), "mov": ("png", "gray"), "avi": ("ffv1", "gray"),
        "mxf": ("mpeg2video", "yuv420p"),
    }  # fmt: skip
    for muxer, (codec, format) in codecs.items():
        file = io.BytesIO()
        with av.open(file, "w", format=muxer) as out:
            out.metadata["title"] = "a film"
            video: Any = out.add_stream(codec, rate=25)
            video.width, video.height, video.pix_fmt = 32, 16, format
            for number in range(2):
                frame = av.VideoFrame.from_ndarray(np.full((16, 32), 50 * number, np.uint8), "gray").reformat(
                    format=format
                )
                frame.pts = number
                out.mux(video.encode(frame))
            out.mux(video.encode())
        yield file.getvalue()


def packets() -> Iterator[bytes]:
    """Packets of several shapes."""
    from pipeline.metadata.xmp import EMPTY, merge

    yield EMPTY
    yield merge(None, MARK)[0]
    rdf = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%s</rdf:RDF>'
    yield rdf % b'<rdf:Description rdf:about="" xmlns:a="b" a:c="d"/>'
    yield rdf % b'<rdf:Description><e:f xmlns:e="g">h</e:f></rdf:Description>'
    yield ('<?xml version="1.0" encoding="UTF-16"?>' + (rdf % b"").decode()).encode("utf-16")


def tables() -> Iterator[bytes]:
    """Manifests in several hands."""
    yield b"file,id,out\na.mkv,1,b.mkv\nc.tif,2,\n"
    yield 'File;Identifier;Title\r\n"a;b.mkv";7;\xe9\r\n\r\n'.encode("cp1252")
    yield "file\tprofile\twork\na.mkv\tprores\t320\n".encode("utf-16")


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "census": (census, films),
    "matroska": (matroska, films),
    "xmp": (xmp, packets),
    "manifest": (manifest, tables),
    "plan": (plan, lambda: iter([bytes([0]), bytes([1]), bytes([0, 0, 9, 3]), bytes([1, 0, 4, 8, 0, 7, 9])])),
}
"""Readers, each with the files that it begins with."""


def main() -> None:
    """Fuzz one reader for a while; ends with another code than 0 where something was found."""
    import atheris

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", choices=list(TARGETS))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "chromatheque-fuzz")
    asked = parser.parse_args()
    read, seeds = TARGETS[asked.target]
    folder = asked.folder / asked.target
    folder.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["pipeline", "xml", "csv"]):  # what is imported here, the first time
        for number, data in enumerate(seeds()):
            (folder / f"seed-{number}").write_bytes(data)
            read(data)
    how = [f"-max_total_time={asked.seconds}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEMORY}", "-max_len=16384"]
    atheris.Setup([sys.argv[0], *how, f"-artifact_prefix={asked.folder}/{asked.target}-", str(folder)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
