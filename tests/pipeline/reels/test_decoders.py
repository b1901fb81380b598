"""Two decoders of numbered pictures: FFmpeg is believed where the reader of stills sees the same, in every kind there
is in a sequence; else all is read as scans are, and that is said."""

import json
import os
import shutil
import struct
from pathlib import Path

import av
import imagecodecs
import numpy as np
import pytest
import tifffile

from colorizer.basis.errors import DamagedSource, SourceError, UnsupportedSource
from pipeline.reels.decode import Reader
from pipeline.reels.decoders import choose
from pipeline.reels.pictures import FFMPEG, STILLS
from pipeline.reels.reel import Reel, probe
from tests.endtoend import color, story, verify
from tests.synthetic import stamped
from tests.tiffs import noise, packed, whole

FRAMES = 7
ODD = 4
HIGH, WIDE = 48, 64
GRAY = {"photometric": "minisblack"}


def picture(number, seed=1):
    """A stamped 16-bit picture, so that a frame out of place is seen."""
    luma = stamped(number, (WIDE, HIGH), 16, True, 0).astype(np.uint16)
    return np.maximum(luma, noise(luma.shape, seed=seed) >> 4)


def rgb(luma):
    return np.dstack([luma, luma // 2, luma // 3 + 9])


KINDS = {
    "gray": lambda path, luma: tifffile.imwrite(path, luma, metadata=None, **GRAY),
    "big-endian": lambda path, luma: tifffile.imwrite(path, luma, metadata=None, byteorder=">", **GRAY),
    "LZW, predictor": lambda path, luma: tifffile.imwrite(
        path, luma, metadata=None, compression="lzw", predictor=2, **GRAY
    ),
    "tiles": lambda path, luma: tifffile.imwrite(path, luma, metadata=None, tile=(16, 16), **GRAY),
    "BigTIFF": lambda path, luma: tifffile.imwrite(path, luma, metadata=None, bigtiff=True, **GRAY),
    "half": lambda path, luma: tifffile.imwrite(path, (luma / 65535).astype(np.float16), metadata=None, **GRAY),
    "float": lambda path, luma: tifffile.imwrite(path, (luma / 65535).astype(np.float32), metadata=None, **GRAY),
    "0 is white": lambda path, luma: tifffile.imwrite(path, luma, metadata=None, photometric="miniswhite"),
    "signed": lambda path, luma: tifffile.imwrite(path, (luma >> 1).astype(np.int16), metadata=None, **GRAY),
    "32 bits": lambda path, luma: tifffile.imwrite(path, luma.astype(np.uint32) << 16, metadata=None, **GRAY),
    "ZSTD": lambda path, luma: tifffile.imwrite(path, luma, metadata=None, compression="zstd", **GRAY),
}
"""Gray TIFF that becomes 16 bits."""
COLORS = {
    "RGB": lambda path, luma: tifffile.imwrite(path, rgb(luma), metadata=None, photometric="rgb"),
    "planes": lambda path, luma: tifffile.imwrite(
        path, np.moveaxis(rgb(luma), 2, 0), metadata=None, photometric="rgb", planarconfig="separate"
    ),
    "tiles of RGB": lambda path, luma: tifffile.imwrite(
        path, rgb(luma), metadata=None, photometric="rgb", tile=(16, 32)
    ),
    "RGB of floats": lambda path, luma: tifffile.imwrite(
        path, (rgb(luma) / 65535).astype(np.float32), metadata=None, photometric="rgb"
    ),
    "RGB, LZW, predictor": lambda path, luma: tifffile.imwrite(
        path, rgb(luma), metadata=None, photometric="rgb", compression="lzw", predictor=2
    ),
}


def sequence(folder, write, odd=None, suffix="tif"):
    """Numbered pictures of one kind; one in the middle of another. Their pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FRAMES):
        (odd if odd and number == ODD else write)(folder / f"{number:04d}.{suffix}", picture(number))
    return str(folder / f"%04d.{suffix}")


def lumas(uri):
    with Reader(uri if isinstance(uri, Reel) else probe(str(uri))) as reader:
        return [frame.luma for frame in reader]


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_of_another_kind(studio, tmp_path, kind):
    """Every luma code of the output is the one that the reader of stills has of that very picture."""
    pattern, out = sequence(tmp_path / "in", KINDS["gray"], KINDS[kind]), tmp_path / "out.mkv"
    result = color(pattern, out, studio.weights)
    for number, luma in enumerate(lumas(out)):
        np.testing.assert_array_equal(luma, whole(Path(pattern % number)))
    said = json.loads(Path(f"{out}.json").read_text())
    reel = said["plan"]["reel"]
    if reel["decoder"] == STILLS:
        assert f"{ODD:04d}.tif" in reel["remarks"][0]
        assert reel["remarks"][0] in said["notes"]
        assert reel["remarks"][0] in result.plan.notes
    if kind != "gray":
        assert any(f"stored otherwise: {ODD:04d}.tif" in note for note in said["notes"])
    assert verify(pattern, out)[0] == 0


@pytest.mark.parametrize("kind", [*KINDS, *COLORS])
def test_a_sequence_of_one_kind(tmp_path, kind):
    """All of them are as the reader of stills has them; of colors with the luma of the same matrix."""
    pattern = sequence(tmp_path / "in", (KINDS | COLORS)[kind])
    reel = probe(pattern)
    assert reel.coding.matrix == "bt601"
    for number, luma in enumerate(lumas(reel)):
        np.testing.assert_array_equal(luma, whole(Path(pattern % number)))


@pytest.mark.parametrize(("kind", "decoder"), [("gray", FFMPEG), ("RGB, LZW, predictor", FFMPEG), ("tiles", STILLS)])
def test_ffmpeg_is_taken_where_it_sees_the_same(tmp_path, kind, decoder):
    """It is faster; what it sees otherwise, or not, the reader of stills reads."""
    assert probe(sequence(tmp_path / "in", (KINDS | COLORS)[kind])).decoder == decoder


def test_a_kind_is_looked_at_in_its_first_sound_picture(tmp_path):
    """Where the first tiled one is cut, the second one tells."""
    pattern = sequence(tmp_path / "in", KINDS["gray"])
    for number in (2, 5):
        KINDS["tiles"](Path(pattern % number), picture(number))
    path = Path(pattern % 2)
    path.write_bytes(path.read_bytes()[:-2000])
    reel = probe(pattern)
    assert reel.decoder == STILLS
    np.testing.assert_array_equal(lumas(reel)[5], picture(5))


@pytest.mark.parametrize("samples", [1, 3])
def test_packed_dpx_keeps_its_codes(studio, tmp_path, samples):
    """Ten bits that FFmpeg does not unpack: the codes are those that the file holds."""
    rows = noise((HIGH, WIDE, samples), bits=10)
    header = bytearray(2048)
    struct.pack_into(">4sI", header, 0, b"SDPX", 2048)
    struct.pack_into(">HHII", header, 768, 0, 1, WIDE, HIGH)
    struct.pack_into(">BBBBHHI", header, 800, 6 if samples == 1 else 50, 0, 0, 10, 0, 0, 2048)
    words = b""
    for row in rows.reshape(HIGH, -1):
        total = sum(int(code) << (10 * place) for place, code in enumerate(row))
        count = -(-len(row) * 10 // 32)
        words += b"".join(struct.pack(">I", total >> (32 * i) & 0xFFFFFFFF) for i in range(count))
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number:04d}.dpx").write_bytes(bytes(header) + words)
    pattern, out = str(tmp_path / "in/%04d.dpx"), tmp_path / "out.mkv"
    reel = probe(pattern)
    assert (reel.decoder, reel.coding.bits) == (STILLS, 10)
    with Reader(reel) as reader:
        first = next(reader)
        planes = [np.frombuffer(p, "<u2").reshape(HIGH, -1)[:, :WIDE] for p in reader.raw.planes]
    for place, plane in zip([0] if samples == 1 else [1, 2, 0], planes, strict=True):
        np.testing.assert_array_equal(plane, rows[..., place])
    color(pattern, out, studio.weights)
    assert np.array_equal(lumas(out)[0], first.luma)
    assert verify(pattern, out)[0] == 0


def write_exr(path, light, names="Y"):
    """A still of floats by FFmpeg's encoder. light: (h, w) or (h, w, 3)."""
    context = av.CodecContext.create("exr", "w")
    context.width, context.height = WIDE, HIGH
    context.pix_fmt, context.time_base = ("grayf32le" if light.ndim == 2 else "gbrpf32le"), 1
    frame = av.VideoFrame(WIDE, HIGH, context.pix_fmt)
    planes = [light] if light.ndim == 2 else [light[..., i] for i in (1, 2, 0)]
    for plane, values in zip(frame.planes, planes, strict=True):
        lines = np.zeros((HIGH, plane.line_size // 4), np.float32)
        lines[:, :WIDE] = values
        plane.update(lines.tobytes())
    path.write_bytes(b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)]))


@pytest.mark.parametrize("colored", [False, True])
def test_light_is_coded_with_a_named_curve(studio, tmp_path, colored):
    """OpenEXR is shown as scans of it are, its transfer is told, and the tag in the output says so."""

    def write(path, luma):
        light = (luma / 65535).astype(np.float32)
        write_exr(path, rgb(luma).astype(np.float32) / 65535 if colored else light)

    pattern, out = sequence(tmp_path / "in", write, suffix="exr"), tmp_path / "out.mkv"
    result = color(pattern, out, studio.weights)
    for number, luma in enumerate(lumas(out)):
        np.testing.assert_array_equal(luma, whole(Path(pattern % number)))
    assert any("0 to 1 as black to white of linear light, coded with the curve of sRGB" in r for r in result.plan.notes)
    assert (probe(pattern).tags[2], probe(str(out)).tags[2]) == (13, 13)
    assert verify(pattern, out)[0] == 0


@pytest.mark.parametrize("kind", ["exr", "tif"])
def test_one_range_for_all_floats(tmp_path, kind):
    """A brighter picture is brighter: what is black and white does not change from frame to frame."""
    (tmp_path / "in").mkdir()
    ramp = np.linspace(0, 1, WIDE * HIGH, dtype=np.float32).reshape(HIGH, WIDE)
    for number in range(FRAMES):
        path, light = tmp_path / "in" / f"{number:04d}.{kind}", ramp * (1 + number)
        write_exr(path, light) if kind == "exr" else tifffile.imwrite(path, light, metadata=None, **GRAY)
    reel = probe(str(tmp_path / f"in/%04d.{kind}"))
    assert reel.span is not None
    assert reel.span[1] == pytest.approx(FRAMES, rel=0.01)
    means = [float(luma.mean()) for luma in lumas(reel)]
    assert means == sorted(means)
    assert means[-1] > 1.5 * means[0]
    assert Reel.from_json(json.loads(json.dumps(reel.to_json()))) == reel


def jpeg(path, luma):
    path.write_bytes(imagecodecs.jpeg_encode((luma >> 8).astype(np.uint8), level=90))


def color_jpeg(path, luma):
    path.write_bytes(imagecodecs.jpeg_encode((rgb(luma) >> 8).astype(np.uint8), level=90, subsampling="420"))


def jp2(path, luma):
    path.write_bytes(imagecodecs.jpeg2k_encode(luma, level=0, reversible=True))


def lossy_jp2(path, luma):
    path.write_bytes(imagecodecs.jpeg2k_encode((luma >> 8).astype(np.uint8), level=30))


@pytest.mark.parametrize(
    ("suffix", "write"), [("jpg", jpeg), ("jpeg", color_jpeg), ("jp2", jp2), ("j2k", lossy_jp2)],
    ids=["JPEG", "JPEG in color", "JPEG 2000", "lossy JPEG 2000"],
)  # fmt: skip
def test_jpeg_sequences(studio, tmp_path, suffix, write):
    """The luma is the coded Y, as libjpeg and OpenJPEG have it; a cut picture is named."""
    pattern, out = sequence(tmp_path / "in", write, suffix=suffix), tmp_path / "out.mkv"
    path = Path(pattern % 5)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    color(pattern, out, studio.weights)
    for number, luma in enumerate(lumas(out)):
        np.testing.assert_array_equal(luma, whole(Path(pattern % (4 if number == 5 else number))))
    assert len(story(out).times) == FRAMES
    code, told = verify(pattern, out)
    assert code == 0
    assert f"0005.{suffix}: " in next(line for line in told.splitlines() if line.startswith("lost  pictures"))


def test_one_true_sentence_for_each_fault(tmp_path):
    """Damaged, not read, too large, and not permitted are four things."""
    folder = tmp_path / "in"
    pattern = sequence(folder, KINDS["gray"])
    for number in range(FRAMES):
        path = Path(pattern % number)
        path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DamagedSource, match=r"0000\.tif: .*damaged"):
        probe(pattern)
    dpx = bytearray(2048 + 4 * WIDE * HIGH)
    struct.pack_into(">4sI", dpx, 0, b"SDPX", 2048)
    struct.pack_into(">HHII", dpx, 768, 0, 1, WIDE, HIGH)
    struct.pack_into(">BBBBHHI", dpx, 800, 50, 0, 0, 64, 0, 0, 2048)
    (folder / "a0.dpx").write_bytes(dpx)
    with pytest.raises(UnsupportedSource, match=r"a0\.dpx: a kind of DPX that is not read; convert it"):
        probe(str(folder / "a%d.dpx"))
    (folder / "b0.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 70000, 70000, 8, 0, 0, 0, 0) + bytes(40)
    )
    with pytest.raises(UnsupportedSource, match=r"b0\.png: says it is 70000 x 70000 pixels, more than"):
        probe(str(folder / "b%d.png"))
    (folder / "c0.tif").write_bytes(b"")
    with pytest.raises(SourceError, match=r"c0\.tif: the file is empty"):
        probe(str(folder / "c%d.tif"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_a_picture_that_may_not_be_read(tmp_path):
    """Its permissions are what is wrong with it."""
    pattern = sequence(tmp_path / "in", KINDS["gray"])
    Path(pattern % 3).chmod(0)
    with pytest.raises(SourceError, match=r"0003\.tif: cannot be read: Permission denied"):
        probe(pattern)


def test_few_bits_are_read_as_scans_are(tmp_path):
    """12 bits whose white is 0, which FFmpeg has beyond their range, keep their codes turned around."""
    codes = noise((HIGH, WIDE), bits=12)
    (tmp_path / "in").mkdir()
    packed(tmp_path / "in/0.tif", codes, 12, white=True)
    reel = probe(str(tmp_path / "in/%d.tif"))
    assert reel.coding.bits == 12
    np.testing.assert_array_equal(lumas(reel)[0], 4095 - codes)


def test_headers_are_read_and_one_picture_of_a_kind_is_decoded(tmp_path, monkeypatch):
    """A reel of many pictures of one kind costs two decodes to choose by."""
    pattern = sequence(tmp_path / "in", KINDS["gray"])
    read = []
    monkeypatch.setattr(
        "pipeline.reels.decoders.read_still", lambda path, *rest: read.append(path) or _original(path, *rest)
    )
    from pipeline.stills.frame import read_still as _original

    assert choose(pattern, 0, FRAMES).decoder == FFMPEG
    assert [path.name for path in read] == ["0000.tif"]
    shutil.rmtree(tmp_path / "in")
