"""`chromatheque evaluate`: tables, JSON and sheets; clips beside their truth; one line for everything unusable."""

import json
from importlib.util import find_spec

import av
import imagecodecs
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError, SourceError
from colorizer.basis.installing import install
from colorizer.networks import weights_file as weights
from colorizer.painting.colorizer import Colorizer
from tests.synthetic import fill, texture, tiny_weights, write_reel
from workflows.commands import cli
from workflows.sheets import clips, gallery

flow = pytest.mark.skipif(find_spec("skimage") is None, reason="the demo extra is not installed")


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def colorizer(tiny):
    return Colorizer(weights.load(str(tiny)))


def picture(seed, high=128, wide=128):
    """A smooth colorful picture."""
    return (np.stack([texture(0, wide, high, 3 * seed + i) for i in range(3)], 2) * 255).astype(np.uint8)


def write(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(rgb)))


@pytest.fixture(scope="module")
def colored(tmp_path_factory):
    """A folder of color pictures of two classes."""
    folder = tmp_path_factory.mktemp("colored")
    for i in range(4):
        write(folder / ("barn", "beach")[i % 2] / f"{i}.png", picture(i))
    return folder


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A folder of photographs without color, stored as gray and as RGB, tall and wide."""
    folder = tmp_path_factory.mktemp("old")
    write(folder / "tall.png", picture(1, 300, 150)[..., 0])
    write(folder / "wide.png", np.repeat(picture(2, 100, 400)[..., :1], 3, 2))
    (folder / "broken.jpg").write_bytes(b"")
    return folder


def write_clip(path, frames=8, pix_fmt="yuv420p", cut=None, size=(96, 64)):
    """A color clip: luma and chroma are textures that drift together; after `cut` it is another picture."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for index in range(frames):
            frame = av.VideoFrame(*size, pix_fmt)
            shot = 9 if cut is not None and index >= cut else 0
            for plane in range(3):
                shape = frame.planes[plane].width, frame.planes[plane].height
                fill(frame, plane, (60 + 120 * texture(10 * index, *shape, shot + plane)).astype(np.uint8))
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "[clip].mkv")


def run(*arguments):
    return CliRunner(env={"COLUMNS": "100"}).invoke(cli.cli, ["evaluate", *map(str, arguments)])


def test_figures_are_a_table(tiny, colored):
    """Every figure is a line, ours and the baselines are columns beside each other, what was measured stands below."""
    done = run(tiny, colored)
    assert done.exit_code == 0
    for word in ("mean color", "gray", "truth", "PSNR RGB", "SSIM", "deltaE2000", "AuC rebalanced", "scene top 5",
                 "4 pictures"):  # fmt: skip
        assert word in done.output


def test_figures_are_json(tiny, colored, clip, tmp_path):
    """--json prints one object with everything; --prior and --limit are heard."""
    sheet = tmp_path / "sheet.png"
    done = run(tiny, colored, "--json", "--limit", 3, "--prior", colored, "--sheet", sheet)
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert said["weights"] == "tiny"
    assert said["pictures"]["pictures"] == 3
    assert said["pictures"]["psnr_rgb"].keys() == {"ours", "mean_color", "gray"}
    assert said["sheet"] == {"file": str(sheet), "pictures": 4}


def test_old_photographs_get_a_sheet_and_no_figures(tiny, old, tmp_path):
    """Pictures without color: one line says that nothing is measured, the sheet has two columns; without --sheet there
    is nothing to do.
    """
    sheet = tmp_path / "sheet.png"
    done = run(tiny, old, "--sheet", sheet)
    assert done.exit_code == 0
    first, last = done.output.splitlines()
    assert "no picture with colors" in first
    assert "nothing is measured" in first
    assert last == f"{sheet}: 2 pictures"
    rgb = imagecodecs.png_decode(sheet.read_bytes())
    group = 2 * gallery.WIDE + gallery.GAP
    assert rgb.shape[1] == 2 * (group + gallery.MARGIN) + gallery.MARGIN
    done = run(tiny, old)
    assert isinstance(done.exception, ColorizeError)
    assert "add --sheet" in str(done.exception)


