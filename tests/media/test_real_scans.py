"""Real and odd scans: what becomes of each, by name. Skipped where ../shared/media is not there.

Rights to those files vary: none of them is in this repository.
"""

import re
import shutil

import numpy as np
import pytest
import tifffile

from colorizer.basis.errors import ColorizeError
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.stills.opening import open_scan
from pipeline.values.events import Silent
from tests.endtoend import MEDIA, verify
from tests.synthetic import tiny_weights
from tests.tiffs import whole

pytestmark = [pytest.mark.media, pytest.mark.skipif(not MEDIA.exists(), reason=f"no media at {MEDIA}")]

FOLDERS = ("tiff", "photos_bw", "stills_odd")

OUTCOMES: dict[str, tuple[int, int, int, str, bool] | str] = {
    "tiff/depth_flower-minisblack-02.tif": (73, 43, 8, "gray", False),
    "tiff/depth_flower-minisblack-06.tif": (73, 43, 8, "gray", False),
    "tiff/depth_flower-minisblack-12.tif": (73, 43, 16, "gray", False),
    "tiff/depth_flower-minisblack-16.tif": (73, 43, 16, "gray", False),
    "tiff/depth_flower-minisblack-32.tif": (73, 43, 16, "gray", False),
    "tiff/depth_flower-palette-04.tif": (73, 43, 8, "palette", True),
    "tiff/depth_flower-rgb-contig-16.tif": (73, 43, 16, "RGB", True),
    "tiff/depth_flower-rgb-planar-08.tif": (73, 43, 8, "RGB", True),
    "tiff/depth_flower-separated-contig-16.tif": (73, 43, 16, "CMYK", True),
    "tiff/itiff_12bit.cropped.tiff": (64, 64, 16, "gray", False),
    "tiff/itiff_BigTIFFLong.tif": (64, 64, 8, "RGB", True),
    "tiff/itiff_BigTIFFMotorola.tif": (64, 64, 8, "RGB", True),
    "tiff/itiff_cmyk-3c-16b.tiff": (157, 151, 16, "CMYK", True),
    "tiff/itiff_cmyk-3c-8b.tiff": (157, 151, 8, "CMYK", True),
    "tiff/itiff_fax4.tiff": (1080, 671, 8, "gray", False),
    "tiff/itiff_gradient-1c-32b-float.tiff": (256, 1, 16, "gray", False),
    "tiff/itiff_gradient-1c-64b-float.tiff": (256, 1, 16, "gray", False),
    "tiff/itiff_int16.tif": (64, 64, 16, "gray", False),
    "tiff/itiff_int16_zstd.tif": (64, 64, 16, "gray", False),
    "tiff/itiff_issue_69_packbits.tiff": (45, 45, 16, "gray", False),
    "tiff/itiff_logluv-3c-16b.tiff": (1, 1, 16, "LogLuv", True),
    "tiff/itiff_minisblack-1c-16b.tiff": (157, 151, 16, "gray", False),
    "tiff/itiff_minisblack-2c-8b-alpha.tiff": (64, 64, 8, "gray", False),
    "tiff/itiff_miniswhite-1c-1b.tiff": (157, 151, 8, "gray", False),
    "tiff/itiff_palette-1c-4b.tiff": (157, 151, 8, "palette", True),
    "tiff/itiff_planar-rgb-u8.tif": (374, 499, 8, "RGB", True),
    "tiff/itiff_predictor-3-gray-f32.tif": (200, 200, 16, "gray", False),
    "tiff/itiff_predictor-3-rgb-f32.tif": (200, 200, 16, "RGB", True),
    "tiff/itiff_random-fp16-pred3.tiff": (16, 16, 16, "gray", False),
    "tiff/itiff_single-black-fp16.tiff": (256, 256, 16, "gray", False),
    "tiff/itiff_tiled-cmyk-i8.tif": (490, 367, 16, "CMYK", True),
    "tiff/itiff_tiled-jpeg-ycbcr.tif": (374, 499, 8, "YCbCr", True),
    "tiff/itiff_tiled-oversize-gray-i8.tif": (499, 374, 16, "gray", False),
    "tiff/libtiff_caspian.tif": (279, 220, 16, "RGB", True),
    "tiff/libtiff_cramps-tile.tif": (800, 607, 8, "gray", False),
    "tiff/libtiff_cramps.tif": (800, 607, 8, "gray", False),
    "tiff/libtiff_dscf0013.tif": (640, 480, 8, "YCbCr", True),
    "tiff/libtiff_fax2d.tif": (1728, 1082, 8, "gray", False),
    "tiff/libtiff_g3test.tif": (1728, 1103, 8, "gray", False),
    "tiff/libtiff_jello.tif": (256, 192, 8, "palette", True),
    "tiff/libtiff_jim___ah.tif": (664, 813, 8, "gray", False),
    "tiff/libtiff_jim___cg.tif": (277, 339, 8, "gray", False),
    "tiff/libtiff_jim___dg.tif": (277, 339, 8, "gray", False),
    "tiff/libtiff_jim___gg.tif": (277, 339, 8, "gray", False),
    "tiff/libtiff_ladoga.tif": (158, 118, 16, "gray", False),
    "tiff/libtiff_off_l16.tif": (333, 225, 16, "LogL", False),
    "tiff/libtiff_off_luv24.tif": (333, 225, 16, "LogLuv", True),
    "tiff/libtiff_off_luv32.tif": (333, 225, 16, "LogLuv", True),
    "tiff/libtiff_oxford.tif": (601, 81, 8, "RGB", True),
    "tiff/libtiff_quad-jpeg.tif": (512, 384, 8, "YCbCr", True),
    "tiff/libtiff_quad-lzw.tif": (512, 384, 8, "RGB", True),
    "tiff/libtiff_quad-tile.tif": (512, 384, 8, "RGB", True),
    "tiff/libtiff_smallliz.tif": (160, 160, 8, "YCbCr", True),
    "tiff/libtiff_strike.tif": (256, 200, 8, "RGB", True),
    "tiff/libtiff_text.tif": "strip 6 of 6 cannot be decoded (ThunderScan: the lines end early)",
    "tiff/libtiff_ycbcr-cat.tif": (250, 325, 8, "YCbCr", True),
    "tiff/libtiff_zackthecat.tif": (234, 213, 8, "YCbCr", True),
    "tiff/pillow_16bit.MM.deflate.tif": (64, 64, 16, "gray", False),
    "tiff/pillow_16bit.cropped.tif": (64, 64, 16, "gray", False),
    "tiff/pillow_8bit.s.tif": (128, 128, 16, "gray", False),
    "tiff/pillow_crash-0c7e0e8e11ce787078f00b5b0ca409a167f070": "23 of 23 strips are not there",
    "tiff/pillow_crash-63b1dffefc8c075ddc606c0a2f5fdc15ece788": "tiles or strips of 257 x 0 pixels",
    "tiff/pillow_g4-multi.tiff": (3307, 4677, 8, "gray", False),
    "tiff/pillow_g4_orientation_5.tif": (88, 590, 8, "gray", False),
    "tiff/pillow_g4_orientation_8.tif": (88, 590, 8, "gray", False),
    "tiff/pillow_hopper.Lab.tif": (128, 128, 8, "Lab", True),
    "tiff/pillow_hopper.iccprofile.tif": (128, 128, 8, "RGB", True),
    "tiff/pillow_hopper2I.tif": (128, 128, 8, "gray", False),
    "tiff/pillow_hopper4R.tif": (128, 128, 8, "gray", False),
    "tiff/pillow_hopper_bigtiff.tif": (128, 128, 8, "RGB", True),
    "tiff/pillow_hopper_jpg.tif": (128, 128, 8, "RGB", True),
    "tiff/pillow_hopper_lzma.tif": (128, 128, 8, "RGB", True),
    "tiff/pillow_hopper_webp.tif": (128, 128, 8, "RGB", True),
    "tiff/pillow_ifd_tag_type.tiff": (640, 512, 16, "gray", False),
    "tiff/pillow_multipage.tiff": (10, 10, 8, "palette", True),
    "tiff/pillow_multipage_multiple_frame_loop.tiff": (10, 10, 8, "palette", True),
    "tiff/pillow_multipage_out_of_order.tiff": (10, 10, 8, "palette", True),
    "tiff/pillow_old-style-jpeg-compression.tif": (4160, 870, 8, "YCbCr", False),
    "tiff/pillow_seek_too_large.tif": "it ends within a directory",
    "tiff/pillow_tiff_strip_planar_raw_with_overviews.tif": (278, 374, 8, "RGB", True),
    "tiff/pillow_tiff_strip_ycbcr_jpeg_1x1_sampling.tif": (300, 225, 8, "YCbCr", True),
    "tiff/pillow_tiff_tiled_planar_16bit_RGBa.tiff": (100, 40, 16, "RGB", True),
    "tiff/pillow_tiff_tiled_planar_lzw.tiff": (278, 374, 8, "RGB", True),
    "tiff/pillow_tiff_tiled_ycbcr_jpeg_2x2_sampling.tif": (480, 360, 8, "YCbCr", True),
    "tiff/pillow_total-pages-zero.tif": (1728, 2156, 8, "gray", False),
    "photos_bw/ansel_colorado_1941.png": (600, 464, 8, "gray", False),
    "photos_bw/ddcolor_Abandoned_Boy_Holding_a_Stuffed_Toy_Anim.jpg": (880, 928, 8, "YCbCr", False),
    "photos_bw/ddcolor_Acrobats_Balance_On_Top_Of_The_Empire_St.jpg": (880, 1108, 8, "YCbCr", False),
    "photos_bw/ddcolor_Ansel_Adams___Moore_Photography.jpeg": (1024, 768, 8, "YCbCr", False),
    "photos_bw/ddcolor_Audrey_Hepburn.jpg": (915, 1210, 8, "YCbCr", False),
    "photos_bw/ddcolor_Broadway_at_the_United_States_Hotel_Sara.jpg": (880, 613, 8, "YCbCr", False),
    "photos_bw/ddcolor_Buffalo_Bank_Buffalo.jpg": (936, 750, 8, "YCbCr", False),
    "photos_bw/ddcolor_Detroit_circa_1915.jpg": (1000, 553, 8, "YCbCr", False),
    "photos_bw/ddcolor_Einstein.jpeg": (728, 971, 8, "YCbCr", False),
    "photos_bw/ddcolor_February_1936.jpg": (1000, 1247, 8, "YCbCr", False),
    "photos_bw/ddcolor_Helen_Keller_meeting_Charlie_Chaplin_in_.jpg": (880, 438, 8, "YCbCr", False),
    "photos_bw/ddcolor_Louis_Armstrong_practicing_in_his_dressi.jpg": (880, 678, 8, "YCbCr", False),
    "photos_bw/ddcolor_New_York_Riverfront_December_15.jpg": (1000, 696, 8, "YCbCr", False),
    "photos_bw/ddcolor_colorized-historical-photos-vintage-phot.jpg": (880, 698, 8, "YCbCr", False),
    "photos_bw/lyken_t.jpg": (1020, 510, 8, "YCbCr", False),
    "photos_bw/lyken_v.jpg": (440, 559, 8, "gray", False),
    "photos_bw/msold_autochrome_c.png": (736, 952, 8, "RGB", True),
    "photos_bw/msold_autochrome_e.png": (588, 800, 8, "RGB", True),
    "photos_bw/msold_autochrome_g.png": (700, 700, 8, "RGB", True),
    "photos_bw/msold_scratch_a.png": (496, 624, 8, "RGB", True),
    "photos_bw/msold_scratch_b.png": (256, 256, 8, "RGB", True),
    "photos_bw/msold_scratch_c.png": (256, 336, 8, "RGB", True),
    "photos_bw/msold_scratch_d.png": (400, 256, 8, "RGB", True),
    "stills_odd/12bpp.jpg": "a kind of JPEG that the codec does not read",
    "stills_odd/G31D.tif": (2464, 3248, 8, "gray", False),
    "stills_odd/countdown_j2k.mxf": "not a scan: none of TIFF, PNG, JPEG",
    "stills_odd/cyan.dpx": (428, 240, 16, "RGB", True),
    "stills_odd/rgb_scanline_half_piz_bw.exr": (34, 27, 16, "RGB", False),
    "stills_odd/tiff_rgbaf32le_lzw.tif": (8, 8, 16, "RGB", True),
}
"""Width, height, bits of the luma, kind, and whether there is color of its own; or why the scan is refused."""

