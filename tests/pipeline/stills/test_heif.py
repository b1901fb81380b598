"""AVIF and HEIC as scans: luma as stored, in one piece or in tiles, and what the file says of itself."""

import io
import struct

import av
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import DamagedSource, SourceError, UnsupportedSource
from colorizer.painting.geometry import ORIENTATIONS
from pipeline.metadata.heif import ALPHA
from pipeline.stills.opening import open_scan
from pipeline.stills.reader import TRANSPARENCY
from tests.heif import Picture, av1, box, full, grid, heif, hevc, nclx, needs_x265
from tests.synthetic import texture
from tests.tiffs import noise, whole

EXIF = b"II*\0\x08\0\0\0\1\0\x0e\1\2\0\4\0\0\0sea\0\0\0\0\0"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


def put(path, data):
    """The path, with these bytes in it."""
    path.write_bytes(bytes(data))
    return path


def spread(codes, bits):
    """Codes of a depth over 16 bits."""
    top = 2**bits - 1
    return codes if bits == 8 else (codes.astype(np.uint32) * 65535 + top // 2) // top


def color(height=48, width=64):
    """A smooth RGB picture of 8 bits."""
    planes = [texture(0, width, height, shot) for shot in range(3)]
    return (np.stack(planes, -1) * 255).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 70), width=st.integers(1, 70), bits=st.sampled_from([8, 10, 12]), seed=st.integers(0, 99)
)  # fmt: skip
def test_gray_avif_keeps_its_codes(tmp_path_factory, height, width, bits, seed):
    """Of any size and depth, as imagecodecs writes it and box by box."""
    codes = noise((height, width), "u1" if bits == 8 else "u2", seed, bits)
    written = imagecodecs.avif_encode(codes, 100, speed=10, bitspersample=bits, pixelformat="400")
    for data in (written, heif(b"avif", [av1(codes, bits, pixelformat="400")])):
        with open_scan(put(tmp_path_factory.getbasetemp() / "a.avif", data)) as reader:
            assert np.array_equal(reader.read(0, 0, height, width), spread(codes, bits))
            scan = reader.scan
        assert (scan.format, scan.kind, scan.bits) == ("AVIF", "gray", 8 if bits == 8 else 16)
        assert ("spread" in scan.tone) == (bits != 8)


@pytest.mark.parametrize("subsampling", ["420", "422", "444"])
@pytest.mark.parametrize("bits", [8, 10])
def test_color_avif_gives_its_y(tmp_path, subsampling, bits):
    """Of YCbCr the luma is plane 0, as FFmpeg's own reader of AVIF finds it too."""
    rgb = color() if bits == 8 else color().astype(np.uint16) << 2
    data = imagecodecs.avif_encode(rgb, 80, speed=10, bitspersample=bits, pixelformat=subsampling)
    with av.open(io.BytesIO(data)) as container:
        plane = next(container.decode(video=0)).planes[0]
    kind = np.dtype("u1" if bits == 8 else "<u2")
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width * kind.itemsize]
    with open_scan(put(tmp_path / "a.avif", data)) as reader:
        assert np.array_equal(reader.read(0, 0, 48, 64), spread(np.ascontiguousarray(rows).view(kind), bits))
        assert (reader.scan.kind, reader.scan.color) == ("YCbCr", True)


def test_rgb_avif_has_rec_601_luma(tmp_path):
    """A lossless file stores R, G and B: the integer luma of those codes."""
    rgb = noise((33, 47, 3), "u1")
    found = whole(put(tmp_path / "a.avif", imagecodecs.avif_encode(rgb, 100, speed=10)))
    assert np.abs(found - rgb @ [0.299, 0.587, 0.114]).max() < 1


