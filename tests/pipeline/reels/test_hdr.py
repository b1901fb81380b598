"""HDR10: the mastering display and the light levels of a source are in its output, wherever that can say them."""

import json
import re
import shutil
import struct
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError
from pipeline.census import mastering
from pipeline.containers import matroska, sample_entry
from pipeline.containers.containers import CONTAINERS
from pipeline.containers.ebml import parse
from pipeline.containers.profiles import PROFILES
from pipeline.reels.beside import check_hdr
from pipeline.reels.reel import Reel, probe
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.hdr import NO_HDR, Hdr
from tests.endtoend import MEDIA, color, verify
from tests.synthetic import write_reel

DISPLAY = (35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450)
GRADED = Hdr(DISPLAY, (50, 10_000_000), (1000, 400))
LARGE = (256, 144)  # DNxHR takes no smaller ones


def hdr_in(path: Path, where: str, hdr: Hdr = GRADED) -> Path:
    """A reel that says `hdr` in its pictures, or in its container alone: "sei", "matroska", "boxes"."""
    if where == "sei":
        options = {"x265-params": f"log-level=none:{':'.join(PROFILES['hevc'].codec.hdr[1](hdr))}"}
        return write_reel(path, 3, LARGE, pix_fmt="yuv420p10le", codec="libx265", options=options)
    codec, pix_fmt = ("ffv1", "gray10le") if where == "matroska" else ("prores_ks", "yuv422p10le")
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=24)
        video.width, video.height, video.pix_fmt = *LARGE, pix_fmt
        if where == "matroska":
            video.metadata["title"] = matroska.reserve("", True)
        for i in range(3):
            frame = av.VideoFrame(*LARGE, pix_fmt)
            for plane in frame.planes:
                plane.update(bytes([i, 1]) * (plane.buffer_size // 2))
            frame.pts = i
            out.mux(video.encode(frame))
        out.mux(video.encode())
    set_picture = matroska.set_picture if where == "matroska" else sample_entry.set_picture
    set_picture(path, 0, Fraction(1), hdr)
    return path


def ffprobe_hdr(path: Path) -> Hdr:
    """What ffprobe says of stream and first frame: before FFmpeg 6.1 a container's words are not the frame's."""
    words = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_streams", "-show_frames", "-of", "json"]
    done = subprocess.run([*words, str(path)], capture_output=True, check=True, text=True)
    found, said = json.loads(done.stdout), {}
    for entry in (*found["streams"][0].get("side_data_list", []), *found["frames"][0].get("side_data_list", [])):
        said.update(entry)
    chromaticities = [f"{who}_{axis}" for who in ("red", "green", "blue", "white_point") for axis in "xy"]
    return Hdr(
        tuple(round(Fraction(said[name]) * 50_000) for name in chromaticities),
        tuple(round(Fraction(said[name]) * 10_000) for name in ("min_luminance", "max_luminance")),
        (said["max_content"], said["max_average"]),
    )


@pytest.mark.parametrize(
    ("where", "suffix"), [("sei", ".mkv"), ("sei", ".mp4"), ("matroska", ".mkv"), ("boxes", ".mov")]
)
def test_the_source_is_read(tmp_path, where, suffix):
    """In units of the standards, whether the pictures say it or the container does."""
    assert probe(str(hdr_in(tmp_path / f"in{suffix}", where))).hdr == GRADED


@pytest.mark.parametrize(
    ("profile", "suffix"), [(p.name, c.suffix) for p in PROFILES.values() for c in p.containers if c.hdr]
)
def test_outputs_say_it(studio, tmp_path, profile, suffix):
    """Every profile, in every container but MXF; `verify` reads it anew; FFmpeg's own ffprobe reads the same units."""
    source, out = hdr_in(tmp_path / "in.mkv", "sei"), tmp_path / f"out{suffix}"
    assert not [loss for loss in color(source, out, studio.weights, profile=profile).lost if "HDR" in loss]
    code, said = verify(source, out)
    assert (code, said.count("ok    HDR ")) == (0, 2), said
    assert probe(str(out)).hdr == GRADED
    if shutil.which("ffprobe"):
        assert ffprobe_hdr(out) == GRADED
    if shutil.which("mediainfo"):
        text = subprocess.run(["mediainfo", out], capture_output=True, text=True, check=True).stdout
        said = dict(re.split(r" +: ", line, maxsplit=1) for line in text.splitlines() if " : " in line)
        assert said["Mastering display luminance"] == "min: 0.0050 cd/m2, max: 1000 cd/m2", said
        levels = [said[f"Maximum {what} Light Level"].split()[0] for what in ("Content", "Frame-Average")]
        assert levels == ["1000", "400"]


def test_mxf_names_it(studio, tmp_path):
    """The one container that does not hold it says so, and which ones do."""
    source, out = hdr_in(tmp_path / "in.mkv", "sei"), tmp_path / "out.mxf"
    lost = [loss for loss in color(source, out, studio.weights, profile="dnxhr").lost if "HDR" in loss]
    assert len(lost) == 2
    assert all(loss.endswith("became none; .mxf files do not hold it, .mkv, .mov, .mp4, .webm do)") for loss in lost)
    assert verify(source, out)[0] == 0


@pytest.mark.media
@pytest.mark.skipif(not (MEDIA / "video_odd").exists(), reason=f"no media at {MEDIA}")
@pytest.mark.parametrize("name", ["prores_hdr10.mxf", "hevc_hdr10_rot.mkv"])
def test_real_films_hdr_is_carried(studio, tmp_path, name):
    """A master in MXF, and a Matroska file: their words are in the output, and not named as lost besides."""
    source, out = MEDIA / "video_odd" / name, tmp_path / "out.mkv"
    lost = color(source, out, studio.weights, stop="0.2").lost
    assert not [loss for loss in lost if "HDR" in loss or "property" in loss], lost
    assert probe(str(out)).hdr == probe(str(source)).hdr != NO_HDR
    assert verify(source, out)[0] == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_container_that_says_another_display(studio, tmp_path, suffix):
    """The pictures' words are carried; those of the container, which are others, are named, and nothing else is."""
    source, out = hdr_in(tmp_path / "pictures.mp4", "sei"), tmp_path / "out.mkv"
    if suffix == ".mkv":
        source = remuxed(source, tmp_path / "in.mkv", title=matroska.reserve("", True))
    other = Hdr((34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450), (100, 6_000_000), (600, 400))
    (matroska if suffix == ".mkv" else sample_entry).set_picture(source, 0, Fraction(1), other)
    lost = color(source, out, studio.weights).lost
    display = "R 0.68 0.32, G 0.265 0.69, B 0.15 0.06, W 0.3127 0.329, 0.01 to 600 cd/m2"
    assert len([loss for loss in lost if display in loss]) == 1, lost
    assert len([loss for loss in lost if "MaxCLL 600" in loss]) == 1, lost
    assert not [loss for loss in lost if "R 0.708" in loss or "MaxCLL 1000" in loss], lost
    assert probe(str(out)).hdr == GRADED
    assert verify(source, out)[0] == 0


def remuxed(source: Path, path: Path, title: str) -> Path:
    """The same packets, the track under a title."""
    with av.open(str(source)) as read, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(read.streams.video[0])
        video.metadata["title"] = title
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
    return path


def test_an_output_that_lost_it_fails(studio, tmp_path):
    """`verify` reads the file, not what was planned: a Void in the place of the mastering display is noticed."""
    source, out = hdr_in(tmp_path / "in.mkv", "matroska"), tmp_path / "out.mkv"
    color(source, out, studio.weights)
    data = out.read_bytes()
    assert data.count(b"\x55\xd0") == 1
    out.write_bytes(data.replace(b"\x55\xd0", b"\x55\xdf"))  # an element that nobody knows
    assert sidecar_of(out).exists()
    code, said = verify(source, out)
    assert code == 1
    assert "HDR mastering display" in next(line for line in said.splitlines() if line.startswith("FAIL  HDR")), said


@given(
    st.lists(st.integers(0, 50_000), min_size=8, max_size=8), st.lists(st.integers(0, 1 << 20), min_size=2, max_size=2)
)
def test_words_of_containers(primaries, luminance):
    """What we write into either container is read back in the same words."""
    hdr = Hdr(tuple(primaries), tuple(luminance), (1000, 400))
    boxes = sample_entry.hdr_boxes(hdr)
    assert [mastering.BOXES[b"mdcv"](boxes[8:32]), mastering.BOXES[b"clli"](boxes[40:])] == [hdr.display, hdr.levels]
    colour = matroska._colour_with_hdr(b"", hdr)
    said = [mastering.ELEMENTS[name](colour[e.body : e.stop]) for e in parse(colour) for name in NAMED[e.kind]]
    assert said == ["MaxCLL 1000", "MaxFALL 400", hdr.display]


NAMED = {0x55BC: ["MaxCLL"], 0x55BD: ["MaxFALL"], 0x55D0: ["MasteringMetadata"]}


@given(st.binary(max_size=80))
def test_any_bytes_of_containers(content):
    """Nothing in them is an error."""
    for read in (*mastering.BOXES.values(), *mastering.ELEMENTS.values()):
        assert isinstance(read(content), str)


def test_title_and_aspect_stay(tmp_path):
    """Room for HDR is given back: the track's own name, its aspect ratio and everything else are as they would be."""
    path = tmp_path / "a.mkv"
    for hdr in (NO_HDR, GRADED, replace(GRADED, light=()), replace(GRADED, luminance=()), Hdr(light=(65535, 1))):
        with av.open(str(path), "w") as out:
            video = out.add_stream("ffv1", rate=24)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p10le"
            video.codec_context.color_primaries = 9
            video.metadata["title"] = matroska.reserve("~Ton", bool(hdr))
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.pts = 0
            out.mux(video.encode(frame))
            out.mux(video.encode())
        matroska.set_picture(path, 0, Fraction(16, 15), hdr)
        reel = probe(str(path))
        assert (reel.hdr, reel.aspect, reel.tags[1]) == (hdr, Fraction(16, 15), 9)
        with av.open(str(path)) as made:
            assert made.streams.video[0].metadata["title"] == "~Ton"
        if shutil.which("mkvinfo"):
            said = subprocess.run(["mkvinfo", path], capture_output=True, text=True, check=True).stdout
            assert "(warning" not in said
            assert said.count("+ Maximum luminance: 1000") == bool(hdr.luminance), said


def test_movies_that_are_none_are_refused(tmp_path):
    """And stay as they are."""
    path = tmp_path / "a.mov"
    for data in (b"", b"no movie", struct.pack(">I4s", 8, b"moov") + bytes(8)):
        path.write_bytes(data)
        with pytest.raises(JoinError, match="mux it again"):
            sample_entry.set_picture(path, 0, Fraction(1), GRADED)
        assert path.read_bytes() == data


def test_half_a_mastering_display(tmp_path):
    """Boxes hold both halves or none: what they do not hold is said. Matroska holds either."""
    half = replace(GRADED, luminance=())
    assert sample_entry.hdr_boxes(half) == sample_entry.hdr_boxes(Hdr(light=(1000, 400)))
    [display, light] = check_hdr(half, Hdr(light=half.light), CONTAINERS[".mp4"])
    assert (display.holds, light.holds) == (False, True)
    assert display.detail.endswith("hold both chromaticities and luminances, or neither")
    assert all(f.holds for f in check_hdr(half, half, CONTAINERS[".mkv"]))


WORDS, LONGS = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@given(
    st.one_of(st.just(()), st.tuples(*[WORDS] * 8)), st.one_of(st.just(()), st.tuples(LONGS, LONGS)),
    st.one_of(st.just(()), st.tuples(WORDS, WORDS)),
)  # fmt: skip
def test_json_gives_it_back(primaries, luminance, light):
    """A plan's reel says all of it in whole numbers."""
    hdr = Hdr(primaries, luminance, light)
    assert bool(hdr) == bool(hdr.display or hdr.levels)
    reel = replace(PLAIN, hdr=hdr)
    assert Reel.from_json(json.loads(json.dumps(reel.to_json()))) == reel


@pytest.fixture(scope="module", autouse=True)
def _plain(tmp_path_factory):
    global PLAIN
    PLAIN = probe(str(write_reel(tmp_path_factory.mktemp("plain") / "in.mkv", 1)))


@pytest.mark.parametrize("wrong", [(DISPLAY[:7], (), ()), ((), (1,), ()), ((), (), (70_000, 1)), ((), (-1, 5), ())])
def test_what_no_format_says_is_no_hdr(wrong):
    """Counts and ranges of the standards."""
    with pytest.raises(ValueError, match=r"mastering|whole numbers"):
        Hdr(*wrong)
