"""Every input of the media's known faults, into every usual output: what is published verifies right after, every loss
is declared, and readers that are none of ours see all of its frames and pages. Skipped where the media are not there.
"""

import shutil

import pytest
import torch

from colorizer.basis.errors import ColorizeError
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.loss import verdict
from pipeline.values.sequence import SUFFIXES, sequences
from tests.endtoend import MEDIA, color, verify
from tests.readers.programs import exiftool, ffprobe, mediainfo, needs, said
from tests.synthetic import tiny_weights

pytestmark = [
    pytest.mark.media, pytest.mark.slow, pytest.mark.skipif(not MEDIA.exists(), reason=f"no media at {MEDIA}"),
]  # fmt: skip

STILLS = (".tif", ".png", ".jpg", ".exr", ".dpx", ".webp")
REELS_TO, SCANS_TO = (".mkv", ".mov", ".mp4"), (".tif", ".png", ".jpg")


def inputs():
    """What a person would hand in: each file, each folder's sequences as one, later parts of a title with the first."""
    for top in ("faults", "reports"):
        for folder in sorted({path.parent for path in (MEDIA / top).rglob("*") if path.is_file()}):
            names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".md")
            runs = sequences(names, SUFFIXES, 5)
            yield from (folder / str(pattern) for pattern in runs)
            taken = {name for those in runs.values() for name in those}
            yield from (folder / name for name in names if name not in taken)


CASES = [
    pytest.param(source, suffix, id=f"{source.parent.name}/{source.name}-to{suffix}")
    for source in inputs()
    for suffix in (SCANS_TO if source.suffix in STILLS and "%" not in source.name else REELS_TO)
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights; one thread, as the tests share their cores."""
    torch.set_num_threads(1)
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def colored(source, out, tiny):
    """What came of it; None where it was refused, in a line and without an output."""
    choices = ScanChoices(weights=str(tiny), working_size=32, precision="fp32")
    try:
        return ScanJob(str(source), out, choices).color() if out.suffix in SCANS_TO else color(source, out, tiny)
    except ColorizeError as refused:
        error = str(refused)
    assert "\n" not in error, error
    assert "not published" not in error, error
    assert not out.exists()
    assert not sidecar_of(out).exists()
    return None


@needs("ffprobe", "mediainfo", "tiffinfo", "exiftool")
@pytest.mark.parametrize(("source", "suffix"), CASES)
def test_what_comes_out_verifies_and_is_read_by_others(tmp_path, tiny, source, suffix):
    """Or it is refused; a refusal is never that of a check which failed."""
    out = tmp_path / f"out{suffix}"
    result = colored(source, out, tiny)
    if result is None:
        return
    code, told = verify(source, out)
    lost = [line for line in told.splitlines() if line.startswith("lost")]
    assert (code, bool(lost)) == (0, bool(result.lost)), told
    assert result.verdict == verdict(len(result.lost))
    if suffix in SCANS_TO:
        seen_as_scan(out, result)
    else:
        seen_as_reel(out, result)
    shutil.rmtree(tmp_path)


def seen_as_reel(out, result):
    """FFprobe decodes as many frames of the same size, without a complaint; MediaInfo sees no cut file."""
    reel = result.plan.reel
    found = ffprobe(out)
    pictures = [s for s in found["streams"] if s["codec_type"] == "video"]  # one may be a proxy, or a cover
    seen = [(int(s["nb_read_frames"]), s["width"], s["height"]) for s in pictures]
    assert (len(result.plan.pts), reel.width, reel.height) in seen
    general, *tracks = mediainfo(out)
    assert "IsTruncated" not in str(general)
    assert [t for t in tracks if t["@type"] == "Video"]


def seen_as_scan(out, result):
    """ExifTool reads it without an error; libtiff's tiffinfo finds as many pages; all find the same size."""
    plates = [page.plate for page in result.plan.pages]
    told = exiftool(out)
    assert not [key for key in told if "Error" in key or "Warning" in key], told
    group = {".tif": "IFD0", ".png": "PNG", ".jpg": "File"}[out.suffix]
    assert (told[f"{group}:ImageWidth"], told[f"{group}:ImageHeight"]) == (plates[0].width, plates[0].height)
    if out.suffix == ".tif":
        printed = said("tiffinfo", out, quiet=False)
        full = [line for line in printed.splitlines() if line.strip().startswith("Image Width")]
        assert len(full) == len(plates)
