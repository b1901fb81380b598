"""The laws for scans: luma kept sample by sample, tiled equals whole, a killed night that ends in the same bytes."""

import json
import os
import random
import signal
import subprocess
import time
from itertools import pairwise

import numpy as np
import pytest
import tifffile
from torch.nn import functional as F

from colorizer.basis.errors import DamagedSource, JoinError, LedgerError, SourceError, StorageError
from colorizer.basis.light import luma_codes
from pipeline.jobs.scan_job import ScanChoices, ScanJob, open_painter
from pipeline.scans import plan as scan_plan
from pipeline.scans.painter import BandPainter
from pipeline.values.events import Silent
from tests.endtoend import FULL, Heard, command_line, environment, hear_interrupts, one_line, run_command, verify
from tests.plates import HEIGHT, WIDTH, plate

BANDS = 11
OUT = "out.tif"


@pytest.fixture
def several(monkeypatch):
    """Small plates fall into several bands too."""
    monkeypatch.setattr(scan_plan, "BAND_PIXELS", 64 * WIDTH)
    monkeypatch.setattr(scan_plan, "NATIVE_BAND_PIXELS", 64 * WIDTH)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """One plate of eleven bands."""
    return plate(tmp_path_factory.mktemp("scan") / "in.tif")


def color(source, out, weights, folder=None, make=open_painter, listener=None, **choices):
    """Color a scan in this process."""
    asked = {"working_size": 32, "precision": "fp32", "tile": 64, "pyramid": True, **choices}
    job = ScanJob(str(source), out, ScanChoices(weights=str(weights), **asked), folder, listener or Silent())
    return job.color(make)


@pytest.fixture
def undisturbed(tmp_path_factory, source, tiny, several):
    """The bytes of an undisturbed run in one process: output and sidecar."""
    out = tmp_path_factory.mktemp("undisturbed") / OUT
    assert color(source, out, tiny).painted == BANDS
    return both(out)


def both(out):
    """Bytes of an output and of its sidecar."""
    return out.read_bytes(), out.with_name(out.name + ".json").read_bytes()


def left(folder):
    """Names in a folder."""
    return sorted(p.name for p in folder.iterdir())


def dying(number, marker=None):
    """Makes painters whose process ends within a band: every time, or only until `marker` is there."""

    def make(settings, job, limits):
        class Dying(BandPainter):
            def _blocks(self, rows, band):
                if band.number == number and (marker is None or not marker.exists()):
                    if marker is not None:
                        marker.touch()
                    os._exit(9)
                yield from super()._blocks(rows, band)

        return Dying(open_painter(settings, job, limits).colorizer, job, limits)

    return make


# --- the picture is untouched


@pytest.mark.parametrize("working_size", [32, 0], ids=["working size", "native"])
@pytest.mark.parametrize("name", [OUT, "out.png"])
def test_luma_is_the_sources(tmp_path, source, tiny, several, working_size, name):
    """Every luma sample of the output, by another decoder and in plain integers, is the source's, at 16 bits."""
    color(source, tmp_path / name, tiny, working_size=working_size)
    rgb = tifffile.imread(tmp_path / name) if name == OUT else png(tmp_path / name)
    assert rgb.dtype == np.uint16
    assert rgb.std(axis=2).max() > 1000  # and there is color
    assert np.array_equal(luma_codes(rgb), tifffile.imread(source))
    assert verify(source, tmp_path / name)[0] == 0


