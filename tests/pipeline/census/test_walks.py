"""What a file holds and no rule knows is named by its own name and size, whatever the container; nothing is raised."""

import io
import struct
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.census import walks
from pipeline.census.element import MAX_DEPTH, File
from pipeline.census.riff import chunks_of
from pipeline.census.walks import walk_of, walked
from tests.elements import DARK, UNKNOWN, box, chunk, ebml, klv
from tests.streams import (
    asf,
    asf_object,
    asf_values,
    dv,
    flv,
    flv_tag,
    ogg,
    packets,
    page,
    pes,
    program,
    realmedia,
    rm_chunk,
    rm_stream,
    section,
    transport,
    y4m,
)
from tests.synthetic import write_reel


def mp4(*parts):
    """Boxes in every place that may hold more: the file, the movie, its track, its user data, a sample entry."""
    inner = b"".join(parts)
    entry = box(b"stsd", bytes(8) + box(b"avc1", bytes(78) + box(b"pasp", bytes(8)) + inner))
    media = box(b"mdhd") + box(b"hdlr", bytes(8) + b"vide" + bytes(12)) + box(b"minf", box(b"stbl", entry))
    trak = box(b"trak", box(b"tkhd") + box(b"mdia", media))
    return box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd") + trak + box(b"udta", inner)) + inner


def matroska(*parts):
    """Elements below Segment, its tags, and a picture's track."""
    inner = b"".join(parts)
    track = ebml(0x1654AE6B, ebml(0xAE, ebml(0x83, b"\1") + ebml(0xE0, ebml(0xB0, b"\x60") + inner)))
    return ebml(0x1A45DFA3) + ebml(0x18538067, track + ebml(0x1254C367, ebml(0x7373, inner)) + inner)


def avi(*parts):
    """Chunks in the file, its header, a track's header and among its samples."""
    inner = b"".join(parts)
    header = chunk(b"LIST", b"hdrl" + chunk(b"avih", bytes(56)) + chunk(b"LIST", b"strl" + chunk(b"strh") + inner))
    movie = chunk(b"LIST", b"movi" + chunk(b"00dc", b"12345") + inner)
    return chunk(b"RIFF", b"AVI " + header + movie + chunk(b"idx1", bytes(16)) + inner)


def wav(*parts):
    """Chunks beside a WAV's samples."""
    return chunk(b"RIFF", b"WAVE" + chunk(b"fmt ", bytes(16)) + chunk(b"data", bytes(5)) + b"".join(parts))


PREFACE = bytes.fromhex("060e2b34025301010d01010101012f00")


def mxf(*parts):
    """Elements behind a preface."""
    return klv(bytes.fromhex("060e2b34020501010d01020101020400"), bytes(80)) + klv(PREFACE, b"".join(parts))


def lost(data, tmp_path):
    """What is named of a file's bytes, as people read it."""
    (tmp_path / "a").write_bytes(data)
    return [str(loss) for loss in walked(tmp_path / "a").lost]


def test_unknown_boxes_are_named(tmp_path):
    """Twelve kinds in four places; the boxes of coding are not."""
    found = lost(mp4(*(box(kind, b"12345") for kind in UNKNOWN)), tmp_path)
    for kind in UNKNOWN:
        for place in ("", "moov/udta/", "moov/trak/mdia/minf/stbl/stsd/avc1/"):
            assert f"MP4 box {place}{kind.decode()} (5 bytes)" in found
    assert len(found) == 36
    assert lost(mp4(), tmp_path) == []


def test_unknown_elements_of_matroska_are_named(tmp_path):
    """Twelve numbers that RFC 9559 does not have, and one that it has, in four places."""
    numbers = [0x10000001 + n for n in range(12)]
    found = lost(matroska(*(ebml(n, b"12345") for n in numbers), ebml(0x537F, b"\1")), tmp_path)
    for number in numbers:
        for place in ("", "Tags/Tag/", "Tracks/TrackEntry/Video/"):
            assert f"Matroska element {place}0x{number:X} (5 bytes)" in found
    assert len(found) == 39
    assert lost(matroska(), tmp_path) == []


