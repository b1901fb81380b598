"""Samples of every kind become luma: exactly where they are gray integers, within a stated bound elsewhere."""

import imagecodecs
import numpy as np
import pytest

from colorizer.basis.errors import DamagedSource, UnsupportedSource
from pipeline.stills.opening import open_scan
from tests.tiffs import noise, packed, whole, write


@pytest.mark.parametrize("reversed_bits", [False, True])
@pytest.mark.parametrize("white", [False, True])
@pytest.mark.parametrize("bits", range(1, 17))
def test_every_depth_fills_the_range(tmp_path, bits, white, reversed_bits):
    """b bits of gray are spread over 8 or 16, rounded; 8 and 16 stay exactly; 0 may be white; bits may be reversed."""
    samples = noise((13, 21), "u2", bits, bits)
    samples[0, :2] = 0, 2**bits - 1
    top = 255 if bits <= 8 else 65535
    expected = np.floor(samples * (top / (2**bits - 1)) + 0.5).astype(np.uint16)
    expected = top - expected if white else expected
    with open_scan(packed(tmp_path / "a.tif", samples, bits, white, reversed_bits)) as reader:
        found = reader.read(0, 0, 13, 21)
        assert np.array_equal(found, expected)
        assert found.dtype == (np.uint8 if bits <= 8 else np.uint16)
        assert reader.scan.bits == found.itemsize * 8
        assert (f"{bits} bit" in reader.scan.tone) == (bits not in (8, 16))
        assert ("0 is white" in reader.scan.tone) == white


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_rgb_has_the_luma_of_reels(tmp_path, kind):
    """Rec. 601 of the coded values, rounded exactly, halves up; and it has color of its own."""
    rgb = noise((30, 40, 3), kind, 3)
    with open_scan(write(tmp_path / "a.tif", rgb, photometric="rgb")) as reader:
        assert np.array_equal(reader.read(0, 0, 30, 40), (rgb.astype(int) @ [299, 587, 114] + 500) // 1000)
        assert reader.scan.color


@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha", "unspecified"])
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_is_dropped_and_told(tmp_path, channels, extra):
    """A further sample does not touch the luma; it is alpha only if the file says so."""
    gray = noise((20, 20), "u1")
    samples = np.dstack([gray] * channels + [noise((20, 20), "u1", 9)])
    kind = "rgb" if channels == 3 else "minisblack"
    write(tmp_path / "a.tif", samples, photometric=kind, planarconfig="contig", extrasamples=[extra])
    with open_scan(tmp_path / "a.tif") as reader:
        assert np.array_equal(reader.read(0, 0, 20, 20), gray)
        assert reader.scan.alpha == (extra != "unspecified")
        wanted = "samples of unknown meaning" if extra == "unspecified" else "transparency"
        assert [loss.name for loss in reader.scan.metadata.lost] == [wanted]


def test_a_palette_is_looked_up(tmp_path):
    """Indices become the luma of their colors; a gray palette makes no color."""
    indices, colors = noise((25, 30), "u1"), noise((3, 256), "u2", 2)
    write(tmp_path / "a.tif", indices, photometric="palette", colormap=colors)
    expected = (colors >> 8).T[indices] @ [0.299, 0.587, 0.114]
    assert np.abs(whole(tmp_path / "a.tif") - expected).max() < 1
    gray = np.repeat(noise((1, 256), "u1").astype(np.uint16) * 257, 3, 0)
    with open_scan(write(tmp_path / "b.tif", indices, photometric="palette", colormap=gray)) as reader:
        assert np.array_equal(reader.read(0, 0, 25, 30), (gray[0] >> 8)[indices])
        assert not reader.scan.color


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_cmyk_is_light_through_four_inks(tmp_path, kind):
    """Without a profile: (1 - C)(1 - K) and so on, then Rec. 601; within 2 codes. Black ink alone is the gray scale."""
    inks = noise((30, 30, 4), kind, 4)
    inks[:15, :, :3] = 0
    top = np.iinfo(kind).max
    light = (1 - inks[..., :3] / top) * (1 - inks[..., 3:] / top) * top
    found = whole(write(tmp_path / "a.tif", inks, photometric="separated"))
    assert np.abs(found - light @ [0.299, 0.587, 0.114]).max() < 2
    assert np.array_equal(found[:15], top - inks[:15, :, 3])


@pytest.mark.parametrize(
    ("kind", "photometric", "top"), [("u1", 8, 255), ("u2", 8, 65535), ("u1", 9, 255), ("u2", 9, 65280)]
)
def test_lab_keeps_its_lightness(tmp_path, kind, photometric, top):
    """L* becomes the sRGB code of a gray of that lightness, within one code, whatever a* and b* are."""
    lab = noise((40, 40, 3), kind, 5)
    f = (np.minimum(lab[..., 0] / top, 1) * 100 + 16) / 116
    light = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    with open_scan(write(tmp_path / "a.tif", lab, photometric=photometric)) as reader:
        assert np.abs(reader.read(0, 0, 40, 40) - coded * np.iinfo(kind).max).max() <= 0.5 + 1e-6
        assert reader.scan.color
    lab[..., 1:] = 0 if photometric == 8 else 128 if kind == "u1" else 32768
    with open_scan(write(tmp_path / "b.tif", lab, photometric=photometric)) as reader:
        assert not reader.scan.color


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "u4"])
def test_integers_beyond_16_bits_or_signed_fill_16(tmp_path, kind):
    """The lowest value of the type is black, the highest white, within half a code; said in words."""
    limits = np.iinfo(kind)
    samples = np.linspace(limits.min, limits.max, 600).astype(kind).reshape(20, 30)
    with open_scan(write(tmp_path / "a.tif", samples, photometric="minisblack")) as reader:
        found = reader.read(0, 0, 20, 30)
        expected = (samples.astype(float) - limits.min) / (float(limits.max) - limits.min) * 65535
        assert np.abs(found - expected).max() <= 0.51
        assert "as black to white" in reader.scan.tone
    field = {"i1": 6, "i2": 8, "i4": 9, "u4": 4}[kind]
    announced = [(340, field, 1, 0, True), (341, field, 1, 100, True)]
    write(tmp_path / "b.tif", np.full((4, 4), 50, kind), photometric="minisblack", extratags=announced)
    assert set(whole(tmp_path / "b.tif").ravel()) == {32768}


