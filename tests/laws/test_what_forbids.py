"""Only a broken law keeps an output from its name; whatever else does not survive is named, and the file comes out."""

import json
import struct
from dataclasses import replace
from fractions import Fraction

import av
import pytest
from av.sidedata.sidedata import Type

from colorizer.basis.errors import JoinError
from pipeline.containers.containers import MATROSKA
from pipeline.containers.profiles import PROFILES
from pipeline.jobs import reel_job, scan_job
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.reels import fidelity
from pipeline.reels.fidelity import check_tags
from pipeline.reels.reel import probe
from pipeline.scans import fidelity as scan_fidelity
from tests.endtoend import MEDIA, color, story, verify
from tests.plates import plate
from tests.synthetic import silent_track, write_reel

FAULTS = MEDIA / "faults"
LAWS = ["frames", "luma", "times", "decodes cleanly", "size"]
NAMED = ["sample aspect", "rotation", "fields", "time code", "tracks", "metadata", "labels", "chapters", "sync"]


def sidecar(out):
    """What lies beside an output."""
    return json.loads(out.with_name(out.name + ".json").read_text())


def failing(check, what):
    """A check that finds one thing wrong."""

    def spoiled(*arguments, **named):
        return [replace(f, holds=False) if f.what == what else f for f in check(*arguments, **named)]

    return spoiled


@pytest.fixture(scope="module")
def sounding(tmp_path_factory):
    """A reel with sound, so that tracks are looked at too."""
    return write_reel(tmp_path_factory.mktemp("forbids") / "in.mkv", 3, audio=1)


@pytest.mark.parametrize("what", NAMED)
def test_what_is_no_law_is_named(tmp_path, sounding, tiny, monkeypatch, what):
    """In the result, in the sidecar and by `verify`, which accepts it by that name; the file is there."""
    out = tmp_path / "out.mkv"
    monkeypatch.setattr(reel_job, "check", failing(fidelity.check, what))
    result = color(sounding, out, tiny)
    assert result.verdict == sidecar(out)["verdict"] == "verified, but for 1 loss"
    assert [text.partition(" (")[0] for text in result.lost] == [what]
    assert sidecar(out)["not_carried_over"] == list(result.lost)
    assert [f["what"] for f in sidecar(out)["verified"] if not f["holds"]] == [what]


@pytest.mark.parametrize("what", LAWS)
def test_a_broken_law_forbids(tmp_path, sounding, tiny, monkeypatch, what):
    """Nothing has the output's name. Painted anew it fails alike: then no message says that another run helps."""
    monkeypatch.setattr(reel_job, "check", failing(fidelity.check, what))
    with pytest.raises(JoinError, match=f"not published.*{what}.*run the same command again"):
        color(sounding, tmp_path / "out.mkv", tiny)
    with pytest.raises(JoinError, match=f"not published.*{what}.*no further run helps") as second:
        color(sounding, tmp_path / "out.mkv", tiny)
    assert "same command again" not in str(second.value)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mkv.job"]


@pytest.mark.parametrize(("what", "law"), [
    ("luma, page 0", True), ("size, page 0", True), ("pages", True), ("depth, page 0", True),
    ("orientation, page 0", False), ("resolution, page 0", False), ("ICC profile, page 0", False),
    ("XMP, page 0", False),
])  # fmt: skip
def test_so_it_is_with_scans(tmp_path, tiny, monkeypatch, what, law):
    """Luma, size, depth and pages forbid; all that a scan says of itself is named."""
    source, out = plate(tmp_path / "in.tif", 50, 50), tmp_path / "out.tif"
    monkeypatch.setattr(scan_job, "check_scan", failing(scan_fidelity.check_scan, what))
    job = ScanJob(str(source), out, ScanChoices(weights=str(tiny), working_size=32, precision="fp32"))
    if law:
        with pytest.raises(JoinError, match=f"not published.*{what}"):
            job.color()
        assert not out.exists()
        return
    assert job.color().lost[0].startswith(what)
    assert what in sidecar(out)["not_carried_over"][0]


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
@pytest.mark.parametrize(("code", "made"), [("01:00:00;00", "01:00:00:00"), ("00:00:00:30", ""), ("abc", "")])
def test_a_time_code_that_cannot_be_is_mended_or_left_out(tmp_path, tiny, code, made, suffix):
    """A drop-frame mark at 24 a second is plainly a colon, a frame number of 30 is nothing; Matroska keeps any text."""
    source, out = write_reel(tmp_path / "in.mkv", 3, timecode=code), tmp_path / f"out{suffix}"
    lost = color(source, out, tiny).lost
    assert story(out).timecode == (code if suffix == ".mkv" else made)
    assert list(lost) == ([] if suffix == ".mkv" else [f"time code ({code} became {made or 'none'})"])
    status, said = verify(source, out)
    assert (status, "lost  time code" in said) == (0, suffix != ".mkv")


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_an_empty_track_is_kept_or_named(tmp_path, tiny, suffix):
    """Matroska keeps it, the others do not; the film comes out of all of them."""
    source, out = silent_track(tmp_path / "in.mkv"), tmp_path / f"out{suffix}"
    lost = color(source, out, tiny).lost
    named = [text for text in lost if "not one packet is in it" in text]
    assert len(named) == (suffix != ".mkv")
    assert verify(source, out)[0] == 0


