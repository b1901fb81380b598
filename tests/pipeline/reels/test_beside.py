"""What frames carry beside their samples is named, in the result and by `verify`."""

import av
import pytest

from pipeline.reels.beside import KINDS, beside, check_beside
from tests.endtoend import MEDIA, color, verify
from tests.synthetic import write_reel

FAULTS = MEDIA / "faults"


def test_hdr_metadata_is_named(studio, tmp_path):
    """An H.265 source with a mastering display and light levels: both are named; a plain one has nothing to name."""
    words = "master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,50):max-cll=1000,400"
    source, plain = tmp_path / "hdr.mkv", write_reel(tmp_path / "plain.mkv", 3, codec="libx264", audio=1)
    write_reel(source, 3, pix_fmt="yuv420p10le", codec="libx265", options={"x265-params": f"log-level=none:{words}"})
    out = tmp_path / "out.mkv"
    lost = color(source, out, studio.weights).lost
    assert [text.partition(" (")[0] for text in lost] == ["HDR light level", "HDR mastering display"]
    code, said = verify(source, out)
    assert (code, said.count("lost  HDR")) == (0, 2)
    assert color(plain, tmp_path / "plain-out.mkv", studio.weights).lost == ()


@pytest.mark.media
@pytest.mark.skipif(not FAULTS.exists(), reason=f"no media at {FAULTS}")
def test_captions_are_named(studio, tmp_path):
    """Closed captions in the user data of MPEG-2."""
    source, out = FAULTS / "mpeg2_with_eia608_captions_GA94.vob", tmp_path / "out.mov"
    assert any(text.startswith("closed captions (in 24 frames") for text in color(source, out, studio.weights).lost)
    assert verify(source, out)[0] == 0


def test_kinds_are_ffmpegs():
    """Each kind that is looked for is one that PyAV has a name for; one frame is a frame."""
    from av.sidedata.sidedata import Type

    assert set(KINDS) <= {kind.name for kind in Type}
    assert beside(av.VideoFrame(8, 8, "gray")) == set()
    assert [f.detail for f in check_beside({"a": 1, "b": 2})] == [
        "in 1 frame; no output holds it", "in 2 frames; no output holds it",
    ]  # fmt: skip
