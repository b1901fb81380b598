"""Sound that ends the process that asks for it: its packets are copied, or it is lost; either is named."""

import json

import av
import pytest

from pipeline.reels.heard import Heard, heard
from tests.synthetic import write_reel


@pytest.fixture
def deadly(apart_with):
    """Every track ends the process that asks for its layout."""
    apart_with("tests.dying_sound")


def test_sound_is_asked_apart(tmp_path, monkeypatch):
    """Rate, layout and bits as its header says; kinds where it is decoded; also by a path from here."""
    write_reel(tmp_path / "a.mkv", 12, audio=1)
    monkeypatch.chdir(tmp_path)
    found = heard("a.mkv", 1, decode=False)
    assert found == Heard(44100, "mono", 16)
    assert heard("a.mkv", 1, decode=True).kinds.seconds > 0


def packets(path):
    """The sound's packets."""
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


@pytest.mark.parametrize(("suffix", "how"), [(".mkv", "copied"), (".mp4", "lost")])
def test_deadly_sound_is_copied_not_decoded_and_named(studio, tmp_path, deadly, suffix, how):
    """Where the container takes its packets they are there, byte for byte; where not, it is lost; both are said."""
    source, made = write_reel(tmp_path / "a.mkv", 12, audio=1), tmp_path / f"out{suffix}"
    result = studio.color(source, made)
    assert [f for f in result.findings.values() if not f.holds] == []
    [fate] = [t for t in json.loads(made.with_name(made.name + ".json").read_text())["tracks"] if t["kind"] == "audio"]
    assert fate["how"] == how
    assert any("it ends the program that asks for its sound" in loss for loss in result.lost)
    if how == "copied":
        assert packets(made) == packets(source)
