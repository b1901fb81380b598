"""What a reel's file holds and no rule knows: named by a run, and again by `verify`, unless the output has it."""

import struct

import pytest

from pipeline.census.walks import walked
from pipeline.jobs.reel_proof import verify_reel
from pipeline.reels.elements import check_elements
from pipeline.reels.reel import probe
from pipeline.storage.job_folder import sidecar_of
from tests.elements import DARK, UNKNOWN, box, chunk, ebml, klv
from tests.streams import flv_tag, packets, section
from tests.synthetic import write_reel


def boxes(data):
    """An MP4 with a dozen boxes in its movie box, which is its last."""
    at = data.rindex(b"moov") - 4
    more = b"".join(box(kind, b"12345") for kind in UNKNOWN)
    return data[:at] + struct.pack(">I", len(data) - at + len(more)) + data[at + 4 :] + more


def elements(data):
    """A Matroska file with a dozen elements at the end of its segment."""
    at = data.index(b"\x18\x53\x80\x67") + 4
    more = b"".join(ebml(0x10000001 + n, b"12345") for n in range(12))
    size = int.from_bytes(data[at : at + 8], "big") + len(more)
    return data[:at] + size.to_bytes(8, "big") + data[at + 8 :] + more


def chunks(data):
    """An AVI with a dozen chunks behind its index."""
    more = b"".join(chunk(kind, b"12345") for kind in UNKNOWN)
    return data[:4] + struct.pack("<I", len(data) - 8 + len(more)) + data[8:] + more


def sets(data):
    """An MXF with a dozen sets behind its last element."""
    return data + b"".join(klv(key, b"12345") for key in DARK)


def tables(data):
    """A transport stream with a dozen tables behind its last packet."""
    return data + b"".join(packets(0x12, section(0x90 + n, b"abc")) for n in range(12))


def tags(data):
    """An FLV with a dozen tags behind its last one."""
    return data + b"".join(flv_tag(20 + n, b"12345") for n in range(12))


NAMES = {
    ".mp4": [f"MP4 box moov/{kind.decode()} (5 bytes)" for kind in UNKNOWN],
    ".mkv": [f"Matroska element 0x{0x10000001 + n:X} (5 bytes)" for n in range(12)],
    ".avi": [f"RIFF chunk {kind.decode()} (5 bytes)" for kind in UNKNOWN],
    ".mxf": [f"MXF element {key.hex()} (5 bytes)" for key in DARK],
    ".ts": [f"TS table 0x{0x90 + n:02X} (15 bytes)" for n in range(12)],
    ".flv": [f"FLV tag of type {20 + n} (5 bytes)" for n in range(12)],
}
MAKERS = dict(zip(NAMES, (boxes, elements, chunks, sets, tables, tags), strict=True))


@pytest.mark.parametrize("suffix", NAMES)
def test_what_no_rule_knows_is_named(studio, tmp_path, suffix):
    """A dozen of each container, put in by hand, by a run and by the proof made anew; without them nothing is."""
    codec = {".mp4": "libx264", ".mxf": "mpeg2video", ".ts": "mpeg2video", ".flv": "flv"}.get(suffix, "ffv1")
    plain = write_reel(tmp_path / f"plain{suffix}", 4, size=(64, 48), codec=codec)
    source, out = tmp_path / f"a{suffix}", tmp_path / "out.mkv"
    source.write_bytes(MAKERS[suffix](plain.read_bytes()))
    done = studio.color(source, out)
    before = [str(loss) for loss in walked(plain).lost]
    assert [text for text in done.lost if text.endswith(" bytes)") and text not in before] == NAMES[suffix]
    again = [f for f in verify_reel(str(source), out) if f"{f.what} ({f.detail})" in NAMES[suffix]]
    assert len(again) == 12
    assert all(f.right and f.named for f in again)
    sidecar_of(out).unlink()
    assert not any(f.right for f in verify_reel(str(source), out) if f"{f.what} ({f.detail})" in NAMES[suffix])


def test_what_the_output_has_is_not_named(tmp_path):
    """The same element in both files; words of a tag; not the same words of another element."""
    source = write_reel(tmp_path / "a.mp4", 4, codec="libx264", metadata={"title": "Harbor at dawn"})
    out = write_reel(tmp_path / "b.mp4", 4, codec="libx264", metadata={"comment": "kept"})
    data = boxes(source.read_bytes())
    source.write_bytes(data.replace(b"zzAx12345", b"zzAx54321"))
    out.write_bytes(boxes(out.read_bytes()))
    found = check_elements(probe(str(source)), out)
    assert [f.what for f in found if not f.holds] == ["MP4 box moov/zzAx"]


def test_it_is_said_what_was_gone_through(tmp_path):
    """All of a file, parts of a kind that is too large for that, or nothing of a kind that has no walk."""
    out = write_reel(tmp_path / "b.mkv", 2)
    ways = {".mkv": "all of the source", ".nut": "nut files have no walk; what FFmpeg lists of them is compared"}
    for suffix, words in ways.items():
        source = write_reel(tmp_path / f"a{suffix}", 2)
        assert [f.detail for f in check_elements(probe(str(source)), out) if f.holds] == [words]
