"""Of streams, what no rule knows is named: a dozen of each kind of container, put in by hand; nothing without them."""

import struct

import pytest

from pipeline.census import mpegts, raw_dv
from pipeline.census.walks import walked
from tests.streams import (
    asf,
    asf_object,
    asf_values,
    comments,
    descriptors,
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
    wide,
    y4m,
)


def lost(data, tmp_path, **more):
    """What is named of a file's bytes, as people read it."""
    (tmp_path / "a").write_bytes(data)
    return [str(loss) for loss in walked(tmp_path / "a", **more).lost]


@pytest.mark.parametrize("make", [transport, program, flv, realmedia, asf, ogg, lambda: dv([]), y4m])
def test_nothing_is_named_of_ordinary_streams(tmp_path, make):
    """A picture, and what its coding needs; its own number is that of a track that is told elsewhere."""
    assert lost(make(), tmp_path, tracks=(0x100, 0x1E0)) == []


def test_tables_of_transport_streams_are_named(tmp_path):
    """Twelve tables by their numbers and names, each once however often it comes, and how large it is."""
    tables = [0x40, 0x46, 0x4A, 0x4E, 0x50, 0x70, 0x73, 0x90, 0xA5, 0xB1, 0xC7, 0xE0]
    more = [packets(0x12, section(table, b"abc")) for table in tables]
    found = lost(transport(*more, *more), tmp_path, tracks=[0x100])
    assert found == [
        "TS table 0x40 network information (15 bytes)",
        "TS table 0x46 services of another transport stream (15 bytes)", "TS table 0x4A bouquet association (15 bytes)",
        "TS table 0x4E present and following events (15 bytes)", "TS table 0x50 schedule of events (15 bytes)",
        "TS table 0x70 time and date (15 bytes)", "TS table 0x73 time offset (15 bytes)", "TS table 0x90 (15 bytes)",
        "TS table 0xA5 (15 bytes)", "TS table 0xB1 (15 bytes)", "TS table 0xC7 ATSC master guide (15 bytes)",
        "TS table 0xE0 (15 bytes)",
    ]  # fmt: skip


def test_a_table_of_many_packets_is_whole(tmp_path):
    """A section of a thousand bytes, in six packets, and one that begins where it ends."""
    long = section(0x4F, bytes(1000))
    assert lost(transport(packets(0x12, long + section(0x99, b"abc"))), tmp_path, tracks=[0x100]) == [
        "TS table 0x4F present and following events of another transport stream (1012 bytes)",
        "TS table 0x99 (15 bytes)",
    ]  # fmt: skip


def test_descriptors_of_programs_are_named(tmp_path):
    """Twelve that no rule knows, of a program and of a stream; those of coding and of language are not."""
    tags = [0x09, 0x0D, 0x55, 0x5F, 0x66, 0x86, 0x90, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0]
    words = descriptors([(tag, b"12345") for tag in tags] + [(0x05, b"HDMV"), (0x0A, b"swe\0")])
    found = lost(transport(streams=[(3, 0x101, words)], words=words), tmp_path, tracks=(0x100, 0x101))
    assert len(found) == 24
    assert "TS descriptor program 1/0x55 parental rating (5 bytes)" in found
    assert "TS descriptor stream 0x101/0xF0 (5 bytes)" in found


def test_streams_of_no_track_are_named(tmp_path):
    """Twelve kinds of data by what they are; those that are tracks only where no track is told; packets of nobody."""
    kinds = [0x05, 0x06, 0x08, 0x0B, 0x0D, 0x13, 0x15, 0x16, 0x1D, 0x86, 0xC0, 0x99]
    streams = [(kind, 0x200 + n, b"") for n, kind in enumerate(kinds)]
    streams += [(0x06, 0x300, descriptors([(0x56, b"swe\0\0")])), (0x1B, 0x301, b"")]
    more = [packets(pid) for _, pid, _ in streams] + [packets(0x400)]
    found = lost(transport(*more, streams=streams), tmp_path, tracks=(0x100, 0x301))
    assert len(found) == 14
    for name in (
        "0x200 private sections", "0x201 private packets", "0x206 metadata", "0x209 SCTE-35 splice information",
        "0x20B type 0x99", "0x300 teletext",
    ):  # fmt: skip
        assert f"TS stream {name} (188 bytes)" in found
    assert "TS packets of 0x400, which no program has (188 bytes)" in found


