"""Evaluation: figures of pictures whose colors are known, beside baselines that behave as they must."""

import io
import json
import tarfile
from collections import Counter

import imagecodecs
import numpy as np
import pytest
import torch

from colorizer.basis.errors import TrainingError
from colorizer.color.kept_luma import KeptLuma
from colorizer.measures import evaluation
from colorizer.measures.score import FIGURES
from colorizer.networks import weights_file as weights
from colorizer.training.picture_files import SIDE
from tests.synthetic import tiny_weights


def picture(seed, side=SIDE):
    """A colorful square, uint8 (side, side, 3): patches of a few strong colors."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.repeat(np.repeat(patches, side // 4, 0), side // 4, 1)


def shard(path, pictures):
    """A tar shard of (name, picture or bytes)."""
    with tarfile.open(path, "w") as tar:
        for name, value in pictures:
            data = value if isinstance(value, bytes) else imagecodecs.png_encode(np.ascontiguousarray(value))
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny random weights, loaded."""
    return weights.load(str(tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Five pictures with colors, three of known classes, and three without."""
    gray = np.repeat(picture(9)[..., :1], 3, 2)
    return shard(
        tmp_path_factory.mktemp("set") / "set.tar",
        [
            ("barn/a.png", picture(0)), ("beach/gray.png", gray), ("beach/b.png", picture(1)), ("x/c.png", picture(2)),
            ("barn/broken.png", b"not a picture"), ("_unlabelled/d.png", picture(3)), ("street/e.png", picture(4)),
            ("street/tiny.png", picture(5, 80)),
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(tiny, pictures):
    """What is measured on them."""
    return evaluation.evaluate(tiny.network(), [pictures], tiny.classes)


COLUMNS = {"ours", "mean_color", "gray"}


def test_every_figure_has_its_columns(found):
    """All figures stand for ours and both baselines, colorfulness for the truth too, scenes for ours alone; what was
    left out is counted; everything goes through JSON.
    """
    assert (found["pictures"], found["labeled"]) == (5, 3)
    assert found["left_out"] == {"gray": 1, "unreadable": 1, "tiny": 1}
    for figure in (*FIGURES, "auc", "auc_rebalanced", "colorfulness_ratio"):
        assert set(found[figure]) - {"truth"} == COLUMNS
    assert set(found["colorfulness"]) == COLUMNS | {"truth"}
    assert set(found["scene_top1"]) == set(found["scene_top5"]) == {"ours"}
    assert found["scene_top5"]["ours"] == 1  # three classes in all
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_gray_has_no_color(found):
    """The gray baseline's colorfulness and its share of the truth's are 0, its error the truth's own."""
    assert found["colorfulness"]["gray"] == found["colorfulness_ratio"]["gray"] == 0
    assert found["colorfulness_error"]["gray"] == found["colorfulness"]["truth"] > 50


def test_gray_is_neither_nearer_nor_worse_than_itself(found):
    """The shares beside gray are 0 for gray, and shares; the truth has means and blue pictures, gray none."""
    assert found["nearer_than_gray"]["gray"] == found["worse_than_gray"]["gray"] == 0
    assert all(0 <= found[figure]["ours"] <= 1 for figure in ("nearer_than_gray", "worse_than_gray", "invented_edges"))
    assert found["mean_a"]["gray"] == pytest.approx(0, abs=0.01)
    assert found["mean_b"]["truth"] != 0
    assert found["blue_pictures"]["gray"] == 0


def test_what_is_blue_is_counted_and_what_is_nearer(tiny, tmp_path):
    """Blue ramps are blue pictures; the mean color of their luma, learnt from them, is nearer than gray in all."""
    blue = np.full((SIDE, SIDE, 3), 60, np.uint8)
    blue[..., 2] = np.linspace(90, 220, SIDE)
    source = shard(tmp_path / "set.tar", [(f"a/{i}.png", np.roll(blue, i, 1)) for i in range(3)])
    found = evaluation.evaluate(tiny.network(), [source], tiny.classes)
    assert found["pictures"] == found["blue_pictures"]["truth"] == found["blue_pictures"]["mean_color"] == 3
    assert found["mean_b"]["truth"] < -20
    assert found["nearer_than_gray"]["mean_color"] == 1


def test_no_picture_with_color_is_no_figure(tiny, tmp_path):
    """Only the counts come back: nothing is divided by nothing."""
    gray = np.repeat(picture(9)[..., :1], 3, 2)
    source = shard(tmp_path / "gray.tar", [("a/a.png", gray), ("a/b.png", gray[..., 0])])
    found = evaluation.evaluate(tiny.network(), [source], tiny.classes)
    assert found == {"pictures": 0, "left_out": {"gray": 2}, "labeled": 0}


def test_the_limit_counts_pictures_with_color(tiny, pictures):
    """The first so many are measured, over all sources; what comes behind them is not looked at."""
    found = evaluation.evaluate(tiny.network(), [pictures, pictures], tiny.classes, limit=2)
    assert (found["pictures"], found["left_out"]) == (2, {"gray": 1})
    again = evaluation.evaluate(tiny.network(), [pictures, pictures], tiny.classes, limit=6)
    assert again["pictures"] == 6


def test_it_tells_how_far_it_is(tiny, pictures):
    """Pictures that are measured, up to all of them: a large set takes an hour."""
    told = []
    found = evaluation.evaluate(tiny.network(), [pictures] * 20, tiny.classes, report=told.append)
    assert told == sorted(set(told))
    assert told[-1] == found["pictures"]
    assert len(told) > 1


def test_a_source_that_is_none_is_refused(tiny, tmp_path):
    """A file that is no shard raises and is named."""
    (tmp_path / "no.tar").write_bytes(b"x" * 2000)
    with pytest.raises(TrainingError, match=r"no\.tar"):
        evaluation.evaluate(tiny.network(), [tmp_path / "no.tar"], tiny.classes)


def test_batches_do_not_show(tiny, pictures, found, monkeypatch):
    """Measured two by two the figures are the same."""
    monkeypatch.setattr(evaluation, "BATCH", 2)
    pairs = evaluation.evaluate(tiny.network(), [pictures], tiny.classes)
    for figure in FIGURES:
        assert pairs[figure] == pytest.approx(found[figure], rel=1e-3), figure


def ramp(hue):
    """A picture in which every luma level has one color of its own: a ramp of Y' with a*b* turning along it."""
    luma = torch.linspace(0.25, 0.75, SIDE).expand(SIDE, -1).contiguous()
    turn = hue + 6 * luma
    solver = KeptLuma("bt601")
    rgb = solver.show(luma, *solver.solve(luma, 25 * turn.cos(), 25 * turn.sin()))
    return (rgb * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def test_the_mean_color_is_perfect_where_luma_tells_all(tiny, tmp_path):
    """Where every luma level has one color, the mean-color baseline repeats the truth but for rounding; gray not."""
    source = shard(tmp_path / "set.tar", [(f"a/{i}.png", ramp(0)) for i in range(2)])
    found = evaluation.evaluate(tiny.network(), [source], tiny.classes)
    assert found["psnr_rgb"]["mean_color"] > 40 > 25 > found["psnr_rgb"]["gray"]
    assert found["delta_e2000"]["mean_color"] < 1
    assert found["auc"]["mean_color"] > 99
    assert found["colorfulness_ratio"]["mean_color"] == pytest.approx(1, abs=0.02)


def test_the_mean_color_is_learnt_on_other_pictures(tiny, tmp_path):
    """Even pictures teach the odd ones and the odd ones the even: with opposite hues every answer is wrong; a picture
    alone has no teacher and stays gray; with a prior it is the prior that teaches.
    """
    opposite = shard(tmp_path / "set.tar", [(f"a/{i}.png", ramp(np.pi * (i % 2))) for i in range(4)])
    found = evaluation.evaluate(tiny.network(), [opposite], tiny.classes)
    assert found["delta_e2000"]["mean_color"] > 1.5 * found["delta_e2000"]["gray"]
    alone = shard(tmp_path / "alone.tar", [("a/0.png", ramp(0))])
    found = evaluation.evaluate(tiny.network(), [alone], tiny.classes)
    assert found["delta_e2000"]["mean_color"] == pytest.approx(found["delta_e2000"]["gray"], abs=0.05)
    found = evaluation.evaluate(tiny.network(), [alone], tiny.classes, prior=[alone])
    assert found["delta_e2000"]["mean_color"] < 1


def test_what_is_left_out_is_counted(pictures):
    """Once per reason, and only when somebody asks."""
    left_out = Counter()
    assert len(list(evaluation.pictures([pictures], left_out))) == len(list(evaluation.pictures([pictures]))) == 5
    assert sum(left_out.values()) == 3
