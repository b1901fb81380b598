"""What frames carry beside their samples is named, in the result and by `verify`."""

from pathlib import Path

import av
import pytest

from pipeline.reels.beside import KINDS, beside, check_beside
from tests.endtoend import MEDIA, color, story, verify
from tests.synthetic import write_reel, write_sequence

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


def test_a_time_code_that_counts_on_is_not_lost(studio, tmp_path):
    """Of DPX the first one's goes into the output, and says all of the others'; one that jumps is named, zeros are not.

    A piece begins with its own.
    """
    pattern = write_sequence(tmp_path / "in", frames=30)

    def stamp(codes):
        for number, code in enumerate(codes):
            path = Path(pattern % number)
            data = bytearray(path.read_bytes())
            data[1920:1924] = bytes.fromhex(code.replace(":", ""))[:: -1 if data[:4] == b"XPDS" else 1]
            path.write_bytes(data)
        return codes

    stamp([f"01:00:{n // 24:02}:{n % 24:02}" for n in range(30)])
    for number, cut in enumerate(({}, {"start": "0.5", "stop": "1.1"})):
        out = tmp_path / f"out{number}.mkv"
        assert color(pattern, out, studio.weights, **cut).lost == ()
        assert story(out).timecode == ("01:00:00:12" if cut else "01:00:00:00")
        code, said = verify(pattern, out)
        assert (code, "time code of each" in said) == (0, False)
    stamp([f"01:00:{n // 24 + 7 * (n > 27):02}:{n % 24:02}" for n in range(30)])
    [lost] = color(pattern, tmp_path / "jump.mkv", studio.weights).lost
    assert lost == "time code of each frame (in 2 frames another than the reel's counts to; no output holds it)"
    code, said = verify(pattern, tmp_path / "jump.mkv")
    assert (code, "lost  time code of each frame" in said) == (0, True)
    stamp(["00:00:00:00"] * 30)
    assert color(pattern, tmp_path / "zero.mkv", studio.weights).lost == ()


def test_kinds_are_ffmpegs():
    """Each kind that is looked for is one that PyAV has a name for; one frame is a frame."""
    from av.sidedata.sidedata import Type

    assert set(KINDS) <= {kind.name for kind in Type}
    assert beside(av.VideoFrame(8, 8, "gray")) == set()
    assert [f.detail for f in check_beside({"a": 1, "b": 2})] == [
        "in 1 frame; no output holds it", "in 2 frames; no output holds it",
    ]  # fmt: skip
