"""Pyramids: servers and slide viewers see every level that `--pyramid` writes, and find the picture in each tile."""

import io
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from pipeline.jobs.scan_job import ScanChoices, ScanJob
from tests.readers.programs import SERVER, needs, picture_server, said

pytestmark = pytest.mark.slow

SIZE = (1100, 1500)
LEVELS = [(1500, 1100), (750, 550), (375, 275)]
TILE = 256


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory, tiny):
    """Colored plates with levels, by bits and where these are."""
    folder, done = tmp_path_factory.mktemp("pyramids"), {}

    def make(bits, shape):
        out = folder / f"{shape}{bits}.tif"
        if out not in done:
            y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
            luma = ((np.sin(x / 90) + np.cos(y / 70) + 2) / 4 * (2**bits - 1)).astype(f"u{bits // 8}")
            tifffile.imwrite(folder / f"in{bits}.tif", luma, metadata=None, photometric="minisblack")
            asked = ScanChoices(weights=str(tiny), working_size=32, precision="fp32", tile=TILE, pyramid=shape)
            done[out] = ScanJob(str(folder / f"in{bits}.tif"), out, asked).color()
        return out

    return make


def eight(samples):
    """Samples as a viewer of 8 bits shows them."""
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)


@pytest.mark.slow
@needs(SERVER)
@pytest.mark.parametrize("bits", [8, 16])
def test_a_picture_server_sees_every_level(pyramid, bits):
    """IIPImage tells all resolutions, as tiles of IIIF too, and each tile shows what is stored there."""
    path = pyramid(bits, True)
    with picture_server(path.parent) as server:
        told = server.ask(f"FIF={path.name}&obj=IIP,1.0&obj=Max-size&obj=Tile-size&obj=Resolution-number").decode()
        assert "Max-size:1500 1100" in told
        assert "Tile-size:256 256" in told
        assert "Resolution-number:3" in told
        info = json.loads(server.ask(f"IIIF={path.name}/info.json"))
        assert (info["width"], info["height"]) == LEVELS[0]
        assert sorted((s["width"], s["height"]) for s in info["sizes"]) == sorted(LEVELS[1:])
        assert info["tiles"][0]["scaleFactors"] == [1, 2, 4]
        with tifffile.TiffFile(path) as tiff:
            stored = [eight(page.asarray()) for page in tiff.pages]
        for scale, level in zip((1, 2, 4), stored, strict=True):
            side = TILE * scale
            answer = server.ask(f"IIIF={path.name}/0,0,{side},{side}/{TILE},{TILE}/0/default.jpg")
            shown = np.asarray(Image.open(io.BytesIO(answer)).convert("RGB")).astype(int)
            assert shown.shape == (TILE, TILE, 3)
            assert np.abs(shown - level[:TILE, :TILE]).mean() < 6


@pytest.mark.slow
@needs(SERVER)
def test_a_picture_server_sees_one_level_of_subifds(pyramid):
    """Why pages are the default: of levels in SubIFDs the same server knows nothing."""
    path = pyramid(8, "subifds")
    with picture_server(path.parent) as server:
        assert b"Resolution-number:1" in server.ask(f"FIF={path.name}&obj=IIP,1.0&obj=Resolution-number")


@pytest.mark.slow
@needs("openslide-show-properties", "openslide-write-png")
@pytest.mark.parametrize("bits", [8, 16])
def test_a_slide_viewer_sees_every_level(pyramid, tmp_path, bits):
    """OpenSlide lists the levels with their tiles, and paints the smallest as it is stored."""
    path = pyramid(bits, True)
    told = said("openslide-show-properties", path)
    for number, (width, height) in enumerate(LEVELS):
        assert f"openslide.level[{number}].width: '{width}'" in told
        assert f"openslide.level[{number}].height: '{height}'" in told
    said("openslide-write-png", path, 0, 0, 2, *LEVELS[2], tmp_path / "level.png")
    shown = np.asarray(Image.open(tmp_path / "level.png").convert("RGB")).astype(int)
    with tifffile.TiffFile(path) as tiff:
        assert np.abs(shown - eight(tiff.pages[2].asarray())).max() <= 1


@pytest.mark.slow
@needs("vips", "tiffinfo")
@pytest.mark.parametrize("shape", ["pages", "subifds"])
def test_libtiff_and_libvips_read_either(pyramid, tmp_path, shape):
    """Each level is there for both, without a warning, and has the samples that tifffile finds."""
    path = pyramid(16, shape)
    assert said("tiffinfo", path).count("reduced-resolution image") == 2
    with tifffile.TiffFile(path) as tiff:
        levels = tiff.pages if shape == "pages" else [tiff.pages[0], *tiff.pages[0].pages]
        stored = [level.asarray() for level in levels]
    for number, level in enumerate(stored):
        option = f"page={number}" if shape == "pages" else f"subifd={number - 1}"
        said("vips", "rawsave", f"{path}[{option}]", tmp_path / "level.raw")
        assert np.array_equal(np.fromfile(tmp_path / "level.raw", "u2").reshape(level.shape), level)
