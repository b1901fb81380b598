"""Fields of known boxes, chunks and sets that no output holds: named where they say something, with what they say."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.census import isobmff_fields, riff_fields
from pipeline.census.walks import walked
from tests.elements import box, chunk, ebml, klv

UNITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
TURNED = (0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000)
MADE = 0xD0000000


def mvhd(times=(MADE, MADE), rate=0x10000, volume=0x100, matrix=UNITY, more=(0,) * 6):
    """A movie's header."""
    head = bytes(4) + struct.pack(">IIIIih", *times, 600, 600, rate, volume)
    return box(b"mvhd", head + bytes(10) + struct.pack(">9i", *matrix) + struct.pack(">6I", *more) + bytes(4))


def tkhd(times=(MADE, MADE), flags=7, layer=0, group=0, volume=0x100, matrix=UNITY, size=(64, 48)):
    """A track's header."""
    head = struct.pack(">IIIIII", flags, *times, 1, 0, 600) + bytes(8)
    shown = struct.pack(">II", size[0] << 16, size[1] << 16)
    return box(
        b"tkhd", head + struct.pack(">hhh", layer, group, volume) + bytes(2) + struct.pack(">9i", *matrix) + shown
    )


def track(head, *media, entry=b"", edits=b"", kind=b"vide", skip=78):
    """A track with a sample entry. entry: boxes in it."""
    stsd = box(b"stsd", bytes(8) + box(b"avc1", bytes(skip) + entry))
    hdlr = box(b"hdlr", bytes(8) + kind + bytes(12))
    return box(b"trak", head + edits + box(b"mdia", hdlr + b"".join(media) + box(b"minf", box(b"stbl", stsd))))


def movie(*parts):
    """A file of one movie."""
    return box(b"ftyp", b"isom") + box(b"moov", b"".join(parts))


def lost(data, tmp_path):
    """What is named of a file's bytes, as people read it."""
    (tmp_path / "a").write_bytes(data)
    return [str(loss).removeprefix("MP4 field moov/") for loss in walked(tmp_path / "a").lost]


def test_usual_fields_say_nothing(tmp_path):
    """A picture as it stands, one that is turned into sight, one that the film's own matrix turns; times all alike."""
    for head in (tkhd(), tkhd(matrix=TURNED), tkhd(flags=15, volume=0), tkhd(group=1)):
        assert lost(movie(mvhd(), track(head)), tmp_path) == []
    moved = (*UNITY[:6], 48 << 16, 0, UNITY[8])
    assert lost(movie(mvhd(matrix=TURNED), track(tkhd(matrix=moved))), tmp_path) == []
    elst = box(b"edts", box(b"elst", bytes(4) + struct.pack(">IIihH", 1, 600, 0, 1, 0)))
    assert lost(movie(mvhd(), track(tkhd(), edits=elst)), tmp_path) == []


def test_fields_of_the_movie_are_named(tmp_path):
    """All twelve that say something."""
    head = mvhd((MADE, MADE + 86400), 0x20000, 0x80, (0x20000, 0, 0, 0, 0x20000, 0, 0, 0, 1 << 30), (1, 2, 3, 4, 5, 6))
    names = ("preview time", "preview duration", "poster time", "selection time", "selection duration", "current time")
    assert lost(movie(head), tmp_path) == [
        f"mvhd/modification time ({date(MADE + 86400)}; 8 bytes)",
        "mvhd/rate (2; 4 bytes)", "mvhd/volume (0.5; 2 bytes)", "mvhd/scale (2; 20 bytes)",
        *(f"mvhd/{name} ({n}; 4 bytes)" for n, name in enumerate(names, 1)),
    ]  # fmt: skip


def date(seconds):
    """As it is told."""
    return (isobmff_fields.EPOCH + isobmff_fields.timedelta(seconds=seconds)).isoformat()[:19]


def test_fields_of_tracks_are_named(tmp_path):
    """Times of its own, layer, loudness, place."""
    place = (*UNITY[:6], 10 << 16, -5 << 16, UNITY[8])
    first = track(tkhd((MADE + 1, MADE + 2), 1, -1, 3, 0x80, place))
    assert lost(movie(mvhd(), first, track(tkhd())), tmp_path) == [
        f"trak/tkhd/creation time ({date(MADE + 1)}; 8 bytes)",
        f"trak/tkhd/modification time ({date(MADE + 2)}; 8 bytes)", "trak/tkhd/flags (not in the movie; 3 bytes)",
        "trak/tkhd/layer (-1; 2 bytes)", "trak/tkhd/volume (0.5; 2 bytes)",
        "trak/tkhd/place (10 across, -5 down; 8 bytes)",
    ]  # fmt: skip


