"""Law 1: the luminance that goes in comes out, bit for bit where the format is lossless."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from colorizer.basis.errors import JoinError
from pipeline.jobs.reel_job import ReelJob, open_painter
from pipeline.reels import fidelity
from pipeline.reels.decode import Reader
from pipeline.reels.painter import SegmentPainter
from pipeline.storage.ledger import Ledger
from tests.endtoend import chroma, color, luma_digests, pictures, samples, verify
from tests.synthetic import depth_of, fill, is_full, read_stamps, stamped, write_reel

FORMATS = [
    "yuv420p", "yuv422p", "yuv444p", "gray",
    "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray10le",
    "yuv420p12le", "yuv422p12le", "yuv444p12le", "gray12le",
    "yuv420p16le", "yuv422p16le", "yuv444p16le", "gray16le",
]  # fmt: skip


ODD = ("yuv420p", "yuv422p10le", "yuv444p12le", "gray", "gray16le")


@pytest.mark.parametrize(
    ("pix_fmt", "size"), [*((f, (64, 48)) for f in FORMATS), *((f, (63, 47)) for f in ODD)], ids=str
)
def test_archive_luma_is_the_sources_bit_for_bit(tmp_path, tiny, pix_fmt, size):
    """Every stored luma sample of every frame is equal, at every depth and subsampling; only chroma is new."""
    source = write_reel(tmp_path / "in.mkv", 6, size, pix_fmt, cuts=(3,))
    color(source, tmp_path / "out.mkv", tiny)
    assert luma_digests(tmp_path / "out.mkv") == luma_digests(source)
    assert read_stamps(tmp_path / "out.mkv") == list(range(6))
    frame = next(pictures(tmp_path / "out.mkv"))
    assert depth_of(frame.format.name) == depth_of(pix_fmt)
    assert frame.format.name == (pix_fmt if pix_fmt.startswith("yuv") else pix_fmt.replace("gray", "yuv420p"))
    assert int(frame.color_range) == (2 if is_full(pix_fmt) else 1)
    one = 2 ** (depth_of(pix_fmt) - 8)
    assert max(abs(c.astype(int) - 128 * one).mean() for c in chroma(tmp_path / "out.mkv")) > 2 * one


@pytest.mark.parametrize("pix_fmt", ["bgr0", "gbrp10le", "gbrp16le", "rgb24"])
def test_neutral_rgb_keeps_its_codes(tmp_path, tiny, pix_fmt):
    """A scanned R = G = B picture has its own code as luma, without chroma subsampling."""
    bits = depth_of(pix_fmt)
    codec = "png" if pix_fmt == "rgb24" else "ffv1"
    source = write_reel(tmp_path / ("in.mov" if codec == "png" else "in.mkv"), 3, pix_fmt=pix_fmt, codec=codec)
    color(source, tmp_path / "out.mkv", tiny)
    for index, frame in enumerate(pictures(tmp_path / "out.mkv")):
        assert frame.format.name == ("yuv444p" if bits == 8 else f"yuv444p{bits}le")
        assert np.array_equal(samples(frame, 0), stamped(index, bits=bits, full=True))


@pytest.mark.parametrize("pix_fmt", ["gbrp10le", "gbrp12le", "gbrp16le"])
def test_colored_rgb_becomes_its_exact_luma(tmp_path, tiny, pix_fmt):
    """Of any R'G'B' frame the output's Y is (299 R + 587 G + 114 B + 500) div 1000, sample by sample."""
    bits, rng = depth_of(pix_fmt), np.random.default_rng(5)
    planes = rng.integers(0, 2**bits, (3, 3, 48, 64)).astype("u2")
    with av.open(str(tmp_path / "in.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for index, (green, blue, red) in enumerate(planes):
            frame = av.VideoFrame(64, 48, pix_fmt)
            for number, plane in enumerate((green, blue, red)):
                fill(frame, number, plane)
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    color(tmp_path / "in.mkv", tmp_path / "out.mkv", tiny)
    wide = planes.astype(np.int64)
    expected = (299 * wide[:, 2] + 587 * wide[:, 0] + 114 * wide[:, 1] + 500) // 1000
    assert np.array_equal([samples(frame, 0) for frame in pictures(tmp_path / "out.mkv")], expected)


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gray", "yuv422p10le"])
def test_lossy_formats_stay_close(tmp_path, tiny, suffix, pix_fmt):
    """ProRes and H.264 keep every frame's luma above 36 dB, measured on the codes a player shows."""
    source = write_reel(tmp_path / "in.mkv", 6, (96, 64), pix_fmt)
    color(source, tmp_path / f"out{suffix}", tiny)
    assert read_stamps(tmp_path / f"out{suffix}") == list(range(6))
    for a, b in zip(pictures(source), pictures(tmp_path / f"out{suffix}"), strict=True):
        x, y = (shown(f) for f in (a, b))
        assert 10 * np.log10(1 / np.mean((x - y) ** 2)) > 36