def test_services_and_programs_are_named(tmp_path):
    """Of several programs each, and what a service is called, unless the output says it too."""
    name = bytes([1, 3]) + b"NRK" + bytes([4]) + b"Film"
    service = b"\0\1\xff" + struct.pack(">HBH", 1, 0xFC, 0x8000 | len(name) + 2) + bytes([0x48, len(name)]) + name
    data = transport(packets(0x11, section(0x42, service)), programs=((1, 0x20), (2, 0x30)))
    programs = [f"TS program {n} (which tracks belong to it)" for n in (1, 2)]
    assert lost(data, tmp_path, tracks=[0x100]) == [
        "TS service 1/provider (3 bytes)", "TS service 1/name (4 bytes)", *programs,
    ]  # fmt: skip
    assert lost(data, tmp_path, words={"NRK", "Film"}, tracks=[0x100]) == programs


def test_heads_of_packets_are_counted(tmp_path):
    """Private data, splice countdowns, scrambled packets."""
    scrambled = bytearray(packets(0x100))
    scrambled[3] |= 0xC0
    more = packets(0x100, head=b"\x02\x01\x05"), packets(0x100, head=b"\x04\x05"), bytes(scrambled)
    assert lost(transport(*more), tmp_path, tracks=[0x100]) == [
        f"TS {what} of 0x100 (1 packet)"
        for what in ("scrambled packets", "private data in heads of packets", "splice countdowns in heads of packets")
    ]


@pytest.mark.parametrize(("before", "behind"), [(4, 0), (0, 16)])
def test_longer_packets_are_read(tmp_path, before, behind):
    """With a time before each, as in AVCHD, and with error correction behind."""
    plain = transport(packets(0x12, section(0x4E, b"abc")))
    data = b"".join(bytes(before) + plain[n : n + 188] + bytes(behind) for n in range(0, len(plain), 188))
    found = lost(data, tmp_path, tracks=[0x100])
    assert found == ["TS table 0x4E present and following events (15 bytes)"]


def test_bytes_between_packets_are_named(tmp_path):
    """And packets behind them are found again, in every block of a large file."""
    more = packets(0x12, section(0x4E, b"abc"))
    data = transport() + b"noise" + 6000 * packets(0x100) + bytes(3) + more + transport()
    assert lost(data, tmp_path, tracks=[0x100]) == [
        "TS table 0x4E present and following events (15 bytes)", "TS bytes that are no packet (8 bytes)",
    ]  # fmt: skip


def test_a_file_of_bad_packets_takes_bounded_time(tmp_path, monkeypatch):
    """A packet alone that is none leaves the next in its place; others are looked for anew so often and no more."""
    good, bad = packets(0x100), bytes(188)
    found = lost(transport() + 50 * (bad + good), tmp_path, tracks=[0x100])
    assert found == ["TS bytes that are no packet (9400 bytes)"]
    monkeypatch.setattr(mpegts, "MAX_GAPS", 5)
    found = lost(transport() + 50 * (2 * bad + good + good), tmp_path, tracks=[0x100])
    assert found == ["TS bytes that are no packet (18800 bytes)"]


def test_streams_of_program_streams_are_named(tmp_path):
    """Twelve kinds, with their packets; those that are tracks only where no track is told."""
    codes = [0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF9, 0xFC, 0xFD, 0xFE, 0xFF]
    more = [pes(code, b"\x09ABCD") for code in codes]
    more += [pes(0xBF, b"\0abcd"), pes(0xBF, b"\1abcd"), pes(0xBD, b"\x20ab"), pes(0xBD, b"\x20ab"), pes(0xBD, b"\x80")]
    found = lost(program(*more), tmp_path, tracks=(0x1E0, 0x80))
    assert len(found) == 13
    for text in (
        "stream 0xBF private 2, DVD navigation of presentation (1 packet; 11 bytes)",
        "stream 0xBF private 2, DVD navigation of search (1 packet; 11 bytes)",
        "stream 0x20 subpicture (2 packets; 24 bytes)", "stream 0xF2 DSM-CC (1 packet; 11 bytes)",
        "stream 0xFF program stream directory (1 packet; 11 bytes)", "stream 0xFC metadata (1 packet; 14 bytes)",
    ):  # fmt: skip
        assert f"PS {text}" in found


def test_maps_and_gaps_of_program_streams(tmp_path):
    """Descriptors of a program stream map; bytes that are no packet; zeros are padding; MPEG-1's heads."""
    words = descriptors([(0x0D, b"abc"), (0x05, b"HDMV")])
    streams = bytes([2, 0xE0]) + struct.pack(">H", len(words)) + words
    body = b"\xe1\xff" + struct.pack(">H", len(words)) + words + struct.pack(">H", len(streams)) + streams + bytes(4)
    old = pes(0xBD, b"\xff\xff\x40\x20\x21\0\1\0\1\x21!", b"")
    found = lost(program(pes(0xBC, body), b"noise", bytes(100), old), tmp_path, tracks=[0x1E0])
    assert found == [
        "PS stream 0x21 subpicture (1 packet; 17 bytes)", "PS descriptor 0x0D copyright (3 bytes)",
        "PS descriptor stream 0xE0/0x0D copyright (3 bytes)", "PS bytes that are no packet (105 bytes)",
    ]  # fmt: skip


