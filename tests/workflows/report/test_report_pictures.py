"""What a report keeps of a file has a bound, whatever is in it."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from workflows.report import report_pictures
from workflows.report.preview import preview
from workflows.report.report_pictures import BYTES, LARGE, LONGEST
from workflows.report.values import File, Part

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(("shots", "size"), [(3, LARGE), (40, LARGE // 2)])
def test_pictures_have_a_bound(tmp_path, monkeypatch, shots, size):
    """Of a film with heavy grain, too; few shots are enlarged more than many, and each is a picture still."""

    def glimpses(path, kind, parts, longest):
        assert longest == (size if shots < 10 else max(2 * LONGEST, size))
        grain = RNG.normal(128, 25, (longest * 3 // 4, longest, 1)).clip(0, 255).astype(np.uint8).repeat(3, 2)
        return ((part.number, grain, "bt709") for part in parts)

    monkeypatch.setattr(report_pictures, "glimpses", glimpses)
    monkeypatch.setattr(report_pictures, "_more", lambda *_: [])
    parts = tuple(Part(number, "", "") for number in range(shots))
    file = File("k", "reel", "done", "film", output="film.mkv", place="film.mkv", digest="d", parts=parts)
    found, why = report_pictures.pictures(tmp_path, file)
    assert (len(found), why) == (shots, "")
    assert sum(path.stat().st_size for path in (tmp_path / "report").iterdir()) < 1.4 * BYTES
    assert report_pictures.kept(tmp_path, file) == found


def test_a_preview_has_a_bound(tmp_path):
    """A film of noise takes as many bytes a second as the encoder is given."""
    path = tmp_path / "noise.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 480, 360, "yuv420p"
        for index in range(96):
            noise = RNG.integers(0, 256, (540, 480), np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, "yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    data = preview(path, [Part(n, "", "", moment=1.0 + 2 * n, seconds=2.0) for n in range(2)])
    with av.open(io.BytesIO(data)) as made:
        assert len(list(made.decode(video=0))) > 48
    assert len(data) < 4 * 800_000 / 8 * 1.6