@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_floats_within_0_and_1_are_taken_so(tmp_path, kind, predictor):
    """0 to 1 is black to white within half a code of 16 bits; NaN is black; 0 may be white."""
    samples = np.random.default_rng(0).random((30, 30)).astype(kind)
    samples[0, 0], samples[0, 1] = np.nan, 1
    options = {"compression": "zlib", "predictor": 3} if predictor else {}
    found = whole(write(tmp_path / "a.tif", samples, photometric="minisblack", **options))
    expected = np.nan_to_num(samples.astype(float)) * 65535
    assert np.abs(found - expected).max() <= 0.51
    inverted = whole(write(tmp_path / "b.tif", samples[1:], photometric="miniswhite"))
    assert np.array_equal(inverted, 65535 - found[1:])


def test_other_floats_are_scaled_by_what_is_seen(tmp_path):
    """From 0, or below 0 from the lowest, to nearly the highest: a hot pixel does not make the picture dark."""
    samples = np.random.default_rng(0).random((200, 200)).astype(np.float32) * 800
    samples[5, 5], samples[6, 6] = 1e30, np.inf
    with open_scan(write(tmp_path / "a.tif", samples, photometric="minisblack")) as reader:
        found = reader.read(0, 0, 200, 200)
        assert "0 to 79" in reader.scan.tone
        assert found[5, 5] == found[6, 6] == 65535
        assert np.abs(found[10:] - samples[10:] / 800 * 65535).max() < 100
    announced = [(340, 11, 1, -10.0, True), (341, 11, 1, 10.0, True)]
    write(tmp_path / "b.tif", np.float32([[-10, -5, 0, 10, 99]]), photometric="minisblack", extratags=announced)
    assert whole(tmp_path / "b.tif").tolist() == [[0, 16384, 32768, 65535, 65535]]


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_a_gray_profile_is_applied(tmp_path, kind):
    """Gray codes of gamma 1.8 become sRGB codes within half a code plus lcms' 0.0002; the profile is handed on."""
    icc = imagecodecs.cms_profile("gray", gamma=1.8)
    top = np.iinfo(kind).max
    ramp = np.arange(top + 1, dtype=kind).reshape(16, -1)
    light = (np.arange(top + 1) / top) ** 1.8
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * top
    with open_scan(write(tmp_path / "a.tif", ramp, photometric="minisblack", iccprofile=icc)) as reader:
        found = reader.read(0, 0, *ramp.shape).ravel()
        assert np.abs(found - coded).max() <= 0.5 + 0.0002 * top
        assert (found[0], found[-1]) == (0, top)
        assert (reader.scan.tone, reader.scan.icc) == ("gray ICC profile applied", icc)


