"""Law 2: the field that the source shows first is shown first, in the words of readers that are none of ours."""

import json

import pytest

from pipeline.reels.reel import probe
from tests.endtoend import MEDIA, color, verify
from tests.readers.programs import needs, said
from tests.synthetic import write_reel

FAULTS = MEDIA / "faults"
ORDERS = {"tt": "tff", "tb": "tff", "bb": "bff", "bt": "bff"}
"""What ffprobe calls an order in QuickTime and Matroska, as the field that is shown first."""


def witnesses(path):
    """What ffprobe says of the stream and of its frames, and MediaInfo of the track."""
    shown = "stream=field_order:frame=interlaced_frame,top_field_first"
    found = json.loads(
        said("ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json", "-show_entries", shown, path)
    )
    frames = {"tff" if f["top_field_first"] else "bff" for f in found["frames"] if f.get("interlaced_frame")}
    third = said("mediainfo", "--Inform=Video;%ScanOrder%", path).strip().lower()
    return ORDERS.get(found["streams"][0]["field_order"]), frames, third


@needs("ffprobe", "mediainfo")
@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(("suffix", "outs"), [(".mov", (".mkv", ".mov", ".mp4")), (".mkv", (".mov",))])
def test_the_first_field_stays_the_first(tmp_path, tiny, order, suffix, outs):
    """Container, essence and a reader without FFmpeg say of each output what they say of the source."""
    source = write_reel(tmp_path / f"in{suffix}", 3, (96, 64), interlaced=order)
    assert witnesses(source) == (order, {order}, order)
    for out in (tmp_path / f"out{end}" for end in outs):
        color(source, out, tiny)
        assert witnesses(out) == (order, {order}, order)
        assert verify(source, out)[0] == 0


@pytest.mark.media
@pytest.mark.skipif(not FAULTS.exists(), reason=f"no media at {FAULTS}")
@pytest.mark.parametrize("path", sorted(FAULTS.glob("*_field_first.*")), ids=lambda path: path.name)
def test_the_first_field_of_real_files(path):
    """DV, DVCPRO50, HDV, XDCAM, ProRes, FFV1 and v210 in AVI, MOV, MXF, MKV and raw: the decoded frame knows."""
    assert probe(str(path)).fields == ("tff" if "top_field" in path.name else "bff")


@pytest.mark.slow
@needs("ffprobe", "mediainfo")
@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(("name", "suffix"), [("hevc", ".mp4"), ("hevc", ".mkv"), ("hevc", ".mov"), ("av1", ".mp4")])
def test_fields_that_only_the_file_tells(tmp_path, tiny, name, suffix, order):
    """H.265 and AV1 code whole frames; their file says which field comes first, to either reader."""
    source, out = write_reel(tmp_path / "in.mov", 4, (256, 128), interlaced=order), tmp_path / f"out{suffix}"
    color(source, out, tiny, profile=name)
    container, _, third = witnesses(out)
    assert (container, third) == (order, order)
    assert verify(source, out)[0] == 0