def test_two_numbers_that_say_nothing_are_no_difference(sounding):
    """ProRes writes 0 for primaries and transfer that it does not know, Matroska 2; another one is a difference."""
    reel, codec = probe(str(sounding)), PROFILES["archive"].codec

    def failed(was, now):
        made = replace(reel, tags=now)
        return [f.what for f in check_tags(replace(reel, tags=was), made, codec, MATROSKA, False) if not f.holds]

    assert failed((1, 0, 3, 3), (1, 2, 2, 2)) == []
    assert failed((1, 1, 1, 1), (1, 2, 2, 2)) == ["color primaries", "color transfer", "color matrix"]


@pytest.mark.parametrize("mode", ["left_right", "top_bottom"])
@pytest.mark.parametrize("aspect", [Fraction(8, 3), Fraction(16, 15)])
def test_stereo_keeps_its_aspect(tmp_path, tiny, mode, aspect):
    """Matroska says the size of one of the two pictures that lie in a frame; QuickTime says nothing of them."""
    source = write_reel(tmp_path / "in.mkv", 3, (96, 64), sar=aspect, stereo=mode)
    for suffix in (".mkv", ".mov"):
        out = tmp_path / f"out{suffix}"
        lost = color(source, out, tiny).lost
        assert len(lost) == (suffix == ".mov") == (f"stereo mode {mode}" in "".join(lost))
        assert story(out).aspect == story(source).aspect == aspect
        assert verify(source, out)[0] == 0


def shown_by(path):
    """The four numbers of a display matrix that turn and mirror, as FFmpeg reads them."""
    with av.open(str(path)) as container:
        a, b, _, c, d, *_ = struct.unpack("=9i", bytes(next(container.decode(video=0)).side_data[Type.DISPLAYMATRIX]))
        return [round(n / (1 << 16), 2) for n in (a, b, c, d)]


@pytest.mark.parametrize(
    "matrix", [(-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0), (0, 1, -1, 0), (0.8, 0.6, -0.6, 0.8)],
    ids=["mirrored", "on its head, mirrored", "transposed", "across", "a quarter", "37 degrees"],
)  # fmt: skip
def test_mirrored_and_odd_display_matrices_go_through(tmp_path, tiny, matrix):
    """A mirrored picture is no turned one, and a third of a quarter no quarter."""
    source = write_reel(tmp_path / "in.mov", 2)
    data = bytearray(source.read_bytes())
    place = data.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2: version 0
    a, b, c, d = (round(n * (1 << 16)) for n in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    source.write_bytes(data)
    for out in (tmp_path / f"out{suffix}" for suffix in (".mkv", ".mov", ".mp4")):
        assert color(source, out, tiny).lost == ()
        assert shown_by(out) == pytest.approx(shown_by(source), abs=0.02)


@pytest.mark.slow
@pytest.mark.media
@pytest.mark.skipif(not FAULTS.exists(), reason=f"no media at {FAULTS}")
@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
@pytest.mark.parametrize("name", sorted(
    p.name for p in FAULTS.glob("*") if p.suffix in (".mkv", ".mov", ".mxf", ".dv", ".avi", ".vob", ".jpg")
))  # fmt: skip
def test_every_known_fault_comes_out(tmp_path, tiny, name, suffix):
    """Published, with what is lost by name, and `verify` accepts it."""
    out = tmp_path / f"out{suffix}"
    result = color(FAULTS / name, out, tiny)
    assert all(not f.forbids for f in result.findings)
    assert verify(FAULTS / name, out)[0] == 0