def test_groups_of_alternatives_are_named(tmp_path):
    """Of two tracks of three, of tracks of two kinds; not of one alone, nor of all that there are of a kind."""

    def tracks(*groups):
        return [track(tkhd(group=group), kind=kind) for group, kind in groups]

    for groups in ([(1, b"soun")], [(1, b"soun"), (1, b"soun"), (0, b"vide")], [(1, b"soun"), (2, b"soun")]):
        assert lost(movie(mvhd(), *tracks(*groups)), tmp_path) == []
    for groups in ([(1, b"soun"), (1, b"soun"), (0, b"soun")], [(1, b"soun"), (1, b"vide")]):
        found = lost(movie(mvhd(), *tracks(*groups)), tmp_path)
        assert found == ["trak/tkhd/alternate group (2 tracks have 1; 4 bytes)"]


def test_fields_of_media_are_named(tmp_path):
    """Quality, speed of edits, graphics mode, balance, a profile of colors; the name of a time code's reel."""
    mdhd = box(b"mdhd", bytes(4) + struct.pack(">IIIIHh", MADE, MADE, 600, 600, 0, 7))
    elst = box(b"edts", box(b"elst", bytes(4) + struct.pack(">IIihHIihH", 2, 600, 0, 2, 0, 600, 9, 0, 0)))
    entry = box(b"colr", b"prof" + bytes(9))
    found = lost(movie(mvhd(), track(tkhd(), mdhd, edits=elst, entry=entry)), tmp_path)
    assert found == [
        "trak/edts/elst/rate (edit 1 is played at 2, edit 2 is played at 0; 2 of them, 8 bytes)",
        "trak/mdia/mdhd/quality (7; 2 bytes)",
        "trak/mdia/minf/stbl/stsd/avc1/colr/ICC profile (9 bytes)",
    ]  # fmt: skip
    heads = box(b"vmhd", bytes(4) + b"\0\x24" + bytes(6)) + box(b"smhd", bytes(4) + b"\xff\x80" + bytes(2))
    assert lost(movie(mvhd(), box(b"trak", box(b"mdia", box(b"minf", heads)))), tmp_path) == [
        "trak/mdia/minf/vmhd/graphics mode (0x24; 8 bytes)", "trak/mdia/minf/smhd/balance (-0.5; 2 bytes)",
    ]  # fmt: skip
    name = box(b"name", b"\0\4\0\0A001")
    found = lost(movie(mvhd(), track(tkhd(), entry=name, kind=b"tmcd", skip=26)), tmp_path)
    assert found == ["MP4 box moov/trak/mdia/minf/stbl/stsd/avc1/name (8 bytes)"]


def test_fields_of_an_avi_are_named(tmp_path):
    """Flags of the file and of a track, priority, language, place, standard; not where they say nothing."""

    def avi(flags, track, standard):
        avih = chunk(b"avih", bytes(12) + struct.pack("<I", flags) + bytes(40))
        vprp = chunk(b"vprp", bytes(4) + struct.pack("<I", standard) + bytes(28))
        header = avih + chunk(b"LIST", b"strl" + chunk(b"strh", track) + vprp)
        return chunk(b"RIFF", b"AVI " + chunk(b"LIST", b"hdrl" + header) + chunk(b"LIST", b"movi"))

    usual = b"vidsFFV1" + bytes(40) + struct.pack("<4h", 0, 0, 64, 48)
    assert lost(avi(0x910, usual, 0), tmp_path) == []
    odd = b"vidsFFV1" + struct.pack("<IHH", 1, 2, 9) + bytes(32) + struct.pack("<4h", 3, 4, 64, 48)
    assert lost(avi(0x30910, odd, 1), tmp_path) == [
        "RIFF field hdrl/avih/flag (copyrighted, made for capturing; 2 of them, 8 bytes)",
        "RIFF field hdrl/strl/strh/flag (disabled; 4 bytes)", "RIFF field hdrl/strl/strh/priority (2; 2 bytes)",
        "RIFF field hdrl/strl/strh/language (9; 2 bytes)",
        "RIFF field hdrl/strl/strh/place (3 across, 4 down; 8 bytes)",
        "RIFF field hdrl/strl/vprp/standard (PAL; 4 bytes)",
    ]  # fmt: skip