def test_values_and_tags_of_flash_are_named(tmp_path):
    """Twelve values of any kind, and twelve kinds of tags; values that FFmpeg lists are compared as its tags."""
    odd = {f"zz{n}": value for n, value in enumerate([1, True, "text", [1, "a"], {"a": {"b": 2}}, 2.5, "x"] * 2)}
    tags = [flv_tag(kind, b"12345") for kind in (1, 2, 3, 4, 5, 6, 7, 10, 15, 20, 31, 0x28)]
    more = [flv_tag(18, b"\2\0\x0aonCuePoint\5"), flv_tag(9, b"\x52cue")]
    found = lost(flv(*tags, *more, values=odd), tmp_path)
    assert len(found) == 14 + 12 + 2
    assert "FLV value onMetaData/zz0 (9 bytes)" in found
    assert "FLV tag of type 15 (5 bytes)" in found
    assert "FLV encrypted tag of type 8 (5 bytes)" in found
    assert "FLV script onCuePoint (14 bytes)" in found
    assert "FLV command frame (4 bytes)" in found
    listed = {"1", "true", "text", "2", "x"}
    assert len(lost(flv(values=odd), tmp_path, words=listed)) == 4, "lists and objects"


def test_chunks_and_streams_of_realmedia_are_named(tmp_path):
    """Twelve chunks, twelve streams that are neither picture nor sound, a stream's own name."""
    chunks = [rm_chunk(f"zz{n:02}".encode(), b"12345678") for n in range(12)]
    streams = [rm_stream(2 + n, b"", f"application/x-{n}".encode(), b"12345") for n in range(12)]
    found = lost(realmedia(*chunks, *streams, rm_stream(1, b"Harbor", b"audio/x-pn-realaudio")), tmp_path)
    assert len(found) == 25
    assert "RM chunk zz00 (10 bytes)" in found
    assert "RM stream 2/application/x-0 (5 bytes)" in found
    assert "RM stream 1/name (6 bytes)" in found


def test_objects_and_values_of_asf_are_named(tmp_path):
    """Twelve objects by name or GUID, in the header and its extension; values of every kind; streams of data."""
    names = [f"0000{n:04X}-0000-1111-2222-333344445555" for n in range(11)]
    objects = [asf_object(guid, b"12345") for guid in (*names, "1EFB1A30-0B62-11D0-A39B-00A0C90348F6")]
    values = [
        ("WM/Lens", 0, wide("50 mm")),
        ("WM/Blob", 1, b"\1\2"),
        ("WM/Flag", 2, b"\1\0\0\0"),
        ("IsVBR", 2, bytes(4)),
    ]
    content = struct.pack("<5H", 4, 0, 0, 0, 6) + wide("a") + wide("PG")
    more = asf_values(values), asf_object("75B22633-668E-11CF-A6D9-00AA0062CE6C", content)
    stream = asf_object("B7DC0791-A9B7-11CF-8EE6-00C00C205365", bytes.fromhex(32 * "ab")[:16] + bytes(32) + b"\7\x80")
    found = lost(asf(*objects, *more, stream, inner=objects), tmp_path)
    assert f"ASF object {names[0]} (2 of them, 10 bytes)" in found
    assert "ASF object ScriptCommand (2 of them, 10 bytes)" in found
    assert {"ASF value WM/Lens (12 bytes)", "ASF value WM/Blob (2 bytes)", "ASF value Title (2 bytes)"} <= set(found)
    assert {"ASF value Rating (4 bytes)", "ASF encryption of stream 7 (its packets are encrypted)"} <= set(found)
    assert "ASF stream 7 ABABABAB-ABAB-ABAB-ABAB-ABABABABABAB (50 bytes)" in found
    assert len(found) == 12 + 3 + 2 + 2
    assert "ASF value WM/Lens" not in " ".join(lost(asf(asf_values(values)), tmp_path, words={"50 mm"}))


