"""Every scan output in the words of readers that are none of ours: size, density, profile, texts, and the samples."""

import numpy as np
import pytest
import tifffile

from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.values.source_type import SOURCE_TYPE
from tests.readers.programs import exiftool, needs, said

SIZE = (180, 260)
WORDS = {"ImageDescription": "Plate 42", "Artist": "A. Person", "Copyright": "Dépôt 14"}
KINDS = {
    "8 bits": (8, ".tif", {}), "16 bits": (16, ".tif", {}), "zstd": (16, ".tif", {"compression": "zstd"}),
    "lzw": (8, ".tif", {"compression": "lzw"}), "jpeg in TIFF": (8, ".tif", {"compression": "jpeg"}),
    "PNG": (16, ".png", {}), "JPEG": (8, ".jpg", {}),
}  # fmt: skip
NOT_IN_4_5 = "zstd"
"""A compression that builds of libtiff may lack, as ExifTool's list of them does."""
STRIPS = ("StripOffsets", "RowsPerStrip", "StripByteCounts", "Compression", "PhotometricInterpretation")
"""What ExifTool misses in every TIFF of tiles; compressions and YCbCr that it does not count as TIFF's own."""


@pytest.fixture(scope="module")
def made(tmp_path_factory, tiny):
    """A plate in each of KINDS, colored when it is first asked for; its samples by tifffile, None where it has none."""
    folder, done = tmp_path_factory.mktemp("scans"), {}

    def make(kind):
        bits, suffix, how = KINDS[kind]
        out = folder / f"{kind}{suffix}"
        if out not in done:
            luma = (np.linspace(0, 1, SIZE[0] * SIZE[1]).reshape(SIZE) * (2**bits - 1)).astype(f"u{bits // 8}")
            texts = [(315, 2, 0, WORDS["Artist"], True), (33432, 2, 0, WORDS["Copyright"].encode(), True)]
            texts.append((274, 3, 1, 6, True))
            tifffile.imwrite(
                folder / f"in{bits}.tif", luma, metadata=None, description=WORDS["ImageDescription"],
                resolution=(300, 300), resolutionunit=2, photometric="minisblack", extratags=texts,
            )  # fmt: skip
            asked = ScanChoices(weights=str(tiny), working_size=32, precision="fp32", tile=64, **how)
            ScanJob(str(folder / f"in{bits}.tif"), out, asked).color()
            done[out] = tifffile.imread(out) if suffix == ".tif" else None
        return out, done[out]

    return make


@needs("exiftool")
@pytest.mark.parametrize("kind", [k if k == "16 bits" else pytest.param(k, marks=pytest.mark.slow) for k in KINDS])
def test_exiftool_finds_what_the_source_says(made, kind):
    """Size, density, orientation, every text, the profile and the mark; a complaint only of tiles."""
    out, _ = made(kind)
    found = {k.rpartition(":")[2]: v for k, v in exiftool(out, "-a", "-n").items()}
    assert (found["ImageWidth"], found["ImageHeight"]) == SIZE[::-1]
    assert (found["XResolution"], found["YResolution"]) == (300, 300)
    assert found["Orientation"] == 6
    assert {name: found[name] for name in WORDS} == WORDS
    assert found["ProfileDescription"].startswith("sRGB")
    assert found["DigitalSourceType"] == SOURCE_TYPE
    checked = exiftool(out, "-G1:4", "-validate", "-warning", "-error", "-a")
    complaints = [v for k, v in checked.items() if k.endswith((":Warning", ":Error"))]
    assert bool(complaints) == (out.suffix == ".tif")
    assert [w for w in complaints if not (out.suffix == ".tif" and w.endswith(STRIPS))] == []


@pytest.mark.slow
@needs("tiffinfo")
@pytest.mark.parametrize("kind", [k for k in KINDS if KINDS[k][1] == ".tif"])
def test_libtiff_reads_it_without_a_warning(made, kind):
    """tiffinfo tells the same of size, bits, density and words."""
    out, samples = made(kind)
    told = said("tiffinfo", out)
    assert f"Image Width: {SIZE[1]} Image Length: {SIZE[0]}" in told
    assert f"Bits/Sample: {samples.itemsize * 8}" in told
    assert "Resolution: 300, 300 pixels/inch" in told
    assert all(word in told for word in ("Plate 42", "A. Person", "ICC Profile: <present>"))


@pytest.mark.slow
@needs("vips")
@pytest.mark.parametrize("kind", [k for k in KINDS if KINDS[k][1] == ".tif" and k != NOT_IN_4_5])
def test_libvips_finds_the_same_samples(made, tmp_path, kind):
    """libvips decodes what tifffile decodes, and has profile, density and orientation."""
    out, samples = made(kind)
    said("vips", "rawsave", out, tmp_path / "a.raw")
    mine = np.fromfile(tmp_path / "a.raw", samples.dtype).reshape(samples.shape)
    assert np.abs(mine.astype(int) - samples).max() <= (2 if "jpeg" in kind else 0)
    fields = said("vipsheader", "-a", out)
    for line in ("icc-profile-data:", "orientation: 6", "xres: 11.811", "image-description: Plate 42"):
        assert line in fields


@pytest.mark.slow
@needs("vips")
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_libvips_reads_the_others(made, kind):
    """PNG with its 16 bits, JPEG with its 8; both with profile and density."""
    out, _ = made(kind)
    fields = said("vipsheader", "-a", out)
    for line in ("icc-profile-data:", "xres: 11.811", f"format: {'ushort' if kind == 'PNG' else 'uchar'}"):
        assert line in fields


@pytest.mark.slow
@needs("openslide-show-properties")
@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "lzw"])
def test_openslide_opens_it(made, kind):
    """Tiles and size, of a file without levels too."""
    told = said("openslide-show-properties", made(kind)[0])
    assert f"openslide.level[0].width: '{SIZE[1]}'" in told
    assert "generic-tiff" in told
