"""Training pictures: what is kept, what is dropped and counted, and what a cache remembers."""

import io
import tarfile

import imagecodecs
import numpy as np
import pytest

from colorizer.basis.errors import TrainingError
from colorizer.training import dataset


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
    "five.avif": imagecodecs.avif_encode(picture(seed=5), level=90),
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
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
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
    `tar -C folder .`, whose names start with "./", is no different, and neither is one that is gzipped.
    """
    sources = [folder(tmp_path / "set"), shard(tmp_path / "a.tar"), shard(tmp_path / "b.tar.gz", "./")]
    for source in sources:
        pictures = dataset.load([source], tmp_path / "cache")
        assert pictures.dropped == DROPPED
        assert pictures.classes == ("abbey", "castle/outdoor")
        assert facts(pictures) == [None, None, *["abbey"] * 5, "castle/outdoor"]
        assert pictures.planes.shape == (8, 4, dataset.SIDE, dataset.SIDE)
        assert len(pictures) == 8
        assert pictures.shares == ((8, 1.0),)
    together = dataset.load(sources[1:], tmp_path / "cache", classes=["beach", "abbey"], weights=[3, 0.5])
    assert together.shares == ((8, 3), (8, 0.5))
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
    (source / "abbey" / "new.png").write_bytes(FILES["abbey/one.png"])
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


def test_the_cached_side_is_a_choice(tmp_path):
    """Pictures are cached at the side that is asked for, each side in a cache of its own."""
    source = folder(tmp_path / "set")
    large, usual = (dataset.load([source], tmp_path / "cache", side=side) for side in (256, 128))
    assert large.planes.shape[1:] == (4, 256, 256)
    assert usual.planes.shape[1:] == (4, 128, 128)
    assert np.array_equal(large.labels, usual.labels)


def test_histogram_counts_sampled_colors():
    """`ab_histogram` counts 8-bit a*b* at index a·256 + b, over every fourth pixel of the sampled
    pictures.
    """
    planes = np.zeros((3, 4, dataset.SIDE, dataset.SIDE), np.uint8)
    planes[:, 1], planes[:, 2] = 130, np.array([7, 8, 9])[:, None, None]
    pictures = dataset.Pictures(planes, np.zeros(3, np.int16), ("x",), {})
    counts = pictures.ab_histogram()
    each = (dataset.SIDE // 2) ** 2
    assert {i: counts[i] for i in counts.nonzero()[0]} == {130 * 256 + b: each for b in (7, 8, 9)}
