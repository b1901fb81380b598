"""docs/python-api.md: its examples run, one after the other as a reader types them, and print what the page says."""

import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.checkout import PAGE
from tests.synthetic import texture, write_reel

BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the files that the examples name."""
    codes = (texture(0, 96, 64) * 65535).astype(np.uint16)
    codes[0, :2] = 0, 65535
    tifffile.imwrite(tmp_path / "plate.tif", codes)
    Image.fromarray((codes >> 8).astype(np.uint8)).save(tmp_path / "photo.jpg")
    write_reel(tmp_path / "newsreel.mkv", 24)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_run(desk, capsys):
    """All blocks of the page, in its order and one namespace; a comment behind a print says what it prints."""
    assert len(BLOCKS) >= 9
    space = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), space)
        printed = capsys.readouterr().out.splitlines()
        for said in re.findall(r"print\(error\) +# (.+)$", block, re.MULTILINE):
            assert said in printed
    made = {"photo-color.png", "newsreel-color.mkv", "plate-color.tif", "piece.mp4"}
    assert made <= {path.name for path in desk.iterdir()}


def test_nothing_else_on_the_page_is_code():
    """What looks like Python on the page is run: no block hides behind another language's name or none."""
    assert re.findall(r"^```(\w*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == ["python", ""] * len(BLOCKS)