def test_elements_that_matroska_has_are_named_by_their_names(tmp_path):
    """A dozen of the standard's that no output holds; one that says its default, and chapters and tags, are not."""
    info = b"".join(ebml(n, b"text") for n in (0x7384, 0x3CB923, 0x3C83AB, 0x3EB923, 0x3E83BB, 0x4444, 0x6924))
    track = b"".join(ebml(n, b"\2") for n in (0x23314F, 0x537F, 0x258688, 0x6FAB, 0xE2)) + ebml(0xB9, b"\1")
    edition = ebml(0x45DD, b"\1") + ebml(0xB6, ebml(0x6944, b"") + ebml(0x10000001, b"2"))
    tag = ebml(0x7373, ebml(0x67C8, ebml(0x45A3, b"SHELF") + ebml(0x4485, b"\1\2\3")))
    segment = ebml(0x1549A966, info) + ebml(0x1654AE6B, ebml(0xAE, track))
    segment += ebml(0x1043A770, ebml(0x45B9, edition)) + ebml(0x1254C367, tag)
    found = lost(ebml(0x1A45DFA3) + ebml(0x18538067, segment), tmp_path)
    assert "Matroska element Info/SegmentFilename (4 bytes)" in found
    assert "Matroska element Tracks/TrackEntry/TrackOperation (1 byte)" in found
    assert "Matroska element Chapters/EditionEntry/ChapterAtom/0x10000001 (1 byte)" in found
    assert len(found) == 13


def test_a_live_recording_is_walked(tmp_path):
    """Segment and clusters of unknown size end where the next cluster begins; what is in them is named."""
    endless = b"\x01" + b"\xff" * 7
    cluster = b"\x1f\x43\xb6\x75" + endless + ebml(0xE7, b"\0") + ebml(0xA3, b"block") + ebml(0x10000001, b"12")
    data = ebml(0x1A45DFA3) + b"\x18\x53\x80\x67" + endless + 3 * cluster + ebml(0x1254C367, ebml(0x10000002))
    assert lost(data, tmp_path) == [
        "Matroska element Cluster/0x10000001 (3 of them, 6 bytes)", "Matroska element Tags/0x10000002 (0 bytes)",
    ]  # fmt: skip


def test_unknown_chunks_are_named(tmp_path):
    """Twelve of an AVI in three places, and of a WAV."""
    parts = [chunk(kind, b"12345") for kind in UNKNOWN]
    found = lost(avi(*parts), tmp_path)
    for kind in UNKNOWN:
        for place in ("", "hdrl/strl/", "movi/"):
            assert f"RIFF chunk {place}{kind.decode()} (5 bytes)" in found
    assert len(found) == 36
    assert lost(wav(*parts), tmp_path) == [f"RIFF chunk {kind.decode()} (5 bytes)" for kind in UNKNOWN]
    assert lost(avi(), tmp_path) == lost(wav(), tmp_path) == []


def test_unknown_elements_of_mxf_are_named(tmp_path):
    """Twelve sets by their keys, and twelve properties, by their tag or by the label that the primer has for it."""
    tags = [*range(0x7001, 0x7007), *range(0x8001, 0x8007)]
    label = bytes.fromhex("060e2b34010101010f0f0f0f00000001")
    primer = klv(bytes.fromhex("060e2b34020501010d01020101050100"), struct.pack(">II2s", 1, 18, b"\x80\1") + label)
    properties = b"".join(struct.pack(">HH", tag, 3) + b"abc" for tag in tags)
    found = lost(primer + mxf(properties) + b"".join(klv(key, b"12345") for key in DARK), tmp_path)
    assert [f"MXF element {key.hex()} (5 bytes)" for key in DARK] == found[-12:]
    assert "MXF property Preface/7001 (3 bytes)" in found
    assert f"MXF property Preface/{label.hex()} (3 bytes)" in found
    assert len(found) == 24
    assert lost(mxf(), tmp_path) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_nothing_is_named_of_ordinary_files(tmp_path, suffix):
    """All that FFmpeg writes of picture, sound and chapters is of coding, or compared elsewhere."""
    more = {} if suffix == ".avi" else {"chapters": 2}
    codec = {".mp4": "libx264", ".mov": "prores_ks"}.get(suffix, "ffv1")
    path = write_reel(tmp_path / f"a{suffix}", 6, codec=codec, audio=0 if suffix == ".mp4" else 1, **more)
    titles = {"Part 1", "Part 2"}
    assert [str(loss) for loss in walked(path, words=titles).lost] == []


def test_what_an_output_holds_is_not_named(tmp_path):
    """By its own name and content, or by its words."""
    (tmp_path / "a").write_bytes(
        mp4(box(b"zzAx", b"held"), box(b"zzAy", b"lost"), box(b"zzAz", bytes(4) + b"in words"))
    )
    (tmp_path / "b").write_bytes(box(b"ftyp") + box(b"zzAx", b"held"))
    marks = walked(tmp_path / "b").marks
    names = {loss.name for loss in walked(tmp_path / "a", marks, {"in words"}).lost}
    assert "MP4 box moov/udta/zzAy" in names
    assert "MP4 box moov/udta/zzAz" not in names
    assert len([name for name in names if name.endswith("zzAx")]) == 2, "one of three is held"


