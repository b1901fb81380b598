"""Pictures in memory are colored at the luma they have, whatever they came as; what cannot be is told in one line."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from colorizer.basis.errors import CallError, WeightsError, WrongType, WrongValue
from colorizer.painting.colorize import colorize, load, luma
from colorizer.painting.picture import MAX_PIXELS
from tests.synthetic import texture, tiny_weights


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights, loaded."""
    return load(tiny_weights(tmp_path_factory.mktemp("w") / "tiny.safetensors"), "cpu", "fp32")


def gray(height=40, width=56, kind="u1"):
    """A smooth gray picture of a dtype."""
    picture = texture(0, width, height)
    return (picture * np.iinfo(kind).max).astype(kind) if np.dtype(kind).kind == "u" else picture.astype(kind)


def apart(picture, color):
    """How far the luma moved: in codes, or in eps of the dtype given."""
    moved = float(np.abs(luma(color).astype(np.float64) - luma(picture)).max())
    return moved / (1 if picture.dtype.kind == "u" else np.finfo(picture.dtype).eps)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), kind=st.sampled_from(["u1", "u2", ">u2", "f2", "f4", "f8"]),
    samples=st.sampled_from([0, 1, 2, 3, 4]), size=st.sampled_from([32, "native"]), seed=st.integers(0, 999),
)  # fmt: skip
def test_luma_is_kept(tiny, height, width, kind, samples, size, seed):
    """Of any picture: luma as it was, alpha as it was, same dtype and size, the picture itself untouched."""
    shape = (height, width, samples) if samples else (height, width)
    noise = np.random.default_rng(seed).random(shape)
    top = 1 if "f" in kind else np.iinfo(kind).max
    picture = (noise * top).astype(kind)
    before = picture.copy()
    color = colorize(picture, tiny, working_size=size)
    assert (picture == before).all()
    assert color.dtype == picture.dtype
    assert color.shape == (height, width, 4 if samples in (2, 4) else 3)
    assert apart(picture, color) <= (0 if "u" in kind else 4)
    assert color.min() >= 0
    assert "u" in kind or color.max() <= 1
    if samples in (2, 4):
        assert (color[..., 3] == picture[..., -1]).all()


@pytest.mark.parametrize("kind", ["u1", "u2", "f4", "f8"])
def test_it_is_in_color(tiny, kind):
    """A gray picture comes out with colors, floats with those of their codes."""
    color = colorize(gray(kind=kind), tiny, working_size=32)
    assert np.ptp(color.astype(np.float64), axis=-1).max() > 0.02 * (1 if kind[0] == "f" else np.iinfo(kind).max)
    codes = colorize(gray(kind="u2"), tiny, working_size=32) / 65535
    scale = 1 if kind[0] == "f" else np.iinfo(kind).max
    assert np.abs(color / scale - codes).max() < (0.05 if kind == "u1" else 0.02)  # near black a code is much


def test_black_and_white_stay(tiny):
    """Black has no color, nor has white, in any dtype."""
    for kind, top in (("u1", 255), ("u2", 65535), ("f4", 1)):
        for level in (0, top):
            assert (colorize(np.full((9, 9), level, kind), tiny, working_size=32) == level).all()


def test_tall_pictures_are_the_same_in_bands(tiny, monkeypatch):
    """Bands do not show: of any height the samples are the same."""
    picture = gray(90, 30)
    whole = [colorize(p, tiny, working_size=size) for p in (picture, picture / 255) for size in (32, "native")]
    for module in ("colorize", "picture"):
        monkeypatch.setattr(f"colorizer.painting.{module}.BAND", 240)
    parts = [colorize(p, tiny, working_size=size) for p in (picture, picture / 255) for size in (32, "native")]
    for one, other in zip(whole, parts, strict=True):
        assert np.abs(one.astype(float) - other).max() <= (1 if one.dtype == np.uint8 else 1 / 200)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32", "float64"])