@pytest.mark.parametrize("name", [OUT, "out.png"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_luma_is_a_colored_sources(tmp_path, tiny, kind, name):
    """(299 R + 587 G + 114 B + 500) div 1000 of every pixel is the same before and after, read by another decoder."""
    there, out = tmp_path / "in.tif", tmp_path / name
    rgb = np.random.default_rng(7).integers(0, np.iinfo(kind).max + 1, (200, 300, 3)).astype(kind)
    rgb[:2] = np.repeat(np.iinfo(kind).max * np.array([[[0], [1]]]), 150, 1)  # black and white among them
    tifffile.imwrite(there, rgb, photometric="rgb")
    done = run_command("scan", there, out, "--weights", tiny, "--working-size", "32", "--tile", "64")
    assert done.returncode == 0, done.stderr
    made = tifffile.imread(out) if name == OUT else png(out)
    assert made.dtype == kind
    assert not np.array_equal(made, rgb)
    before, after = ((codes.astype(np.int64) @ [299, 587, 114] + 500) // 1000 for codes in (rgb, made))
    assert np.array_equal(before, after)
    assert verify(there, out)[0] == 0


def png(path):
    """A PNG by its codec."""
    import imagecodecs

    return imagecodecs.png_decode(path.read_bytes())


@pytest.mark.parametrize("working_size", [32, 0], ids=["working size", "native"])
def test_bands_do_not_show(tmp_path, source, tiny, monkeypatch, working_size):
    """Painted in one band or in eleven, every code is the same, or (native: rounding) at most a step of the gamut."""
    color(source, tmp_path / "one.tif", tiny, working_size=working_size)
    monkeypatch.setattr(scan_plan, "BAND_PIXELS", 64 * WIDTH)
    monkeypatch.setattr(scan_plan, "NATIVE_BAND_PIXELS", 64 * WIDTH)
    assert color(source, tmp_path / "many.tif", tiny, working_size=working_size).painted == BANDS
    one, many = (tifffile.imread(tmp_path / name).astype(int) for name in ("one.tif", "many.tif"))
    if working_size:
        assert np.array_equal(one, many)
    else:
        assert np.abs(one - many).max() <= 130  # 2^-10 of the largest chroma of 16 bits, twice


@pytest.mark.parametrize("working_size", [48, 0], ids=["working size", "native"])
def test_no_seam_shows(tmp_path, tiny, several, working_size):
    """On a smooth plate chroma steps across edges of tiles and bands no more than it does elsewhere."""
    import torch

    coarse = torch.from_numpy(np.random.default_rng(3).random((1, 1, 9, 6)))
    smooth = F.interpolate(coarse, (HEIGHT, WIDTH), mode="bicubic", align_corners=False)[0, 0].numpy()
    tifffile.imwrite(tmp_path / "in.tif", (smooth.clip(0, 1) * 50000 + 5000).astype(np.uint16), photometric=1)
    color(tmp_path / "in.tif", tmp_path / OUT, tiny, working_size=working_size)
    rgb = tifffile.imread(tmp_path / OUT).astype(float)
    chroma = np.stack([rgb[..., 0], rgb[..., 2]]) - (rgb @ [0.299, 0.587, 0.114])
    for axis in (1, 2):
        steps = np.abs(np.diff(chroma, n=2, axis=axis)).mean(axis=(0, 3 - axis))  # bends: a seam is a sharp one
        edges = np.arange(63, len(steps), 64)
        near = np.unique(np.concatenate([edges - 1, edges]).clip(0, len(steps) - 1))
        elsewhere = np.delete(steps, near)
        assert steps[near].max() <= np.percentile(elsewhere, 99.5) * 1.5


# --- the night survives


def test_a_second_run_gives_the_same_bytes(tmp_path, source, tiny, undisturbed):
    """Output and sidecar are the same from another folder and with the job folder elsewhere; then nothing is done."""
    color(source, tmp_path / OUT, tiny, folder=tmp_path / "kept")
    assert both(tmp_path / OUT) == undisturbed
    assert left(tmp_path) == ["kept", OUT, OUT + ".json"]
    assert color(source, tmp_path / OUT, tiny, folder=tmp_path / "kept").plan is None


@pytest.mark.ray
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize("working_size", [32, 0], ids=["working size", "native"])
def test_ray_workers_give_the_same_bytes(tmp_path, source, tiny, several, cluster, workers, working_size):
    """Whoever paints the bands, and however many: one plate on several workers is the same file."""
    color(source, tmp_path / "inline.tif", tiny, working_size=working_size)
    result = color(source, tmp_path / OUT, tiny, ray="local", workers=workers, working_size=working_size)
    assert result.painted == BANDS
    assert (tmp_path / OUT).read_bytes() == (tmp_path / "inline.tif").read_bytes()


@pytest.mark.ray
def test_a_worker_that_dies_is_replaced(tmp_path, source, tiny, undisturbed, cluster):
    """A worker process that ends within a band costs a second attempt and nothing else."""
    heard, marker = Heard(), tmp_path / "died"
    color(source, tmp_path / OUT, tiny, make=dying(5, marker), ray="local", workers=2, listener=heard)
    [retry] = [facts["text"] for event, facts in heard.events if event == "retry"]
    assert retry.startswith("band 5, attempt 1: worker died")
    assert both(tmp_path / OUT) == undisturbed


@pytest.mark.ray
def test_a_band_that_always_kills_is_named(tmp_path, source, tiny, undisturbed, cluster):
    """After three attempts one line names page and rows; the rest is kept, and a healthy run paints one band."""
    with pytest.raises(SourceError, match=r"band 5 \(page 0, rows 320 to 383\) failed after 3 attempts: worker died"):
        color(source, tmp_path / OUT, tiny, make=dying(5), ray="local", workers=2)
    assert left(tmp_path) == [OUT + ".job"]
    assert color(source, tmp_path / OUT, tiny).painted == 1
    assert both(tmp_path / OUT) == undisturbed


@pytest.mark.parametrize("harm", ["receipt", "blocks", "short blocks", "half a receipt"])
def test_what_a_crash_left_is_not_trusted(tmp_path, source, tiny, undisturbed, harm):
    """A receipt without its blocks, the reverse, or half of either, is work not done: it is done again."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    out.unlink()
    receipt = min((job / "ledger").iterdir())
    blocks = job / json.loads(receipt.read_text())["file"]
    if harm == "receipt":
        receipt.unlink()
    elif harm == "blocks":
        blocks.unlink()
    elif harm == "short blocks":
        blocks.write_bytes(blocks.read_bytes()[:-1])
    else:
        receipt.write_text(receipt.read_text()[:100])
    assert color(source, out, tiny, folder=job).painted == 1
    assert both(out) == undisturbed


def test_blocks_that_rot_are_painted_anew(tmp_path, source, tiny, undisturbed):
    """A changed byte in a band's blocks is found when they are joined; the same command paints that band."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    out.unlink()
    blocks = min(job.glob("*.blocks"))
    data = bytearray(blocks.read_bytes())
    data[-1] ^= 1
    blocks.write_bytes(data)
    with pytest.raises(JoinError, match="run the same command again"):
        color(source, out, tiny, folder=job)
    assert left(tmp_path) == ["job", OUT + ".json"]
    assert color(source, out, tiny, folder=job).painted == 1
    assert both(out) == undisturbed


def smudging(number):
    """Makes painters that change one sample of a band on its way to the encoder, as failing memory would."""

    def make(settings, job, limits):
        class Smudging(BandPainter):
            def _blocks(self, rows, band):
                if band.number == number:
                    rows = rows.copy()
                    rows[3, 5, 1] ^= 8
                yield from super()._blocks(rows, band)

        return Smudging(open_painter(settings, job, limits).colorizer, job, limits)

    return make


def test_a_failed_check_repaints_what_it_doubts(tmp_path, source, tiny, undisturbed):
    """Nothing is published, one line names the luma, and the same command paints that band anew."""
    out = tmp_path / OUT
    with pytest.raises(JoinError, match=rf"luma, page 0: .*it paints 1 of {BANDS} bands anew"):
        color(source, out, tiny, make=smudging(4))
    assert left(tmp_path) == [OUT + ".job"]
    assert color(source, out, tiny).painted == 1
    assert both(out) == undisturbed
    assert left(tmp_path) == [OUT, OUT + ".json"]


def test_another_setting_or_source_is_another_job(tmp_path, source, tiny, several):
    """Kept bands serve only what they were painted for: another compression repaints, another source too."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    assert color(source, out, tiny, folder=job, compression="lzw", overwrite=True).painted == BANDS
    other = plate(tmp_path / "other.tif", seed=1)
    assert color(other, out, tiny, folder=job, overwrite=True).painted == BANDS
    assert np.array_equal(luma_codes(tifffile.imread(out)), tifffile.imread(other))


def test_a_plan_that_makes_no_sense_is_refused(tmp_path, source, tiny, several):
    """Text that is no plan, or a look of another network: one line that names the file; never a guess."""
    job, out = tmp_path / "job", tmp_path / OUT
    color(source, out, tiny, folder=job)
    out.unlink()
    good = (job / "plan.json").read_text()
    values = json.loads(good)
    short = {**values, "pages": [{**values["pages"][0], "look": values["pages"][0]["look"][:16]}]}
    for text in ("{}", "[1, 2]", good[:200], json.dumps(short)):
        (job / "plan.json").write_text(text)
        with pytest.raises(LedgerError, match=r"plan\.json"):
            color(source, out, tiny, folder=job)


def test_a_vanished_source_is_one_line(tmp_path, tiny, several):
    """A source that disappears between survey and painting ends the run with its name, and nothing is published."""
    source = plate(tmp_path / "in.tif")

    def make(settings, job, limits):
        painter = open_painter(settings, job, limits)
        source.unlink(missing_ok=True)
        return painter

    with pytest.raises(SourceError, match=r"in\.tif"):
        color(source, tmp_path / OUT, tiny, make=make)
    assert not (tmp_path / OUT).exists()


def test_damage_inside_is_found_before_anything_is_published(tmp_path, tiny, several):
    """A strip that does not decode names itself; no file appears."""
    source = plate(tmp_path / "in.tif")
    with tifffile.TiffFile(source) as tiff:
        place, size = tiff.pages[0].dataoffsets[6], tiff.pages[0].databytecounts[6]
    data = bytearray(source.read_bytes())
    data[place : place + size] = bytes(size)
    source.write_bytes(data)
    with pytest.raises(DamagedSource, match="strip 7 of 12"):
        color(source, tmp_path / OUT, tiny)
    assert left(tmp_path) == ["in.tif"]


@pytest.mark.parametrize("room", [20_000, 300_000, 800_000], ids=["plan", "bands", "output"])
def test_a_full_disk_is_one_line_and_leaves_no_half_file(tmp_path, source, tiny, undisturbed, room):
    """Files that may not grow beyond a size stand for a disk that is full; with room, the same command goes on."""
    import sys

    command = ["scan", source, tmp_path / OUT, "--weights", tiny, "--working-size", "32", "--precision", "fp32",
               "--tile", "64", "--pyramid"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(room), *map(str, command)], capture_output=True, text=True, check=False,
        env=environment(), timeout=240,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot be written: File too large" in one_line(done)
    assert not (tmp_path / OUT).exists()
    color(source, tmp_path / OUT, tiny)
    assert both(tmp_path / OUT) == undisturbed


# --- the command, killed


@pytest.fixture(scope="module")
def album(tmp_path_factory, tiny):
    """Eight pages, so eight bands; the command that colors them, and the bytes it gives undisturbed."""
    home = tmp_path_factory.mktemp("album")
    source = plate(home / "in.tif", 600, 500, pages=8)
    options = ["--weights", tiny, "--working-size", 32, "--precision", "fp32", "--tile", 64, "--pyramid"]
    assert run_command("scan", source, home / OUT, *options).returncode == 0
    return source, options, both(home / OUT)


def start(source, out, options):
    """The command, reporting in JSON lines."""
    return subprocess.Popen(
        command_line("scan", source, out, *options, "--progress", "json"), env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_interrupts,
    )  # fmt: skip


@pytest.mark.parametrize("moment", ["survey", "band", "joining", "checking"])
def test_a_killed_command_goes_on(tmp_path, album, moment):
    """SIGKILL at any stage: nothing under the final name, and the same command ends in the same bytes."""
    source, options, wanted = album
    child = start(source, tmp_path / OUT, options)
    seen = 0
    for line in child.stdout:
        event = json.loads(line)["event"]
        seen += event == moment
        if seen == (3 if moment == "band" else 1):
            child.send_signal(signal.SIGKILL)
            break
    child.communicate()
    assert not (tmp_path / OUT).exists()
    done = run_command("scan", source, tmp_path / OUT, *options)
    assert done.returncode == 0, done.stderr
    assert both(tmp_path / OUT) == wanted
    assert left(tmp_path) == [OUT, OUT + ".json"]


def test_ctrl_c_is_one_line(tmp_path, album):
    """Exit code 130, one line with what is safe, and the same command goes on."""
    source, options, wanted = album
    child = start(source, tmp_path / OUT, options)
    for line in child.stdout:
        if json.loads(line)["event"] == "band":
            child.send_signal(signal.SIGINT)
            break
    _, said = child.communicate()
    assert child.returncode == 130
    [line] = said.strip().splitlines()
    assert line.startswith("Stopped. ")
    assert "Run it again to continue" in line
    assert run_command("scan", source, tmp_path / OUT, *options).returncode == 0
    assert both(tmp_path / OUT) == wanted


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path, album):
    """Twenty kills at seeded moments on the way: whatever was done when it happened, the bytes are the same."""
    source, options, wanted = album
    chance, kills = random.Random(11), 0
    began = time.monotonic()
    assert run_command("scan", source, tmp_path / "measured.tif", *options).returncode == 0
    whole = time.monotonic() - began
    while kills < 20:
        out = tmp_path / f"{kills}.tif"
        for _ in range(4):
            child = start(source, out, options)
            try:
                child.communicate(timeout=chance.uniform(0.2, 1.0) * whole)
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                kills += 1
        else:
            assert run_command("scan", source, out, *options).returncode == 0
        assert out.read_bytes() == wanted[0]
    assert not [name for name in left(tmp_path) if "part" in name or name.endswith(".job")]


def test_runs_of_bands_cover_every_page(tmp_path, tiny, several):
    """Bands follow each other, begin at rows of tiles and cover each page once; ids differ."""
    source = plate(tmp_path / "in.tif", pages=2)
    result = color(source, tmp_path / OUT, tiny)
    bands = result.plan.units()
    assert len({band.id for band in bands}) == len(bands)
    for number in (0, 1):
        mine = [band for band in bands if band.page == number]
        assert mine[0].top == 0
        assert mine[-1].bottom == HEIGHT
        assert all(a.bottom == b.top and b.top % 64 == 0 for a, b in pairwise(mine))


def test_an_unwritable_folder_is_refused(tmp_path, source, tiny, monkeypatch):
    """A job folder that cannot be made is one line, before the survey."""
    (tmp_path / "job").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="job"):
        color(source, tmp_path / OUT, tiny, folder=tmp_path / "job")