NOT_BY_TIFFFILE = ("libtiff_ycbcr-cat.tif", "libtiff_dscf0013.tif", "libtiff_smallliz.tif", "libtiff_zackthecat.tif")
"""Subsampled or old-style YCbCr that tifffile does not decode."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def test_every_scan_is_in_the_table():
    """A file that is added to the media has an expected outcome, and the table names no file that is gone."""
    there = {f"{folder}/{path.name}" for folder in FOLDERS for path in (MEDIA / folder).iterdir()}
    assert there == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcome(name):
    """Each scan is read to its last pixel, or refused in the words of the table; nothing else happens."""
    expected = OUTCOMES[name]
    if isinstance(expected, str):
        with pytest.raises(ColorizeError, match=re.escape(expected)):
            open_scan(MEDIA / name)
        return
    with open_scan(MEDIA / name) as reader:
        scan = reader.scan
        luma = reader.read(0, 0, scan.height, scan.width)
    assert (scan.width, scan.height, scan.bits, scan.kind, scan.color) == expected
    assert luma.dtype == (np.uint8 if scan.bits == 8 else np.uint16)
    assert luma.min() < luma.max() or name.startswith(("tiff/pillow_multipage", "tiff/itiff_logluv"))


@pytest.mark.parametrize("name", OUTCOMES)
def test_coloring(name, tmp_path, tiny):
    """Each scan is colored with the luma that was read of it, sample by sample, and verified; or refused, and then no
    file is left.
    """
    source, out = MEDIA / name, tmp_path / "out.tif"
    choices = ScanChoices(weights=str(tiny), working_size=32, precision="fp32", pyramid=True, tile=256)
    if isinstance(OUTCOMES[name], str):
        with pytest.raises(ColorizeError, match=re.escape(OUTCOMES[name])) as refused:
            ScanJob(str(source), out, choices, None, Silent()).color()
        assert "\n" not in str(refused.value)
        assert list(tmp_path.iterdir()) == []
        return
    result = ScanJob(str(source), out, choices, None, Silent()).color()
    assert all(finding.right for finding in result.findings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.tif", "out.tif.json"]
    code, told = verify(source, out)
    assert (code, "FAIL" in told) == (0, False), told
    rgb, luma = tifffile.imread(out, key=0), whole(source)
    assert rgb.dtype == luma.dtype
    assert np.array_equal((rgb.astype(np.int64) @ [299, 587, 114] + 500) // 1000, luma)
    shutil.rmtree(tmp_path)


KINDS = ("gray", "RGB", "YCbCr", "palette")


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, is_ in OUTCOMES.items()
        if name.startswith("tiff/") and is_[3] in KINDS and not isinstance(is_, str)
    ],
)
def test_tifffile_sees_the_same(name):
    """Another reader's samples give the same luma: within a code, the arithmetic being another."""
    if name.removeprefix("tiff/") in NOT_BY_TIFFFILE:
        pytest.skip("tifffile does not decode it")
    with tifffile.TiffFile(MEDIA / name) as tiff, open_scan(MEDIA / name) as reader:
        page = tiff.pages.first
        samples = page.asarray().astype(np.float64)
        luma = reader.read(0, 0, reader.scan.height, reader.scan.width).astype(np.float64)
        if page.planarconfig == 2 and samples.ndim == 3:
            samples = samples.transpose(1, 2, 0)
        if page.photometric == 3:
            colors = page.colormap.astype(np.float64) / (257 if page.colormap.max() > 255 else 1)
            samples = colors.T[samples.astype(int)]
        elif page.dtype.kind != "f":
            samples = samples - (np.iinfo(page.dtype).min if page.dtype.kind == "i" else 0)
            samples = samples / (2**page.bitspersample - 1) * (2**reader.scan.bits - 1)
        elif samples.max() <= 1:
            samples = samples * 65535
        else:
            pytest.skip("a float's range is a choice")
    if samples.ndim == 3:
        color = page.photometric in (2, 3, 6)
        samples = samples[..., :3] @ [0.299, 0.587, 0.114] if color else samples[..., 0]
    if page.photometric == 0:
        samples = 2**reader.scan.bits - 1 - samples
    if page.compression in (6, 7):  # R, G and B clipped and rounded on the way
        assert np.abs(luma - samples).mean() < 0.7
    else:
        assert np.abs(luma - samples).max() <= (1.01 if page.photometric != 3 else 2)  # palettes are cut to 8 bits
