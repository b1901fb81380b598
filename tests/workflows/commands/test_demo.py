"""`chromatheque demo`, end to end."""

import imagecodecs
import pytest

from tests.endtoend import luma_digests, run_command, verify
from tests.synthetic import tiny_weights
from workflows.demo import demo_reel

pytest.importorskip("skimage", reason="the demo extra is not installed")


@pytest.mark.slow
def test_the_demo_makes_a_reel_and_colors_it(tmp_path):
    """Two commands after a checkout: a reel, its colored copy with the same luma, one for players, a contact sheet;
    again does nothing.
    """
    tiny = tiny_weights(tmp_path / "tiny.safetensors")
    done = run_command("demo", "--weights", tiny, "--folder", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    assert "half a minute" in done.stdout
    colored = {f"reel-colored.{kind}" for kind in ("mkv", "mkv.json", "mkv.jpg", "mp4", "mp4.json")}
    names = {"reel.mp4", *colored}
    assert {p.name for p in (tmp_path / "demo").iterdir()} == names
    assert all(str(tmp_path / "demo" / name) in done.stdout for name in names - {"reel-colored.mp4.json"})
    source, out = tmp_path / "demo" / "reel.mp4", tmp_path / "demo" / "reel-colored.mkv"
    assert len(luma_digests(source)) == demo_reel.FRAMES
    assert luma_digests(out) == luma_digests(source)
    assert verify(source, out)[0] == 0
    assert imagecodecs.jpeg8_decode((tmp_path / "demo" / "reel-colored.mkv.jpg").read_bytes()).std() > 10
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "demo").iterdir()}
    assert run_command("demo", "--weights", tiny, "--folder", tmp_path / "demo").returncode == 0
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "demo").iterdir()} == before
    sheet = tmp_path / "demo" / "reel-colored.mkv.jpg"
    shown = sheet.read_bytes()
    sheet.unlink()
    assert run_command("demo", "--weights", tiny, "--folder", tmp_path / "demo").returncode == 0
    assert sheet.read_bytes() == shown