@pytest.mark.parametrize(("ticks", "said"), [(127156662870000000, "2003-12-12T01:31:27"), (0, ""), (2**63, "")])
def test_the_date_of_an_asf_file_is_named(tmp_path, ticks, said):
    """FFmpeg gives it to nobody; of one that cannot be nothing is told."""
    content = bytes(16) + struct.pack("<QQ", 5, ticks) + bytes(48)
    found = lost(asf(asf_object("8CABDCA1-A947-11CF-8EE4-00C00C205365", content)), tmp_path)
    assert found == ([f"ASF field FileProperties/creation time ({said}; 8 bytes)"] if said else [])


def test_extended_streams_of_asf_are_named(tmp_path):
    """Names of streams, and what stands beside their samples."""
    name = wide("Left eye")
    body = bytes(48) + struct.pack("<HH", 3, 0) + bytes(8) + struct.pack("<HH", 1, 1)
    body += struct.pack("<HH", 0, len(name)) + name
    body += bytes.fromhex("ec95953967862d4e8fdb98814ce76c1e") + struct.pack("<HI", 6, 0)
    found = lost(asf(inner=[asf_object("14E6A5CB-C672-4332-8399-A96952065B5A", body)]), tmp_path)
    assert found == ["ASF stream 3/name (16 bytes)", "ASF stream 3/time codes beside its samples (22 bytes)"]


def test_streams_and_comments_of_ogg_are_named(tmp_path):
    """Twelve streams of unknown kinds by how they begin, twelve comments; those of chapters and pictures are not."""
    streams = [page(10 + n, f"zz{n:02} kind".encode(), flags=2) + page(10 + n, b"more") for n in range(12)]
    texts = [f"ZZ{n:02}=word {n}".encode() for n in range(12)] + [b"CHAPTER001=0", b"METADATA_BLOCK_PICTURE=x"]
    found = lost(ogg(*streams, texts=texts), tmp_path)
    assert len(found) == 24
    assert "Ogg stream 10 zz00kin (13 bytes)" in found
    assert "Ogg comment ZZ11 (7 bytes)" in found
    assert len(lost(ogg(texts=texts), tmp_path, words={"word 3"})) == 11


def test_a_long_comment_of_ogg_goes_over_pages(tmp_path):
    """A packet that a page does not end goes on on the next one of its stream; a stream that begins later is named."""
    packet = b"\x81theora" + comments(b"A=" + b"b" * 298)
    first = page(1, b"\x80theora", flags=2) + page(1, packet[:255], ends=False)
    data = first + page(1, packet[255:], b"", b"", b"", flags=1) + page(2, b"\x01vorbis", flags=2)
    assert lost(data, tmp_path) == ["Ogg comment A (298 bytes)", "Ogg stream 2 vorbis, which begins later (7 bytes)"]


def test_packs_of_dv_are_named(tmp_path):
    """Twelve kinds, with what dates and times say; empty packs and those of coding are not."""
    kinds = [(n, b"\1\2\3\4") for n in (0x00, 0x14, 0x64, 0x65, 0x70, 0x71, 0x80, 0x90, 0xA0, 0xB0)]
    kinds += [(0x62, b"\xff\xc2\x05\x98"), (0x63, b"\xff\x85\x84\xd3"), (0x60, b"\1\2\3\4"), (0x66, b"\xff" * 4)]
    found = lost(dv(kinds, 2), tmp_path)
    assert len(found) == 12
    assert "DV pack 0x62 date of recording (1998-05-02; 120 bytes)" in found
    assert "DV pack 0x63 time of recording (13:04:05; 120 bytes)" in found
    assert "DV pack 0x70 camera (120 bytes)" in found
    assert "DV pack 0x90 (120 bytes)" in found


def test_of_long_dv_some_pictures_are_read(tmp_path, monkeypatch):
    """The first, the last and some between them, and that is said."""
    monkeypatch.setattr(raw_dv, "SPOTS", 3)
    data = b"".join(dv([(0x62, bytes([255, n, 5, 0x98]))]) for n in (1, 2, 3, 4, 5, 6, 7))
    (tmp_path / "a").write_bytes(data)
    found = walked(tmp_path / "a")
    assert list(map(str, found.lost)) == ["DV pack 0x62 date of recording (1998-05-01 to 1998-05-07; 180 bytes)"]
    assert found.part == "the packs of 3 pictures of some 7"


def test_words_of_y4m_are_named(tmp_path):
    """Twelve in the header, and one of a frame."""
    found = lost(y4m(*(f"Xzz{n:02}".encode() for n in range(12)), frame=[b"Ippp"]), tmp_path)
    assert found == [*(f"Y4M word Xzz{n:02} (5 bytes)" for n in range(12)), "Y4M word of a frame Ippp (4 bytes)"]