def test_alpha_is_told(tmp_path):
    """Transparency is an item of its own: the luma is as without, and the scan says that there is some."""
    rgba = np.dstack([color(), color()[..., 0]])
    with open_scan(put(tmp_path / "a.avif", imagecodecs.avif_encode(rgba, 80, speed=10))) as reader:
        assert reader.scan.alpha
    alpha = av1(rgba[..., 3], pixelformat="400")
    for urn in ALPHA:
        alpha.properties[2:] = [full(b"auxC", urn.encode() + b"\0")]
        data = heif(b"avif", [av1(color()), alpha], [(b"auxl", 2, [1])])
        with open_scan(put(tmp_path / "b.avif", data)) as reader:
            assert (reader.scan.alpha, reader.scan.metadata.lost) == (True, (TRANSPARENCY,))
    depth = av1(rgba[..., 3], pixelformat="400")
    depth.properties.append(full(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0"))
    data = heif(b"avif", [av1(color()), depth, alpha], [(b"auxl", 2, [1]), (b"auxl", 3, [1])])
    with open_scan(put(tmp_path / "c.avif", data)) as reader:
        assert reader.scan.alpha
        lost = [loss.name for loss in reader.scan.metadata.lost]
        assert lost == ["auxiliary picture urn:mpeg:hevc:2015:auxid:2", TRANSPARENCY.name]


@pytest.mark.parametrize("kind", ["avif", pytest.param("heic", marks=needs_x265)])
@pytest.mark.parametrize(("rows", "columns", "height", "width"), [(2, 3, 64, 96), (3, 2, 80, 50), (1, 2, 32, 64)])
def test_a_grid_is_one_picture(tmp_path, kind, rows, columns, height, width):
    """Tiles lie side by side, the last ones cut: the codes are those of the picture."""
    encode = hevc if kind == "heic" else lambda tile: av1(tile, pixelformat="400")
    side = 64 if kind == "heic" else 32  # x265 takes nothing smaller
    height, width = height * side // 32, width * side // 32
    codes = noise((rows * side, columns * side), "u1")
    places = [(y, x) for y in range(0, rows * side, side) for x in range(0, columns * side, side)]
    parts = [encode(np.ascontiguousarray(codes[y : y + side, x : x + side])) for y, x in places]
    for part in parts:
        part.hidden, part.properties = True, [*part.properties, nclx()]
    links = [(b"dimg", 1, list(range(2, 2 + len(parts))))]
    data = heif(kind.encode(), [grid(rows, columns, height, width, []), *parts], links)
    with open_scan(put(tmp_path / "a", data)) as reader:
        assert np.array_equal(reader.read(0, 0, height, width), codes[:height, :width])
        assert reader.scan.metadata.lost == ()
    missing = heif(kind.encode(), [grid(rows, columns, height, width, []), *parts[1:]], [(b"dimg", 1, links[0][2][1:])])
    with pytest.raises(DamagedSource, match="tiles"):
        open_scan(put(tmp_path / "b", missing))


@needs_x265
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_gray_heic_keeps_its_codes(tmp_path, bits):
    """Of 8 to 12 bits: the stored luma, with what is below black and above white in it."""
    codes = noise((48, 64), "u1" if bits == 8 else "u2", 0, bits)
    picture = hevc(codes, bits)
    picture.properties.append(nclx())
    with open_scan(put(tmp_path / "a.heic", heif(b"heic", [picture]))) as reader:
        assert np.array_equal(reader.read(0, 0, 48, 64), spread(codes, bits))
        assert (reader.scan.format, reader.scan.kind) == ("HEIC", "gray")


@pytest.mark.parametrize("bits", [8, 10])
def test_narrow_range_is_spread_and_told(tmp_path, bits):
    """Where the file says that black is 16 and white 235, black becomes 0 and white the highest code."""
    codes = np.array([[0, 16, 126, 235, 255]], np.uint16) << (bits - 8)
    picture = av1(codes.astype("u1" if bits == 8 else "u2"), bits, pixelformat="400")
    picture.properties.append(nclx(full_range=False))
    with open_scan(put(tmp_path / "a.avif", heif(b"avif", [picture]))) as reader:
        found = reader.read(0, 0, 1, 5)[0] / (255 if bits == 8 else 65535)
        assert f"Y of {16 << bits - 8} to {235 << bits - 8}" in reader.scan.tone
    assert np.abs(found - [0, 0, 110 / 219, 1, 1]).max() < 0.003


def turned(codes, properties):
    """What a viewer shows: rotations counterclockwise and mirrors in their order (ISO 23008-12, 6.5.10 and 6.5.12)."""
    for each in properties:
        value = each[8]
        codes = np.rot90(codes, value) if each[4:8] == b"irot" else codes[:, ::-1] if value else codes[::-1]
    return codes


@given(
    st.lists(st.one_of(st.integers(0, 3).map(lambda n: box(b"irot", bytes([n]))),
                       st.integers(0, 1).map(lambda n: box(b"imir", bytes([n])))), max_size=4, unique=True)
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_rotations_and_mirrors_are_an_orientation(tmp_path_factory, properties):
    """However a file turns its picture, TIFF's orientation turns the stored rows alike; Exif's has no say."""
    codes = np.arange(6, dtype=np.uint8).reshape(2, 3)
    picture = av1(codes, pixelformat="400")
    picture.properties += properties
    exif = Picture(b"Exif", bytes(4) + b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\3\0\0\0\0\0\0\0")
    data = heif(b"avif", [picture, exif], [(b"cdsc", 2, [1])])
    with open_scan(put(tmp_path_factory.getbasetemp() / "turned.avif", data)) as reader:
        turns, mirror = ORIENTATIONS[reader.scan.orientation]
        assert np.array_equal(reader.read(0, 0, 2, 3), codes)
    upright = np.rot90(codes, turns)
    assert np.array_equal(upright[:, ::-1] if mirror else upright, turned(codes, properties))


def test_words_are_carried_or_named(tmp_path):
    """Exif, XMP and ICC go along; other items, auxiliary and further pictures are named."""
    picture, gain = av1(color()), av1(color()[..., 0], pixelformat="400")
    picture.properties += [box(b"colr", b"prof" + imagecodecs.cms_profile("adobergb")), full(b"clap", bytes(32))]
    gain.properties.append(full(b"auxC", b"urn:com:apple:photo:2020:aux:hdrgainmap\0"))
    words = [Picture(b"Exif", bytes(4) + EXIF), Picture(b"mime", XMP, mime=b"application/rdf+xml")]
    words += [Picture(b"mime", b"?", mime=b"text/plain"), gain, av1(color())]
    links = [(b"cdsc", 2, [1]), (b"cdsc", 3, [1]), (b"cdsc", 4, [1]), (b"auxl", 5, [1])]
    with open_scan(put(tmp_path / "a.avif", heif(b"avif", [picture, *words], links))) as reader:
        scan = reader.scan
    assert scan.metadata.tags[270] == (2, b"sea")
    assert scan.metadata.xmp == XMP
    assert scan.icc == imagecodecs.cms_profile("adobergb")
    assert "ICC profile applied" in scan.tone
    assert tuple(map(str, scan.metadata.lost)) == (
        "an item of kind mime", "auxiliary picture urn:com:apple:photo:2020:aux:hdrgainmap", "1 more picture",
    )  # fmt: skip
    assert "crop" in scan.notes[0]


REFUSED = {
    "PQ": (lambda: heif(b"avif", [with_color(nclx(transfer=16))]), "PQ"),
    "HLG": (lambda: heif(b"avif", [with_color(nclx(transfer=18))]), "HLG"),
    "ICtCp": (lambda: heif(b"avif", [with_color(nclx(matrix=14))]), "matrix coefficients 14"),
    "an animation": (lambda: imagecodecs.avif_encode(noise((2, 20, 20, 3), "u1")), "moving picture"),
    "an overlay": (lambda: heif(b"avif", [Picture(b"iovl", b"", av1(color()).properties)]), "'iovl'"),
    "HEVC in AVIF": (lambda: heif(b"avif", [Picture(b"hvc1", b"", av1(color()).properties)]), "'hvc1'"),
}


def with_color(colr):
    """A picture with code points."""
    picture = av1(color(), level=80)
    picture.properties.append(colr)
    return picture


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_read_is_refused_in_one_line(tmp_path, what):
    """Other light than sRGB's, moving pictures and items of other kinds: the line says which."""
    data, told = REFUSED[what]
    with pytest.raises(UnsupportedSource, match=told) as raised:
        open_scan(put(tmp_path / "a.avif", data()))
    assert "\n" not in str(raised.value)


def test_memory_is_bounded(tmp_path):
    """Neither the file's header nor the bitstream's makes the codec allocate what is not there."""
    picture = av1(color(120, 160))
    data = heif(b"avif", [picture])
    with pytest.raises(UnsupportedSource, match="decode to"):
        open_scan(put(tmp_path / "a.avif", data), max_bytes=120 * 160 * 14)
    picture.properties[0] = full(b"ispe", struct.pack(">II", 60_000, 60_000))
    with pytest.raises(UnsupportedSource, match="decode to"):
        open_scan(put(tmp_path / "b.avif", heif(b"avif", [picture])))
    picture.properties[0] = full(b"ispe", struct.pack(">II", 64, 48))  # the bitstream says more
    with pytest.raises(DamagedSource, match="cannot be decoded"):
        open_scan(put(tmp_path / "c.avif", heif(b"avif", [picture])))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damaged_files_are_told_in_one_line(tmp_path_factory, data):
    """Cut anywhere, or with a byte changed: a picture, or one line."""
    words = [Picture(b"Exif", bytes(4) + EXIF)]
    tiles = [av1(noise((16, 16), "u1", n), pixelformat="400") for n in range(2)]
    links = [(b"dimg", 1, [2, 3]), (b"cdsc", 4, [1])]
    file = heif(b"avif", [grid(1, 2, 16, 30, []), *tiles, *words], links)
    place = data.draw(st.integers(0, len(file) - 1))
    cut = data.draw(st.booleans())
    changed = file[:place] if cut else file[:place] + bytes([data.draw(st.integers(0, 255))]) + file[place + 1 :]
    told = ""
    try:
        with open_scan(put(tmp_path_factory.getbasetemp() / "damaged.avif", changed), 0, 10**6, 1 << 26) as reader:
            assert reader.read(0, 0, 1, 1).shape == (1, 1)
    except SourceError as error:
        told = str(error)
    assert "\n" not in told


def test_a_cut_file_is_refused(tmp_path):
    """Half a picture is damaged, not half gray."""
    data = heif(b"avif", [av1(noise((64, 64, 3), "u1"))])
    for end in (len(data) - 1, len(data) * 2 // 3, 400):
        with pytest.raises(DamagedSource):
            open_scan(put(tmp_path / "a.avif", data[:end]))
