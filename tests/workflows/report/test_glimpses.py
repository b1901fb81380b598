"""Glimpses: outputs are opened as sources are, so that none leads to other files."""

import pytest

from colorizer.basis.errors import UnsupportedSource
from pipeline.values.kinds import REEL
from tests.synthetic import write_reel
from workflows.report.glimpses import glimpses
from workflows.report.values import Part


def test_an_output_that_names_other_files_is_not_followed(tmp_path):
    """A list for FFmpeg under an output's name shows nothing of the films it names; a film is shown."""
    film = write_reel(tmp_path / "film.mkv", 4)
    part = Part(0, "shot 1", "0:00")
    [(number, picture, _)] = glimpses(film, REEL.name, [part], 32)
    assert (number, max(picture.shape[:2])) == (0, 32)
    (tmp_path / "list.mkv").write_text(f"ffconcat version 1.0\nfile '{film}'\n")
    with pytest.raises(UnsupportedSource, match="a list of files"):
        list(glimpses(tmp_path / "list.mkv", REEL.name, [part], 32))