def test_fields_of_matroska_tracks_are_named(tmp_path):
    """Encryption, and a picture's size in centimeters; not compression, nor pixels and shapes."""

    def matroska(encoding, unit):
        encodings = ebml(0x6D80, ebml(0x6240, ebml(0x5031, b"\0") + encoding))
        track = ebml(0xAE, encodings + ebml(0xE0, ebml(0xB0, b"\x60") + ebml(0x54B2, unit)))
        return ebml(0x1A45DFA3) + ebml(0x18538067, ebml(0x1654AE6B, track))

    for unit in (b"\0", b"\3", b"\4"):
        assert lost(matroska(ebml(0x5034, ebml(0x4254, b"\3")), unit), tmp_path) == []
    assert lost(matroska(ebml(0x5035, ebml(0x47E1, b"\5")), b"\1"), tmp_path) == [
        "Matroska element Tracks/TrackEntry/ContentEncodings/ContentEncoding/ContentEncryption (5 bytes)",
        "Matroska element Tracks/TrackEntry/Video/DisplayUnit (1 byte)",
    ]


def test_fields_of_mxf_descriptors_are_named(tmp_path):
    """Active format, where the picture begins, levels of sound; 0 says nothing."""
    key = bytes.fromhex("060e2b34025301010d01010101012900")
    tags = (0x3218, 0x320A, 0x320B, 0x3D04, 0x3D05, 0x3D0C)
    for value in (b"\0", b"\5"):
        items = b"".join(struct.pack(">HH", tag, 1) + value for tag in tags)
        found = lost(klv(bytes.fromhex("060e2b34020501010d01020101020400"), bytes(80)) + klv(key, items), tmp_path)
        assert len(found) == (6 if value == b"\5" else 0)
    assert "MXF property RGBAEssenceDescriptor/ActiveFormatDescriptor (05; 1 byte)" in found


def test_dates_of_mxf_are_named(tmp_path):
    """When a file and its packages were changed, and these were made; a date of zeros says nothing."""
    for value in (bytes(8), struct.pack(">H6B", 2006, 6, 25, 23, 9, 48, 125)):
        sets = [(0x2F, 0x3B02), (0x36, 0x4404), (0x37, 0x4405)]
        data = b"".join(
            klv(bytes.fromhex(f"060e2b34025301010d0101010101{kind:02x}00"), struct.pack(">HH", tag, 8) + value)
            for kind, tag in sets
        )
        found = lost(klv(bytes.fromhex("060e2b34020501010d01020101020400"), bytes(80)) + data, tmp_path)
        assert len(found) == 3 * any(value)
    assert found[0] == "MXF property Preface/LastModifiedDate (2006-06-25T23:09:48.500000Z; 8 bytes)"
    assert found[2] == "MXF property SourcePackage/PackageCreationDate (2006-06-25T23:09:48.500000Z; 8 bytes)"


def compressed(data, form=b"zlib"):
    """A movie's header as QuickTime of the nineties packed it."""
    packed = zlib.compress(data)
    size = len(data).to_bytes(4, "big")
    return box(b"moov", box(b"cmov", box(b"dcom", form) + box(b"cmvd", size + packed)))


def test_a_compressed_header_is_gone_into(tmp_path):
    """Twelve boxes that no rule knows, and fields, as in a header that is not compressed."""
    words = [box(b"zz%02d" % n, b"12345") for n in range(12)]
    plain = box(b"moov", mvhd(times=(MADE, MADE + 9)) + track(tkhd()) + box(b"udta", b"".join(words)))
    packed = lost(box(b"ftyp", b"qt  ") + compressed(plain), tmp_path)
    assert packed == lost(box(b"ftyp", b"qt  ") + plain, tmp_path)
    assert len(packed) == 13
    assert "modification time" in packed[0]


def test_a_header_that_cannot_be_unpacked_is_named(tmp_path):
    """Of another packing, damaged, or packed again, and again, without an end."""
    packed = zlib.compress(bytes(99))
    broken = box(b"moov", box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", bytes(4) + packed[:5] + b"zzzzzzzz")))
    for data in (broken, compressed(bytes(99), b"brot"), compressed(compressed(compressed(mvhd())))):
        [text] = lost(data, tmp_path)
        assert text.startswith("MP4 box moov/cmov (")


@given(st.sampled_from([*isobmff_fields.READERS, *riff_fields.READERS]), st.binary(max_size=200))
def test_any_fields_are_read(kind, content):
    """Whatever a box has in it, nothing is raised, and what is told is in it."""
    for fields_of in (isobmff_fields.fields_of, riff_fields.fields_of):
        for name, value, _ in fields_of(kind, content):
            assert name
            assert len(value) <= max(8, len(content))


@pytest.mark.parametrize("size", [0, 4, 30, 60])
def test_short_boxes_say_nothing(size):
    """A header that was cut off."""
    for kind in isobmff_fields.READERS:
        assert all(value for _, value, _ in isobmff_fields.fields_of(kind, bytes(size)))