@pytest.mark.parametrize("samples", [0, 1, 3, 4])
def test_tensors_have_their_colors_first(tiny, kind, samples):
    """A tensor gives a tensor of the same dtype, (3, H, W) or (4, H, W), with the samples an array gives."""
    array = np.stack([gray(kind=np.dtype(kind).str[1:])] * max(1, samples), -1)
    tensor = torch.from_numpy(np.moveaxis(array, -1, 0).copy() if samples else array[..., 0].copy())
    color = colorize(tensor, tiny, working_size=32)
    assert color.dtype == tensor.dtype
    assert color.device == tensor.device
    assert (np.moveaxis(color.numpy(), 0, -1) == colorize(array, tiny, working_size=32)).all()


def test_a_tensor_may_want_its_gradient(tiny):
    """What is still being computed with is read, not torn out of its graph."""
    tensor = torch.rand(20, 20, requires_grad=True)
    assert not colorize(tensor, tiny, working_size=32).requires_grad
    assert tensor.requires_grad


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"])
def test_pillow_images(tiny, mode):
    """An image gives an image, RGB or with alpha RGBA, at the luma of what Pillow shows."""
    image = Image.fromarray(np.stack([gray()] * 3, -1)).convert(mode if mode != "PA" else "P")
    image = image.convert("PA") if mode == "PA" else image
    color = colorize(image, tiny, working_size=32)
    clear = mode in ("LA", "PA", "RGBA")
    assert isinstance(color, Image.Image)
    assert color.mode == ("RGBA" if clear else "RGB")
    shown = np.asarray(image.convert("L" if mode in ("1", "L") else "RGB"))
    assert (luma(color) == luma(shown)).all()


def test_pillow_images_keep_exif_and_resolution(tiny, tmp_path):
    """Exif and resolution go along, and the picture is seen upright as Exif says."""
    exif = Image.Exif()
    exif[274], exif[270] = 6, "the lake"
    Image.fromarray(gray()).save(tmp_path / "turned.jpg", exif=exif, dpi=(300, 300))
    turned = Image.open(tmp_path / "turned.jpg")
    color = colorize(turned, tiny, working_size=32)
    assert color.getexif()[270] == "the lake"
    assert color.info["dpi"] == (300, 300)
    level = Image.fromarray(np.asarray(turned))
    assert np.asarray(color).tolist() != np.asarray(colorize(level, tiny, working_size=32)).tolist()


def test_pillow_is_not_needed(tiny, monkeypatch):
    """Where Pillow is not loaded, arrays are colored all the same."""
    monkeypatch.delitem(__import__("sys").modules, "PIL.Image")
    assert colorize(gray(), tiny, working_size=32).shape == (40, 56, 3)


@dataclass
class Bare:
    """Something with samples that is no array of numpy."""

    samples: np.ndarray

    def __array__(self, dtype=None, copy=None):
        return self.samples


def test_what_numpy_takes_for_an_array(tiny):
    """Arrays of other libraries, views turned around and read-only ones give what plain arrays give."""
    plain = colorize(gray(), tiny, working_size=32)
    locked = gray()
    locked.flags.writeable = False
    for picture in (Bare(gray()), gray()[::-1][::-1], np.asfortranarray(gray()), locked):
        assert (colorize(picture, tiny, working_size=32) == plain).all()


