"""The contact sheet, and the glimpses of an output that it is made of."""

from fractions import Fraction

import av
import imagecodecs
import numpy as np
import pytest

from tests.endtoend import run_command
from tests.plates import plate
from tests.synthetic import tiny_weights, write_reel
from workflows.report.glimpses import glimpses
from workflows.report.values import Part
from workflows.sheets.sheet import GAP, LONGEST, MARK, sheet_of, write_sheet


def clip(path, colorspace, codes, pix_fmt="yuv444p", color_range=1, size=(64, 48), sar=None, frames=6):
    """A reel of plain color: three planes of one code each, two shots of different luma."""
    with av.open(path, "w") as out:
        video = out.add_stream("prores_ks" if path.suffix == ".mov" else "ffv1", rate=24)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.codec_context.colorspace, video.codec_context.color_range = colorspace, color_range
        if sar:
            video.codec_context.sample_aspect_ratio = sar
        for index in range(frames):
            frame = av.VideoFrame(*size, pix_fmt)
            for number, (plane, code) in enumerate(zip(frame.planes, codes, strict=False)):
                shade = code + 40 * (index >= frames // 2) * (number == 0)
                plane.update(bytes([shade]) * plane.buffer_size)
            frame.pts, frame.colorspace, frame.color_range = index, colorspace, color_range
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def middle(path, moment=0.0, longest=LONGEST):
    """A glimpse of a moment, and the color in its middle."""
    [(_, rgb, matrix)] = glimpses(path, "reel", [Part(0, "", "", moment=moment)], longest)
    return rgb, rgb[rgb.shape[0] // 2, rgb.shape[1] // 2].tolist(), matrix


def test_a_glimpse_is_what_a_screen_shows(tmp_path):
    """By the file's own matrix and range, at its own moment."""
    clip(tmp_path / "a.mkv", 1, (100, 90, 170))
    _, first, matrix = middle(tmp_path / "a.mkv")
    assert first == pytest.approx([173, 84, 18], abs=1)  # BT.709, by hand
    assert matrix == "bt709"
    assert middle(tmp_path / "a.mkv", 5 / 24)[1] == pytest.approx([219, 131, 65], abs=1)


def test_a_wide_picture_is_shown_wide(tmp_path):
    """At its display shape and no wider than asked."""
    clip(tmp_path / "a.mov", 1, (100, 128, 128), pix_fmt="yuv422p10le", size=(720, 480), sar=Fraction(32, 27))
    assert middle(tmp_path / "a.mov")[0].shape == (270, 480, 3)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def colored(command, source, out, tiny, *options):
    """The command, which must come to its end."""
    done = run_command(command, source, out, "--weights", tiny, "--working-size", 32, "--precision", "fp32", *options)
    assert done.returncode == 0, done.stderr
    return done


def test_a_reels_shots_are_laid_out_gray_beside_color(tmp_path, tiny):
    """A pair for each shot, of the same luma; it is known by its comment, and made once."""
    write_reel(tmp_path / "in.mkv", 12, (64, 48), cuts=(6,))
    out = tmp_path / "out.mkv"
    done = colored("reel", tmp_path / "in.mkv", out, tiny, "--sheet")
    sheet = sheet_of(out)
    assert f"contact sheet: {sheet}" in done.stdout
    data = sheet.read_bytes()
    assert data[6 : 6 + len(MARK)] == MARK
    picture = imagecodecs.jpeg8_decode(data).astype(int)
    assert picture.shape == (2 * (48 + 2 * GAP) + 2 * GAP, 2 * (64 + 2 * GAP) + 2 * GAP, 3)
    gray, color = picture[20:50, 20:70], picture[20:50, 96:146]
    assert np.ptp(gray, axis=2).max() <= 8
    assert np.ptp(color, axis=2).mean() > 10
    written = sheet.stat().st_mtime_ns
    assert write_sheet(out) == sheet
    assert sheet.stat().st_mtime_ns == written


def test_a_sheet_is_made_when_asked_for(tmp_path, tiny):
    """Away from a terminal none is left unasked; a file of that name that is none stays, and the output is good."""
    source, out = plate(tmp_path / "in.tif", 100, 100), tmp_path / "out.tif"
    colored("scan", source, out, tiny)
    assert not sheet_of(out).exists()
    sheet_of(out).write_bytes(b"mine")
    done = colored("scan", source, out, tiny, "--sheet")
    assert "exists and is no contact sheet" in done.stderr
    assert sheet_of(out).read_bytes() == b"mine"