@pytest.mark.parametrize("make", [mp4, matroska, avi, mxf])
def test_what_is_no_element_is_named(tmp_path, make):
    """Bytes behind the last one; but not zeros, which are padding."""
    [found] = lost(make() + b"\0\0\0\5this is no element", tmp_path)
    assert "bytes that are no element (22 bytes)" in found or found == "RIFF chunk \\x00\\x00\\x00\\x05 (14 bytes)"
    assert lost(make() + bytes(3), tmp_path) == []


def test_depth_is_bounded(tmp_path):
    """Elements within elements are gone into so far and no further; the rest is named as a whole."""
    data = b""
    for _ in range(3 * MAX_DEPTH):
        data = ebml(0x67C8, data) if len(data) < 16000 else data
    found = lost(ebml(0x1A45DFA3) + ebml(0x18538067, ebml(0x1254C367, ebml(0x7373, data))), tmp_path)
    assert len(found) == 1
    assert "SimpleTag" in found[0]


def test_names_are_bounded(tmp_path, monkeypatch):
    """Of so many kinds, further ones are counted together."""
    monkeypatch.setattr(walks, "MAX_NAMES", 5)
    found = lost(b"".join(box(kind) for kind in (b"ftyp", *UNKNOWN)), tmp_path)
    assert found[-1] == "elements of further names (7 of them, 0 bytes)"
    assert len(found) == 6


def test_empty_chunks_of_samples_are_counted():
    """By track."""
    empty: Counter[int] = Counter()
    movie = b"movi" + b"".join(chunk(kind, data) for kind, data in ((b"00dc", b"1"), (b"00dc", b""), (b"01wb", b"")))
    assert list(chunks_of(File(io.BytesIO(chunk(b"RIFF", b"AVI " + chunk(b"LIST", movie)))), empty)) == []
    assert empty == {0: 1, 1: 1}


CONTENT, EXTENDED = "75B22633-668E-11CF-A6D9-00AA0062CE6C", "14E6A5CB-C672-4332-8399-A96952065B5A"
FILES = [
    mp4(box(b"zzAx", b"12345"), box(b"meta", bytes(4) + box(b"ilst", box(b"----", b"text")))),
    matroska(ebml(0x10000001, b"12345"), ebml(0x67C8, ebml(0x45A3, b"A") + ebml(0x4487, b"B"))),
    avi(chunk(b"zzAx", b"12345")), wav(chunk(b"zzAx", b"12345")),
    mxf(struct.pack(">HH", 0x7001, 3) + b"abc") + klv(DARK[0], b"12345"),
    transport(packets(0x12, section(0x4E, b"abc")), packets(0x100, head=b"\2\1\5"), streams=[(6, 0x101, b"\x56\0")]),
    program(pes(0xBF, b"\0"), pes(0xBD, b"\x20ab"), pes(0xBC, bytes(20)), b"noise", pes(0xF2, b"a")),
    flv(flv_tag(15, b"a"), values={"a": [1, {"b": "c"}]}), realmedia(rm_chunk(b"zzzz", b"a"), rm_stream(1, b"a", b"b")),
    asf(asf_object(CONTENT, bytes(10)), asf_values([("a", 0, b"b")]), inner=[asf_object(EXTENDED, bytes(90))]),
    ogg(page(2, b"zz", flags=2), texts=[b"A=b"]), dv([(0x62, b"\xff\1\2\3")])[:24000], y4m(b"Xz", frame=[b"Ip"]),
]  # fmt: skip


@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=9)), max_size=4))
def test_any_bytes_are_walked(data, changes):
    """Whatever is changed, walks end, raise nothing, and no element is larger than the file."""
    for at, noise in changes:
        data = data[:at] + noise + data[at + len(noise) :]
    file = File(io.BytesIO(data))
    walk = walk_of(file)
    found = list(walk(file)) if walk is not None else []
    assert all(0 <= element.size <= len(data) for element in found)
    assert file.steps < 40 * len(data)


@given(st.sampled_from(FILES), st.integers(0, 400))
def test_any_cut_is_walked(data, at):
    """A file that ends anywhere."""
    file = File(io.BytesIO(data[:at]))
    walk = walk_of(file)
    assert walk is None or sum(element.size for element in walk(file)) <= 40 * len(data)