HOLE = gray(kind="f4")
HOLE[7, 5] = np.nan
WRONG = {
    "nothing": (None, WrongType, "not NoneType"),
    "a name": ("photo.jpg", WrongType, "pipeline.color_scan"),
    "a list": ([[1, 2], [3, 4]], WrongType, "not list"),
    "a row": (np.zeros(9, np.uint8), WrongValue, "this has 1"),
    "a number": (np.uint8(3), WrongValue, "this has 0"),
    "a batch": (np.zeros((2, 9, 9, 3), np.uint8), WrongValue, "4 axes"),
    "five axes": (np.zeros((2, 2, 9, 9, 3), np.uint8), WrongValue, "this has 5"),
    "colors first": (np.zeros((3, 90, 90), np.uint8), WrongValue, "moveaxis"),
    "colors last in a tensor": (torch.zeros(90, 90, 3), WrongValue, "permute"),
    "many samples": (np.zeros((90, 90, 7), np.uint8), WrongValue, "not 7"),
    "no rows": (np.zeros((0, 9), np.uint8), WrongValue, "empty"),
    "no columns": (np.zeros((9, 0, 3), np.float32), WrongValue, "empty"),
    "a mask": (np.zeros((9, 9), bool), WrongType, "uint8) * 255"),
    "whole numbers": (np.zeros((9, 9), int), WrongType, "not int64"),
    "long codes": (np.zeros((9, 9), np.uint32), WrongType, "not uint32"),
    "complex numbers": (np.zeros((9, 9), complex), WrongType, "not complex128"),
    "long floats": (np.zeros((9, 9), np.longdouble), WrongType, "float"),
    "texts": (np.full((9, 9), "x"), WrongType, "not <U1"),
    "NaN": (HOLE, WrongValue, "row 7, column 5"),
    "infinity": (np.full((9, 9, 3), np.inf), WrongValue, "row 0, column 0"),
    "floats to 255": (np.full((9, 9), 255.0), WrongValue, "from 255 to 255"),
    "floats below 0": (np.full((9, 9), -0.5), WrongValue, "from -0.5"),
    "a huge picture": (np.broadcast_to(np.uint8(0), (10**6, 10**6)), WrongValue, str(MAX_PIXELS)),
    "bfloat16": (torch.zeros(9, 9, dtype=torch.bfloat16), WrongType, "picture.float()"),
    "a sparse tensor": (torch.zeros(9, 9).to_sparse(), WrongType, "numpy cannot hold"),
    "deep gray of Pillow": (Image.fromarray(gray(kind="u2")), WrongType, "numpy.asarray"),
    "floats of Pillow": (Image.fromarray(gray(kind="f4")), WrongType, "numpy.asarray"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_picture_is_told_in_one_line(tiny, what):
    """The message says what is wrong and what to do; it is of the project's tree, and a TypeError or a ValueError."""
    picture, kind, told = WRONG[what]
    for call in (lambda: colorize(picture, tiny), lambda: luma(picture)):
        with pytest.raises(kind) as raised:
            call()
        assert isinstance(raised.value, CallError)
        assert isinstance(raised.value, TypeError if kind is WrongType else ValueError)
        assert told in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_cut_file_of_pillow_is_told(tiny, tmp_path):
    """A file that ends early shows when its pixels are asked for."""
    Image.fromarray(gray(400, 400)).save(tmp_path / "cut.png")
    data = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    with Image.open(tmp_path / "cut.png") as picture, pytest.raises(WrongValue, match="Pillow cannot read"):
        colorize(picture, tiny)


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"working_size": 31}, WrongValue, "31 is neither"),
        ({"working_size": "large"}, WrongValue, "'large' is neither"),
        ({"working_size": 64.0}, WrongValue, "64.0 is neither"),
        ({"weights": 3}, WrongType, "not int"),
        ({"weights": "nowhere"}, WeightsError, "fast"),
        ({"weights": "fast", "device": "cuda:99"}, WrongValue, "cuda:99"),
        ({"weights": "fast", "device": "abacus"}, WrongValue, "abacus"),
        ({"weights": "fast", "precision": "fp64"}, WrongValue, "fp64"),
        ({"device": "cpu"}, WrongValue, "already"),
    ],
)
def test_other_arguments(tiny, arguments, kind, told):
    """What else is asked for is checked too, in one line."""
    with pytest.raises(kind) as raised:
        colorize(gray(), **{"weights": tiny, **arguments})
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_weights_by_name_are_kept_for_the_next_call(tmp_path, monkeypatch):
    """A second picture does not load the network again; another file under the same name does."""
    path = tiny_weights(tmp_path / "mine.safetensors")
    loads = []
    monkeypatch.setattr("colorizer.painting.colorize.load", lambda *given: loads.append(given) or load(*given))
    first = colorize(gray(), path, working_size=32, precision="fp32")
    assert (colorize(gray(), path, working_size=32, precision="fp32") == first).all()
    assert len(loads) == 1
    tiny_weights(path, seed=5)
    colorize(gray(), path, working_size=32, precision="fp32")
    assert len(loads) == 2


def test_a_colorizer_says_what_it_is(tiny):
    """In a notebook it shows weights, device and precision."""
    assert repr(tiny) == "<Colorizer tiny on cpu, float32>"
