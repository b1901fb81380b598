"""A preview that the disk refuses is made by the next report."""

import errno

import pytest

from workflows.report import report_pictures


def test_what_the_disk_refuses_is_not_taken_for_done(tmp_path, monkeypatch):
    """A missing encoder leaves a report without a film; a full disk leaves it to be made again."""
    from types import SimpleNamespace

    file = SimpleNamespace(key="k", kind="reel", place="a.mkv", name="a", story="a.mkv.json")
    monkeypatch.setattr(report_pictures, "read_json", lambda path: {})
    monkeypatch.setattr(report_pictures, "story", lambda *_: "a story")
    (tmp_path / "report").mkdir()
    written = []

    def write(path, data, lasting):
        if path.suffix == ".mp4":
            raise OSError(errno.ENOSPC, "full")
        written.append(path.name)

    monkeypatch.setattr(report_pictures, "write_bytes", write)
    monkeypatch.setattr(report_pictures, "preview", lambda *_: b"film")
    with pytest.raises(OSError, match="full"):
        report_pictures._more(tmp_path, file, [])

    def lacking(*_):
        raise ValueError("no encoder")

    monkeypatch.setattr(report_pictures, "preview", lacking)
    assert report_pictures._more(tmp_path, file, []) == ["report/k.html"]
