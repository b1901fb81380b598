"""Matrices: chroma is of the matrix that an output is tagged with, whatever the source is tagged with."""

import av
import numpy as np
import pytest

from colorizer.basis.light import MATRIX_WORDS, Matrix
from tests.endtoend import color, verify
from tests.synthetic import read_stamps, write_reel


def planes(path):
    """Matrix, luma and chroma of the first frame."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.colorspace, [
            np.frombuffer(p, np.uint8).reshape(p.height, p.line_size)[:, : p.width].copy() for p in frame.planes
        ]


@pytest.fixture(scope="module")
def usual(studio, tmp_path_factory):
    """The same reel with a matrix that everybody knows, colored."""
    folder = tmp_path_factory.mktemp("usual")
    path = write_reel(folder / "in.mkv", 3, colors=(2, 2, Matrix.SMPTE170M))
    color(str(path), folder / "out.mkv", studio.weights)
    return planes(folder / "out.mkv")


@pytest.mark.parametrize("matrix", sorted(MATRIX_WORDS))
def test_a_matrix_without_weights_becomes_one_that_has_some(studio, tmp_path, usual, matrix):
    """Luma as it was, which is gray's in all of them; chroma and tag of one another; both said."""
    path, out = write_reel(tmp_path / "in.mkv", 3, colors=(2, 2, matrix)), tmp_path / "out.mkv"
    if planes(path)[0] != matrix:
        pytest.skip("FFmpeg here does not write this tag")
    result = color(str(path), out, studio.weights)
    tag, found = planes(out)
    assert tag == usual[0] == Matrix.SMPTE170M
    assert all(np.array_equal(a, b) for a, b in zip(found, usual[1], strict=True))
    assert read_stamps(out) == [0, 1, 2]
    assert any(f"{MATRIX_WORDS[matrix]} became 6" in text for text in result.lost)
    code, told = verify(path, out)
    assert (code, "lost  color matrix" in told) == (0, True)


@pytest.mark.parametrize("matrix", [Matrix.FCC, Matrix.SMPTE240M])
def test_old_weights_are_weights(studio, tmp_path, usual, matrix):
    """FCC's and SMPTE 240M's have numbers of their own: the tag stays, and chroma differs from Rec. 601's."""
    path, out = write_reel(tmp_path / "in.mkv", 3, colors=(2, 2, matrix)), tmp_path / "out.mkv"
    result = color(str(path), out, studio.weights)
    tag, found = planes(out)
    assert (tag, result.lost) == (matrix, ())
    assert np.array_equal(found[0], usual[1][0])
    assert not np.array_equal(found[1], usual[1][1])


def test_with_primaries_goes_their_matrix(studio, tmp_path):
    """BT.2020's for high dynamic range, not what a small picture would be guessed to have."""
    path = write_reel(tmp_path / "in.mkv", 2, colors=(9, 16, Matrix.ICTCP))
    color(str(path), tmp_path / "out.mkv", studio.weights)
    assert planes(tmp_path / "out.mkv")[0] == Matrix.BT2020