@flow
def test_clips_are_measured_beside_their_truth(clip, colorizer):
    """A clip has figures for both kinds of looks, for the truth and for gray; gray has no color to flicker, and one
    look for all frames is steadier than a look for each.
    """
    found = clips.measure(clip, colorizer, 40)
    assert (found["start"], found["frames"], found["size"]) == (0, 8, [96, 64])
    assert found["followed"] > 0.5
    for figure in ("cdc", "warp_error", "warp_error_ab", "flicker", "colorfulness"):
        assert set(found[figure]) == set(clips.COLUMNS)
    for figure in ("warp_error_ab", "flicker", "colorfulness"):
        assert found[figure]["gray"] == 0 < found[figure]["truth"]
    assert found["flicker"]["per_shot"] < found["flicker"]["per_frame"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@flow
def test_clips_are_tables_and_json(tiny, clip):
    """A table per clip, named as the file is, brackets and all; or one JSON object, by path. No DATA is needed."""
    done = run(tiny, "--video", clip, "--frames", 6)
    assert done.exit_code == 0
    for word in ("[clip].mkv", "look a shot", "look a frame", "CDC", "warp error", "flicker", "frames 0 to 6"):
        assert word in done.output
    said = json.loads(run(tiny, "--video", clip, "--frames", 6, "--json").stdout)
    assert said["videos"][str(clip)]["frames"] == 6
    assert said["refused"] == {}


def test_the_truth_is_shown_as_it_is(tmp_path, colorizer):
    """The truth's pictures and ours share their luma, and the truth has the clip's own colors."""
    path = write_clip(tmp_path / "a.mkv", 5, "yuv444p")
    reel = clips.probe(str(path))
    shown = clips._shown(reel, clips._longest_shot(reel, colorizer, 40), colorizer)
    with av.open(str(path)) as file:
        wanted = [frame.reformat(format="rgb24", threads=1).to_ndarray() for frame in file.decode(video=0)]
    weights601 = np.array([0.299, 0.587, 0.114])
    for index, truth in enumerate(shown["truth"]):
        assert np.abs(truth.astype(int) - wanted[index]).max() <= 2
        for name in ("per_shot", "per_frame", "gray"):
            unclipped = ((truth > 0) & (truth < 255)).all(2)
            luma = shown[name][index] @ weights601
            assert np.abs(luma - truth @ weights601)[unclipped].max() < 3


def test_only_the_longest_shot_counts(tmp_path, colorizer):
    """Cuts are found as for a reel, no step across one is measured, and no frame beyond --frames."""
    path = write_clip(tmp_path / "a.mkv", 30, cut=12)
    reel = clips.probe(str(path))
    shot = clips._longest_shot(reel, colorizer, 40)
    assert (shot.start, shot.stop) == (12, 30)
    shot = clips._longest_shot(reel, colorizer, 20)
    assert (shot.start, shot.stop) == (0, 12)


@flow
def test_a_clip_that_cannot_be_measured_is_one_line(tiny, clip, tmp_path):
    """Without color, too short, no video, empty: each is one line that names it, the others are measured, and the
    command ends with 1.
    """
    gray = write_reel(tmp_path / "gray.mkv", 8)
    short = write_clip(tmp_path / "short.mkv", 4)
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    bad = [gray, short, tmp_path / "text.mp4", tmp_path / "empty.mp4"]
    done = run(tiny, "--frames", 6, "--json", *(word for path in (*bad, clip) for word in ("--video", path)))
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    for path, line in zip(bad, lines, strict=True):
        assert line.startswith(f"Error: {path}: ")
    assert "no color" in lines[0]
    assert "4 of the 5 frames" in lines[1]
    said = json.loads(done.stdout)
    assert set(said["refused"]) == set(map(str, bad))
    assert set(said["videos"]) == {str(clip)}


def test_without_scikit_image_the_message_says_what_to_install(tiny, clip, monkeypatch):
    """Before any work."""
    monkeypatch.setattr(clips, "find_spec", lambda name: None)
    done = run(tiny, "--video", clip)
    assert isinstance(done.exception, ColorizeError)
    assert install("demo") in str(done.exception)


@pytest.mark.parametrize(
    "words",
    [
        (), ("--sheet", "a.png", "--video", "CLIP"), ("--prior", "DATA", "--video", "CLIP"), ("absent",),
        ("DATA", "--sheet", "sheet.jpg"), ("DATA", "--sheet", "no/folder/sheet.png"), ("DATA", "--limit", "-1"),
        ("--video", "CLIP", "--frames", "4"), ("--video", "absent.mp4"), ("--video", "DATA"),
        ("DATA", "--prior", "absent"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_usage_errors(tiny, colored, clip, words):
    """What cannot be meant is refused with 2 before any work, and says why."""
    done = run(tiny, *({"DATA": colored, "CLIP": clip}.get(word, word) for word in words))
    assert done.exit_code == 2
    assert "Error: " in done.output


def test_unusable_data_is_an_error_that_names_it(tiny, tmp_path):
    """A file that is no shard, a folder without pictures: a ColorizeError, which prints as one line."""
    (tmp_path / "no.tar").write_bytes(b"x" * 2000)
    (tmp_path / "empty").mkdir()
    for name in ("no.tar", "empty"):
        for more in ((), ("--sheet", tmp_path / "sheet.png")):
            done = run(tiny, tmp_path / name, *more)
            assert isinstance(done.exception, ColorizeError), done.output
            assert name in str(done.exception)
            assert "\n" not in str(done.exception)
    assert not (tmp_path / "sheet.png").exists()


shapes = st.tuples(st.integers(20, 400), st.integers(20, 400))


@given(st.lists(shapes, min_size=1, max_size=5), st.integers(2, 3))
def test_a_sheet_holds_every_picture_whole(sizes, columns):
    """Whatever their shapes, pictures stand in rows of ACROSS, in boxes of one size, none cut, none over another."""
    rows = [[np.full((*size, 3), 255, np.uint8)] * columns for size in sizes]
    sheet = gallery.laid_out(rows)
    across = min(gallery.ACROSS, len(rows))
    down = -(-len(rows) // across)
    top = gallery.MARGIN + gallery.HEADER
    assert sheet.shape[0] == top + down * (gallery.HIGH + gallery.GAP) - gallery.GAP + gallery.MARGIN
    scales = [min(gallery.HIGH / high, gallery.WIDE / wide) for high, wide in sizes]
    areas = [round(h * s) * round(w * s) for (h, w), s in zip(sizes, scales, strict=True)]
    assert int((sheet[top:] == 255).all(2).sum()) == columns * sum(areas)
    border = np.concatenate([sheet[: gallery.MARGIN // 2].ravel(), sheet[:, : gallery.MARGIN].ravel()])
    assert (border == gallery.PAPER).all()
    assert sheet.shape[1] <= across * (columns * (gallery.WIDE + gallery.GAP) + gallery.MARGIN) + gallery.MARGIN


def test_a_sheet_says_what_its_columns_are():
    """There is a label above every column of the first row, and an empty box where there is no truth."""
    white = np.full((192, 192, 3), 255, np.uint8)
    sheet = gallery.laid_out([[white, white, None]])
    head = sheet[: gallery.MARGIN + gallery.HEADER]
    box = 192 + gallery.GAP
    for column in range(3):
        left = gallery.MARGIN + column * box
        assert (head[:, left : left + 192] == gallery.INK).any()
        assert (sheet[100:150, left : left + 192] == (gallery.PAPER if column == 2 else 255)).all()


@given(st.integers(1, 90), st.integers(1, 12))
def test_a_sheet_is_spread_over_the_set(total, count):
    """As many pictures as wanted or there are, in order, each once, from the whole set, the same ones every time."""
    numbers = list(range(total))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "members", lambda _: ((str(i), bytes([i])) for i in numbers))
        patch.setattr(gallery, "rgb_of", lambda data: np.full((100, 100, 3), data[0], np.uint8))
        patch.setattr(gallery, "without_truth", lambda _: None)
        found = [int(rgb[0, 0, 0]) for rgb, _ in gallery.spread([None], count)]
        assert [int(rgb[0, 0, 0]) for rgb, _ in gallery.spread([None], count)] == found
    assert len(found) == min(total, count)
    assert found == sorted(set(found))
    if count > 1:
        assert found[0] == 0
        assert total - found[-1] <= max(1, 2 * total / count)


@pytest.mark.parametrize("shape", [(16, 16), (17, 40), (90, 31), (300, 200)])
def test_a_sheets_colors_keep_their_luma(colorizer, shape):
    """Pictures of any size are painted, and what is shown has the luma that went in, within rounding and gamut."""
    gray = (texture(0, *shape[::-1]) * 200 + 20).astype(np.uint8)
    shown = gallery.color(colorizer, gray)
    assert shown.shape == (*shape, 3)
    assert np.abs(shown @ np.array([0.299, 0.587, 0.114]) - gray).max() < 2
    assert np.abs(shown.astype(int) - gray[..., None]).max() > 10


def test_clip_errors_name_the_clip(tmp_path, colorizer):
    """`measure` raises SourceError for a clip shorter than CDC needs."""
    with pytest.raises(SourceError, match=r"a\.mkv: .*3 of the 5 frames"):
        clips.measure(write_clip(tmp_path / "a.mkv", 3), colorizer, 40)