def shown(frame):
    """Luma as a player shows it: black 0, white 1."""
    bits = depth_of(frame.format.name)
    black, white = (0, 2**bits - 1) if int(frame.color_range) == 2 else (16 << (bits - 8), 235 << (bits - 8))
    return (samples(frame, 0).astype(np.float64) - black) / (white - black)


class Careless(SegmentPainter):
    """Changes what it must not."""

    def __init__(self, painter, spoil):
        super().__init__(painter.colorizer, painter.job)
        self.spoil = spoil

    def _painted(self, segment, target):
        for index, painted in enumerate(super()._painted(segment, target)):
            yield self.spoil(index, painted)


def flip(index, painted):
    """One code of one sample of one frame."""
    if index != 4:
        return painted
    luma = painted.luma.copy()
    luma[20, 31] ^= 1
    return replace(painted, luma=luma)


def blank(index, painted):
    """A frame that is not the source's."""
    return replace(painted, luma=np.full_like(painted.luma, 60)) if index == 4 else painted


def late(index, painted):
    """A frame shown too late."""
    return replace(painted, pts=painted.pts + 7) if index == 5 else painted


@pytest.mark.parametrize(
    ("spoil", "suffix", "told"),
    [(flip, ".mkv", "luma"), (blank, ".mov", "luma"), (blank, ".mp4", "luma"), (late, ".mkv", "times")],
    ids=["one bit", "lossy mov", "lossy mp4", "one time"],
)
def test_a_painter_that_touches_the_picture_is_caught(tmp_path, tiny, spoil, suffix, told):
    """One wrong code in one frame, and nothing appears under the output's name."""
    source, out = write_reel(tmp_path / "in.mkv", 6), tmp_path / f"out{suffix}"
    with pytest.raises(JoinError, match=f"not published.*{told}"):
        color(source, out, tiny, make=lambda settings, job: Careless(open_painter(settings, job), spoil))
    assert {p.name for p in tmp_path.iterdir()} == {"in.mkv", f"out{suffix}.job"}


@pytest.fixture
def decodes(monkeypatch):
    """How many frames have been decoded, by the name of the file."""
    counts, read = Counter(), Reader.__next__

    def counting(reader):
        frame = read(reader)
        counts[Path(reader.reel.uri).name.partition(".")[0]] += 1
        return frame

    monkeypatch.setattr(Reader, "__next__", counting)
    return counts


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_a_source_is_decoded_twice(tmp_path, tiny, decodes, suffix):
    """To survey and to paint it; its output once, to check it, and its first frames, which say when it begins. What is
    known of the source's luma is enough for that."""
    result = color(write_reel(tmp_path / "in.mkv", 20), tmp_path / f"out{suffix}", tiny)
    assert decodes == {"in": 40, "": 20 + 8}  # an output has no name yet
    [luma] = [f.detail for f in result.findings if f.what == "luma"]
    assert ("by sums of samples" in luma) == (suffix != ".mkv")


@pytest.mark.parametrize("doubt", ["near the limit", "no sums", "damaged sums", "captions"])
def test_it_is_decoded_again_in_doubt(tmp_path, tiny, decodes, monkeypatch, doubt):
    """Where sums do not settle it, the source itself does: the output comes out, and the figure is exact."""
    source, folder = write_reel(tmp_path / "in.mkv", 6), tmp_path / "job"
    if doubt == "near the limit":
        monkeypatch.setattr(fidelity, "DOUBT", 60.0)
    elif doubt == "captions":
        monkeypatch.setattr(ReelJob, "survey", lambda job, *known: replace(surveyed(job, *known), aside="a digest"))
    else:
        made = Ledger.record

        def record(ledger, receipt):
            made(ledger, replace(receipt, sums=() if doubt == "no sums" else ("AAAA",) * len(receipt.sums)))

        monkeypatch.setattr(Ledger, "record", record)
    result = color(source, tmp_path / "out.mp4", tiny, folder)
    assert decodes["in"] == 18
    [luma] = [f.detail for f in result.findings if f.what == "luma"]
    assert "worst frame" in luma
    assert "sums" not in luma


surveyed = ReelJob.survey


def test_verify_tells_a_touched_picture(tmp_path, tiny):
    """`verify` fails on an output whose source differs in a single code, and holds on the true one."""
    source, other = (write_reel(tmp_path / f"{stamp}.mkv", [0, 1, stamp], cuts=(1,)) for stamp in (2, 3))
    color(source, tmp_path / "out.mkv", tiny)
    code, told = verify(source, tmp_path / "out.mkv", "--json")
    assert (code, json.loads(told)["holds"]) == (0, True)
    code, told = verify(other, tmp_path / "out.mkv")
    assert code == 1
    assert "FAIL  luma" in told
