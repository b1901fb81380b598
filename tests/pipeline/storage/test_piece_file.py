"""A piece is what was written, or is not there."""

import hashlib

import pytest

from pipeline.storage.job_folder import JobFolder
from pipeline.storage.piece_file import piece_file


def test_a_piece_is_what_was_written(tmp_path):
    """Its bytes in order, their number and their digest."""
    folder = JobFolder(tmp_path)
    folder.piece("a.mkv").parent.mkdir(parents=True, exist_ok=True)
    with piece_file(tmp_path, "a.mkv") as file:
        file.write(b"some")
        file.write(b"thing")
    data = folder.piece("a.mkv").read_bytes()
    assert data == b"something"
    assert (file.size, file.sha256) == (9, hashlib.sha256(data).hexdigest())


def test_a_piece_that_fails_is_none(tmp_path):
    """Half of it never gets the name."""
    folder = JobFolder(tmp_path)
    folder.piece("a.mkv").parent.mkdir(parents=True, exist_ok=True)

    def begin():
        with piece_file(tmp_path, "a.mkv") as file:
            file.write(b"some")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin()
    assert not folder.piece("a.mkv").exists()
