"""Files that jobs and collections leave, kept in tests/data/formats/KIND/N as the program wrote them at format N.

    python -m tests.formats    # keep what the program writes now, under the number that it writes

What is kept is never made anew once others have files of that format: a change of what is written takes a higher number
in the code, a line in docs/internals/formats.md, and this command.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError
from pipeline.collection import layout, state
from pipeline.collection.begun import Begun
from pipeline.reels import plan as reels
from pipeline.scans import plan as scans
from pipeline.storage.job_folder import LEDGER, PLAN, PUBLISHED, JobFolder

DATA = Path(__file__).parent / "data" / "formats"
NUMBERS = {"reel": reels.FORMAT, "scan": scans.FORMAT, "collection": state.FORMAT}
"""Formats that the program writes. A job's covers plan, receipts and sidecar; a collection's all of its state."""
HOW = ["--weights", "tiny.safetensors", "--working-size", "64", "--precision", "fp32"]
STORY = "sidecar.json"
"""What an output's sidecar is kept as."""


def make_inputs(folder: Path) -> None:
    """Weights, a reel of two shots, a scan, and a folder with both and a file that is neither."""
    import av
    import numpy as np
    import tifffile

    from tests.synthetic import tiny_weights

    tiny_weights(folder / "tiny.safetensors")
    rows, columns = np.mgrid[0:24, 0:32]
    with av.open(str(folder / "clip.mkv"), "w") as out:
        video: Any = out.add_stream("ffv1", rate=24)
        video.width, video.height, video.pix_fmt = 32, 24, "gray"
        for i in range(6):
            luma = 40 + 4 * rows + 2 * columns + i if i < 3 else 230 - rows * 4 - i
            frame = av.VideoFrame.from_ndarray(luma.astype(np.uint8), format="gray")
            frame.pts = i
            out.mux(video.encode(frame))
        out.mux(video.encode())
    plate = (60 + 2 * rows + columns).astype(np.uint8)
    tifffile.imwrite(folder / "plate.tif", plate, photometric="minisblack", resolution=(300, 300))
    (folder / "all").mkdir()
    for name in ("clip.mkv", "plate.tif"):
        shutil.copy(folder / name, folder / "all" / name)
    (folder / "all" / "bad.mkv").write_bytes(b"this is no film\n" * 64)


def run(folder: Path, *words: str) -> tuple[int, str]:
    """A command in this process, with a folder for its working directory: exit code and what it printed."""
    from workflows.commands.cli import cli

    try:
        with chdir(folder):
            done = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    except ColorizeError as error:  # `main` would say so
        return 1, f"Error: {error}"
    return done.exit_code, done.output


def make(work: Path, kept: Path) -> None:
    """Color all inputs in a folder, and keep what is left beside the outputs, as DATA has it without the numbers."""
    make_inputs(work)
    for kind, source in (("reel", "clip.mkv"), ("scan", "plate.tif")):
        code, said = run(work, kind, source, f"colored-{source}", "--job", kind, *HOW)
        assert code == 0, said
        keep_job(JobFolder(work / kind), work / f"colored-{source}.json", kept / kind)
    run(work, "archive", "all", "out", *HOW)
    keep_collection(work / "out", kept / "collection")


def keep_job(job: JobFolder, story: Path, kept: Path) -> None:
    """Plan, receipts, digests of outputs and sidecar; no pieces."""
    shutil.copytree(job.ledger, kept / LEDGER)
    for path, name in ((job.plan, PLAN), (job.published, PUBLISHED), (story, STORY)):
        if path.exists():
            text = path.read_text(encoding="utf-8")
            (kept / name).write_text(text.replace(f"{story.parent}/", ""), encoding="utf-8")


def keep_collection(out: Path, kept: Path) -> None:
    """States of the items, and of the run as a whole, what was set aside, and a mark of a step that was begun."""
    shutil.copytree(out / layout.ITEMS, kept / "items")
    for place in (layout.SUMMARY, layout.SET_ASIDE):
        shutil.copy(out / place, kept / Path(place).name)
    with Begun(out / layout.BEGUN).watched() as begun, begun.at("0123456789abcdef", "publish"):
        shutil.copytree(out / layout.BEGUN, kept / "begun", ignore=shutil.ignore_patterns("trace.txt"))


def structure(value: Any) -> Any:
    """What a file of JSON is made of: names and types, without the values; of a list what its elements are."""
    if isinstance(value, dict):
        return {name: structure(one) for name, one in sorted(value.items())}
    if isinstance(value, list):
        found = [structure(one) for one in value]
        return [one for i, one in enumerate(found) if one not in found[:i]]
    if isinstance(value, bool) or value is None:
        return str(type(value).__name__)
    return "number" if isinstance(value, int | float) else "text"


def structures(kept: Path) -> dict[str, list[Any]]:
    """Of all files that are kept, by their names; those of one folder under one name."""
    found: dict[str, list[Any]] = {}
    for path in sorted(kept.rglob("*.json*")):
        place = path.relative_to(kept)
        name = place.name if len(place.parts) == 1 else f"{place.parts[0]}/"
        lines = path.read_text(encoding="utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text("utf-8")]
        more = [structure(json.loads(line)) for line in lines]
        found[name] = [*found.get(name, []), *(one for one in more if one not in found.get(name, []))]
    return {name: sorted(all_of, key=str) for name, all_of in found.items()}


def holds(now: Any, before: Any) -> bool:
    """Whether a structure has all that another one has, whatever it has besides."""
    if isinstance(before, dict):
        return isinstance(now, dict) and all(name in now and holds(now[name], before[name]) for name in before)
    if isinstance(before, list):
        return isinstance(now, list) and all(any(holds(mine, one) for mine in now) for one in before)
    return bool(now == before)


def main() -> None:
    """Keep what the program writes now."""
    with tempfile.TemporaryDirectory() as folder:
        work, kept = Path(folder) / "work", Path(folder) / "kept"
        work.mkdir()
        make(work, kept)
        for kind, number in NUMBERS.items():
            place = DATA / kind / str(number)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(kept / kind, place)
            print(f"{place}: kept")


if __name__ == "__main__":
    main()
