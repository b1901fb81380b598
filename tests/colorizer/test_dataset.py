"""Training pictures: what is kept, what is dropped and counted, and what a cache remembers."""

import io
import tarfile

import imagecodecs
import numpy as np
import pytest
import torch

from colorizer import dataset
from colorizer.color import rgb_to_lab
from colorizer.errors import TrainingError


def picture(height=120, width=120, seed=0):
    """A colorful picture, uint8 (H, W, 3): patches of a few strong colors."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.repeat(np.repeat(patches, -(-height // 4), 0), -(-width // 4), 1)[:height, :width]


def png(rgb):
    return imagecodecs.png_encode(np.ascontiguousarray(rgb))


GREY = np.repeat(picture()[..., :1], 3, 2)
SEPIA = (GREY // 4 + np.array([120, 90, 50])).astype(np.uint8)
FILES = {
    "abbey/one.png": png(picture(seed=1)),
    "abbey/two.PNG": png(picture(seed=2)),
    "castle/outdoor/three.png": png(picture(seed=3)),
    "_unlabelled/four.png": png(picture(seed=4)),
    "five.png": png(picture(seed=5)),
    "abbey/wide.png": png(picture(100, 200, seed=6)),
    "abbey/alpha.png": png(np.dstack([picture(seed=7), GREY[..., :1]])),
    "abbey/gray.png": png(GREY),
    "abbey/single.png": png(GREY[..., 0]),
    "abbey/sepia.png": png(SEPIA),
    "abbey/tiny.png": png(picture(90, 300)),
    "abbey/broken.png": b"not a picture",
    "abbey/readme.txt": b"not even named like one",
}
DROPPED = {"gray": 2, "tinted": 1, "tiny": 1, "unreadable": 1}


def folder(path):
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def shard(path, prefix=""):
    with tarfile.open(path, "w") as tar:
        for name, data in FILES.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def facts(pictures):
    """Class name of every kept picture, sorted; None for unlabeled ones."""
    names = [pictures.classes[i] if i >= 0 else None for i in pictures.labels]
    return sorted(names, key=str)


def test_folders_and_shards_hold_the_same(tmp_path):
    """Gray, tinted, tiny and unreadable pictures are dropped and counted; a wide one gives both its ends.

    Classes are the folders, which may be nested; `_unlabelled` and bare files have none. A shard made with
    `tar -C folder .`, whose names start with "./", is no different.
    """
    sources = [folder(tmp_path / "set"), shard(tmp_path / "a.tar"), shard(tmp_path / "b.tar", "./")]
    for source in sources:
        pictures = dataset.load([source], tmp_path / "cache")
        assert pictures.dropped == DROPPED
        assert pictures.classes == ("abbey", "castle/outdoor")
        assert facts(pictures) == [None, None, *["abbey"] * 5, "castle/outdoor"]
        assert pictures.planes.shape == (8, 3, dataset.SIDE, dataset.SIDE)
        assert len(pictures) == 8
    together = dataset.load(sources[1:], tmp_path / "cache", classes=["beach", "abbey"])
    assert together.classes == ("beach", "abbey")
    assert sorted(together.labels.tolist()) == [-1] * 6 + [1] * 10
    assert together.dropped == {k: 2 * n for k, n in DROPPED.items()}


def test_a_cache_is_used_until_its_source_changes(tmp_path, monkeypatch):
    """A second load converts nothing; a picture added below a class folder is noticed."""
    source, cache = folder(tmp_path / "set"), tmp_path / "cache"
    first = dataset.load([source], cache)
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "_build", lambda *_: pytest.fail("the cache was not used"))
        again = dataset.load([source], cache)
        assert np.array_equal(first.planes, again.planes)
        assert np.array_equal(first.labels, again.labels)
    (source / "abbey" / "new.png").write_bytes(FILES["five.png"])
    assert len(dataset.load([source], cache)) == len(first) + 1


def test_unusable_sources_are_refused(tmp_path):
    """An absent path, a file that is no tar, and a set without one usable picture raise and say which."""
    cache = tmp_path / "cache"
    with pytest.raises(TrainingError, match="absent: no such folder or shard"):
        dataset.load([tmp_path / "absent"], cache)
    (tmp_path / "no.tar").write_bytes(b"x" * 2000)
    with pytest.raises(TrainingError, match=r"no\.tar: not a folder or tar shard"):
        dataset.load([tmp_path / "no.tar"], cache)
    (tmp_path / "gray" / "abbey").mkdir(parents=True)
    (tmp_path / "gray" / "abbey" / "g.png").write_bytes(png(GREY))
    with pytest.raises(TrainingError, match=r"no usable color picture .*'gray': 1"):
        dataset.load([tmp_path / "gray"], cache)


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("abbey/x.jpg", "abbey"),
        ("./abbey/x.jpg", "abbey"),
        ("a/abbey/x.jpg", "a/abbey"),
        ("x.jpg", None),
        ("./x.jpg", None),
        ("_unlabelled/x.jpg", None),
        ("./_unlabeled/x.jpg", None),
    ],
)
def test_class_of_a_file(name, scene):
    """The class is the folder, whatever its depth; "./" is no folder."""
    assert dataset.class_of(name) == scene


def test_planes_are_luma_and_ab():
    """Y' is Rec. 601 of the coded values, a*b* are CIE; each within half a code of exact."""
    rgb = picture(64, 48)
    planes = dataset.luma_ab(rgb)
    assert planes.dtype == np.uint8
    assert planes.shape == (3, 64, 48)
    luma = rgb.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(planes[0] - luma).max() <= 0.501
    ab = rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1).double() / 255)[1:].numpy()
    assert np.abs(planes[1:].astype(float) - 128 - ab.clip(-128, 127)).max() <= 0.51


@pytest.mark.parametrize(
    ("shape", "count"), [((128, 128), 1), ((300, 300), 1), ((100, 134), 1), ((100, 135), 2), ((200, 100), 2)]
)
def test_squares_of_a_picture(shape, count):
    """One central square, or both ends of what is longer than 4:3, always SIDE x SIDE."""
    cuts = list(dataset.squares(picture(*shape)))
    assert len(cuts) == count
    assert all(cut.shape == (dataset.SIDE, dataset.SIDE, 3) for cut in cuts)


def test_histogram_counts_sampled_colors():
    """`ab_histogram` counts 8-bit a*b* at index a·256 + b, over every fourth pixel of the sampled
    pictures.
    """
    planes = np.zeros((3, 3, dataset.SIDE, dataset.SIDE), np.uint8)
    planes[:, 1], planes[:, 2] = 130, np.array([7, 8, 9])[:, None, None]
    pictures = dataset.Pictures(planes, np.zeros(3, np.int16), ("x",), {})
    counts = pictures.ab_histogram()
    each = (dataset.SIDE // 2) ** 2
    assert {i: counts[i] for i in counts.nonzero()[0]} == {130 * 256 + b: each for b in (7, 8, 9)}
