"""What a file says of its own bytes is not carried: an output has others. Each claim is named, all else comes along."""

import json
import shutil
import struct
import subprocess
import zlib

import av
import imagecodecs
import numpy as np
import pytest
import tifffile

from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.stills.opening import open_scan
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.claims import claim
from pipeline.values.formats import CENSUS
from tests.endtoend import color, verify
from tests.synthetic import write_reel

DIGEST = "d41d8cd98f00b204e9800998ecf8427e"
TAGS = {"MD5SUM": DIGEST, "comment_of_bank": f"sha256: {DIGEST * 2}", "Framemd5": "0, 0, 1, ab", "box": "12"}


@pytest.mark.parametrize(
    "name", ["md5", "MD5SUM", "file-sha1", "CRC32", "Checksum", "frame_md5", "SHA-256", "x.framecrc"]
)
def test_names_that_claim(name):
    """By whatever spelling."""
    assert claim(name)


@pytest.mark.parametrize("words", [
    ("title", "md5"), ("unique id", DIGEST), ("comment", f"colored after {DIGEST}"), ("summary", "7"), ("shake", "1"),
    ("crystal", "a crc of 4"), ("handmd5made", "x"), ("description", "MD5 of the box: see card 12"),
])  # fmt: skip
def test_words_that_claim_nothing(words):
    """Numbers of a catalog, and sentences."""
    assert claim(*words) == ""


@pytest.mark.parametrize("source", ["in.mkv", "in.mov", "in.mp4"])
@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_claims_in_films_are_named(tmp_path, studio, source, suffix):
    """In tags of the film and of its tracks, from any container into any."""
    plain = write_reel(tmp_path / f"plain-{source}", 4, audio=["pcm_s16le"] if source != "in.mp4" else ["aac"])
    source = tmp_path / source
    with av.open(str(plain)) as a, av.open(str(source), "w", options={"movflags": "use_metadata_tags"}) as b:
        b.metadata.update(TAGS)
        pairs = {s.index: b.add_stream_from_template(s) for s in a.streams}
        pairs[1].metadata["SHA1"] = "1234"
        for packet in a.demux():
            if packet.dts is not None:
                packet.stream = pairs[packet.stream.index]
                b.mux(packet)
    out = tmp_path / f"out{suffix}"
    lost = color(source, out, studio.weights).lost
    with av.open(str(source)) as container:
        said = {**container.metadata, **{k: v for s in container.streams for k, v in s.metadata.items()}}
    wanted = {name.upper() for name, value in said.items() if claim(name, value)}
    assert len(wanted) >= 3
    named = [text for text in lost if "speaks of the source's own bytes" in text]
    assert {text.split()[1].upper() for text in named} == wanted
    assert len(named) == len(wanted)
    assert DIGEST.encode() not in out.read_bytes()
    with av.open(str(out)) as container:
        assert "12" in container.metadata.values() or any(" box " in text for text in lost)
    assert verify(source, out)[0] == 0
    path = sidecar_of(out)
    story = json.loads(path.read_text())
    path.write_text(json.dumps({**story, "not_carried_over": []}))
    assert verify(source, out)[0] == 1
    kept = [f for f in story["verified"] if "speaks of" not in f["detail"]]
    path.write_text(
        json.dumps(
            {**story, "census": CENSUS - 1, "verified": kept, "not_carried_over": [t for t in lost if t not in named]}
        )
    )
    assert verify(source, out)[0] == 0


@pytest.mark.skipif(shutil.which("mkvmerge") is None, reason="not installed: mkvtoolnix")
def test_claims_within_tags_of_matroska_are_named(tmp_path, studio):
    """A tag within another, about a chapter or an attachment: what is beside it stays."""
    plain = write_reel(tmp_path / "plain.mkv", 4, chapters=1)
    words = tmp_path / "tags.xml"
    words.write_text(
        "<Tags><Tag><Targets><TargetTypeValue>70</TargetTypeValue></Targets><Simple><Name>REEL</Name><String>four"
        f"</String><Simple><Name>MD5</Name><String>{DIGEST}</String></Simple><Simple><Name>SHELF</Name><String>nine"
        "</String></Simple></Simple></Tag></Tags>"
    )
    source, out = tmp_path / "in.mkv", tmp_path / "out.mkv"
    subprocess.run(["mkvmerge", "-q", "-o", source, "--global-tags", words, plain], check=True)
    lost = color(source, out, studio.weights).lost
    assert [text.split()[1] for text in lost if "own bytes" in text] == ["MD5"]
    data = out.read_bytes()
    assert (DIGEST.encode() in data, b"four" in data, b"nine" in data) == (False, True, True)
    assert verify(source, out)[0] == 0


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_claims_in_scans_are_named(tmp_path, studio, suffix):
    """A description that is a digest; one that is more stays."""
    for text, claims in ((f"MD5: {DIGEST}", True), (f"Plate 4, MD5 {DIGEST}", False)):
        source, out = tmp_path / f"in{int(claims)}{suffix}", tmp_path / f"out{int(claims)}{suffix}"
        gray = np.full((40, 50), 90, "u1")
        if suffix == ".tif":
            tifffile.imwrite(source, gray, description=text)
        elif suffix == ".png":
            data = imagecodecs.png_encode(gray)
            chunk = b"tEXt" + b"Description\0" + text.encode()
            whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
            source.write_bytes(data[:33] + whole + data[33:])
        else:
            data = imagecodecs.jpeg8_encode(gray)
            comment = text.encode()
            source.write_bytes(data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:])
        choices = ScanChoices(weights=str(studio.weights), working_size=32, precision="fp32")
        lost = ScanJob(str(source), out, choices).color().lost
        assert bool([t for t in lost if "own bytes" in t]) == claims, lost
        with open_scan(str(out)) as reader:
            held = [v for _, v in reader.scan.metadata.tags.values() if isinstance(v, bytes) and DIGEST.encode() in v]
        assert bool(held) != claims
        assert verify(source, out)[0] == 0