def test_rgb_profiles_are_applied_unless_they_are_srgb(tmp_path):
    """Under sRGB's own profile codes count as stored; under a wider one the luma is that of the sRGB color."""
    rgb = noise((20, 20, 3), "u2", 8)
    plain = whole(write(tmp_path / "a.tif", rgb, photometric="rgb"))
    srgb, adobe = imagecodecs.cms_profile("srgb"), imagecodecs.cms_profile("adobergb")
    assert np.array_equal(whole(write(tmp_path / "b.tif", rgb, photometric="rgb", iccprofile=srgb)), plain)
    with open_scan(write(tmp_path / "c.tif", rgb, photometric="rgb", iccprofile=adobe)) as reader:
        expected = imagecodecs.cms_transform(rgb, adobe, srgb, colorspace="rgb", outcolorspace="rgb", flags=0x100)
        assert np.abs(reader.read(0, 0, 20, 20) - expected @ [0.299, 0.587, 0.114]).max() < 1
        assert "RGB ICC profile applied" in reader.scan.tone


@pytest.mark.parametrize("icc", [b"junk" * 50, imagecodecs.cms_profile("adobergb")])
def test_a_profile_that_does_not_fit_is_passed_over(tmp_path, icc):
    """A damaged profile, or one of another kind of picture, changes no code and is mentioned."""
    picture = noise((20, 20))
    with open_scan(write(tmp_path / "a.tif", picture, photometric="minisblack", iccprofile=icc)) as reader:
        assert np.array_equal(reader.read(0, 0, 20, 20), picture)
        assert "not applied" in reader.scan.tone + "".join(reader.scan.notes)


def test_kinds_that_are_not_read_say_what_to_do(tmp_path):
    """Complex numbers, volumes, color filters and palettes without colors are refused in one sentence."""
    write(tmp_path / "a.tif", np.zeros((4, 4), np.complex64))
    write(tmp_path / "b.tif", np.zeros((4, 4), np.uint8), photometric="cfa", extratags=[(33421, 3, 2, (2, 2), True)])
    write(tmp_path / "c.tif", np.zeros((4, 4), np.uint8), photometric="palette", colormap=np.zeros((3, 256), "u2"))
    for name, words in (("a.tif", "complex"), ("b.tif", "photometric interpretation 32803")):
        with pytest.raises(UnsupportedSource, match=f"{words}.*convert it"):
            open_scan(tmp_path / name)
    data = (tmp_path / "c.tif").read_bytes().replace(b"\x40\x01\x03\x00\x00\x03", b"\x41\x01\x03\x00\x00\x03")
    (tmp_path / "c.tif").write_bytes(data)
    with pytest.raises(DamagedSource, match="without its palette"):
        open_scan(tmp_path / "c.tif")
