"""Picture files: read whatever they are, named by their folders, cut square, described by four planes."""

import imagecodecs
import numpy as np
import pytest
import torch

from colorizer.color.lab import rgb_to_lab
from colorizer.training import picture_files
from colorizer.training.aging import orthochromatic


def picture(height=128, width=128, seed=0):
    """A colorful picture, uint8 (H, W, 3): patches of a few strong colors."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.repeat(np.repeat(patches, -(-height // 4), 0), -(-width // 4), 1)[:height, :width]


@pytest.mark.parametrize("kind", ["gray", "alpha", "deep", "gray alpha"])
def test_pictures_of_any_kind_become_rgb(kind):
    """Gray, transparent and 16-bit pictures are read as 8-bit RGB; what is no picture is None."""
    rgb = picture(seed=1)
    stored = {
        "gray": rgb[..., 0], "alpha": np.dstack([rgb, rgb[..., :1]]), "deep": rgb.astype(np.uint16) * 257,
        "gray alpha": np.dstack([rgb[..., :1], rgb[..., 1:2]]),
    }[kind]  # fmt: skip
    found = picture_files.rgb_of(imagecodecs.png_encode(np.ascontiguousarray(stored)))
    assert np.array_equal(found, np.repeat(rgb[..., :1], 3, 2) if "gray" in kind else rgb)


def test_avif_pictures_are_read():
    """AVIF, known by the brand behind its first four bytes, gives the picture that was stored; 4:4:4 in shards."""
    rgb = picture(seed=2)
    data = imagecodecs.avif_encode(rgb, level=95, pixelformat="444")
    found = picture_files.rgb_of(data)
    assert found is not None
    assert np.abs(found.astype(int) - rgb).mean() < 3
    assert picture_files.rgb_of(imagecodecs.avif_encode(rgb, level=100)).shape == rgb.shape


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", b"\x89PNG", b"\xff\xd8\xff" + bytes(300), b"RIFF\0\0\0\0WEBP", b"\0\0\0\x1cftypavif" + bytes(40)],
)
def test_what_is_no_picture_is_none(data):
    """Empty files, other files and beginnings of files: None, whatever the codec makes of them."""
    assert picture_files.rgb_of(data) is None


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
    assert picture_files.class_of(name) == scene


def test_planes_are_luma_ab_and_orthochromatic_gray():
    """Y' is Rec. 601 of the coded values, a*b* are CIE; each within half a code of exact."""
    rgb = picture(64, 48)
    planes = picture_files.planes_of(rgb)
    assert planes.dtype == np.uint8
    assert planes.shape == (4, 64, 48)
    luma = rgb.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(planes[0] - luma).max() <= 0.501
    ab = rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1).double() / 255)[1:].numpy()
    assert np.abs(planes[1:3].astype(float) - 128 - ab.clip(-128, 127)).max() <= 0.51
    ortho = orthochromatic(torch.from_numpy(rgb).permute(2, 0, 1).double() / 255).numpy() * 255
    assert np.abs(planes[3] - ortho).max() <= 0.51


@pytest.mark.parametrize(
    ("shape", "count"), [((128, 128), 1), ((300, 300), 1), ((100, 134), 1), ((100, 135), 2), ((200, 100), 2)]
)
def test_squares_of_a_picture(shape, count):
    """One central square, or both ends of what is longer than 4:3, always SIDE x SIDE."""
    cuts = list(picture_files.squares(picture(*shape)))
    assert len(cuts) == count
    assert all(cut.shape == (picture_files.SIDE, picture_files.SIDE, 3) for cut in cuts)


@pytest.mark.parametrize(
    "encode", [imagecodecs.jpeg8_encode, imagecodecs.png_encode, imagecodecs.webp_encode, imagecodecs.avif_encode]
)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_picture_that_is_cut_off_is_none(encode, share):
    """Gray where the rest was is no color to learn from; what stands behind a whole one does not matter."""
    rows = np.linspace(0, 255, 300 * 300 * 3).reshape(300, 300, 3)
    data = bytes(encode(np.ascontiguousarray((rows * 7 % 256).astype(np.uint8))))
    assert picture_files.rgb_of(data) is not None
    assert picture_files.rgb_of(data[: int(len(data) * share)]) is None
    assert picture_files.rgb_of(data + bytes(1000)) is not None
