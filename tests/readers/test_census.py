"""Second witnesses of the census: what other readers list in a source and not in its output is named by the run."""

import struct
import subprocess

import numpy as np
import pytest
import tifffile

from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.metadata.frame_blocks import DPX_NUMBERS, DPX_TEXTS
from pipeline.values.events import Silent
from tests.endtoend import color
from tests.readers.programs import exiftool, ffprobe, mediainfo, needs
from tests.synthetic import write_reel

MARK = "witness"
REEL = (
    "XMP-dc:Title", "XMP-dc:Rights", "XMP-xmpMM:DocumentID", "Keys:Title", "Keys:Director", "Keys:Make",
    "ItemList:Album", "ItemList:Artist", "ItemList:Comment", "UserData:Copyright", "UserData:Title", "UserData:Author",
    "Keys:Keywords", "UserData:Director", "UserData:Information",
)  # fmt: skip
SCAN = (
    "IFD0:ImageDescription", "IFD0:Artist", "IFD0:HostComputer", "IFD0:Make", "IFD0:XPTitle", "ExifIFD:UserComment",
    "ExifIFD:LensModel", "ExifIFD:OwnerName", "ExifIFD:ImageUniqueID", "GPS:GPSAreaInformation", "IPTC:Keywords",
    "IPTC:Headline", "XMP-dc:Title", "XMP-dc:Source", "XMP-photoshop:Credit", "Photoshop:URL", "File:Comment",
)  # fmt: skip
PLACES = {
    "XMP": ("XMP",), "Keys": ("moov/meta/ilst/",), "ItemList": ("moov/udta/meta/ilst/",), "UserData": ("moov/udta/",),
    "IPTC": ("iptc", "IPTC"), "Photoshop": ("Photoshop", "ImageResources"), "File": ("text of ImageDescription",),
    "PNG": ("text ",), "IFD0": ("text of ", "tag "),
}  # fmt: skip
"""Groups of ExifTool's, and what their elements are called: by their boxes, or by the block that has them."""


def told(source, tags):
    """Have ExifTool write as many of these tags as the format takes, a text of its own each."""
    for n, tag in enumerate(tags):
        command = ["exiftool", "-q", "-q", "-overwrite_original", f"-{tag}={MARK} {n:02}", str(source)]
        subprocess.run(command, capture_output=True, timeout=60, check=False)


def listed(values):
    """The texts with the mark in what a program lists, by the name of what has them."""
    if isinstance(values, dict):
        return {f"{k}/{n}".strip("/"): v for k, value in values.items() for n, v in listed(value).items()}
    if isinstance(values, list):
        return {f"{i}/{n}".strip("/"): v for i, value in enumerate(values) for n, v in listed(value).items()}
    return {"": str(values)[str(values).index(MARK) :][: len(MARK) + 3]} if MARK in str(values) else {}


def missing(read, source, out):
    """What a reader lists in a source, and no text of in its output."""
    there = set(listed(read(out)).values())
    return {name: text for name, text in listed(read(source)).items() if text not in there}


def is_named(name, lost):
    """Whether a run names what has a text, given ExifTool's group and name of it."""
    return any(place in text for place in PLACES[name.partition(":")[0].partition("-")[0]] for text in lost)


@pytest.mark.slow
@needs("exiftool", "mediainfo", "ffprobe")
@pytest.mark.parametrize("source_suffix", [".mov", ".mp4"])
@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_what_a_reels_output_lacks_is_named(tmp_path, tiny, source_suffix, suffix):
    """ExifTool's tags of a source: each is in the output, or an element in its place is named."""
    source, out = tmp_path / f"a{source_suffix}", tmp_path / f"out{suffix}"
    write_reel(source, 4, codec="libx264", pix_fmt="yuv420p")
    told(source, REEL)
    assert len(listed(exiftool(source))) >= 10
    lost = color(source, out, tiny).lost
    for name in missing(exiftool, source, out):
        assert is_named(name, lost), (name, lost)
    for read in (ffprobe, mediainfo):
        for name, text in missing(read, source, out).items():
            assert text in listed(exiftool(out)).values() or lost, (read.__name__, name)


@pytest.mark.slow
@needs("exiftool")
@pytest.mark.parametrize("source_suffix", [".tif", ".jpg", ".png", ".webp", ".jp2"])
@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png"])
def test_what_a_scans_output_lacks_is_named(tmp_path, tiny, source_suffix, suffix):
    """The same of stills: each text that ExifTool finds in a source is in the output, or its field is named."""
    source, out = tmp_path / f"a{source_suffix}", tmp_path / f"out{suffix}"
    picture = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype("u1")
    if source_suffix == ".tif":
        tifffile.imwrite(source, picture, photometric="minisblack", metadata=None)
    else:
        from PIL import Image

        Image.fromarray(picture).save(source)
    told(source, SCAN)
    assert len(listed(exiftool(source))) >= (10 if source_suffix in (".tif", ".jpg", ".png") else 2)
    choices = ScanChoices(weights=str(tiny), working_size=32, precision="fp32", tile=64)
    lost = ScanJob(str(source), out, choices, None, Silent()).color().lost
    for name in missing(exiftool, source, out):
        assert is_named(name, lost), (name, lost)


@pytest.mark.slow
@needs("exiftool")
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_what_the_output_of_a_dpx_lacks_is_named(tmp_path, tiny, suffix):
    """Each text and number that ExifTool lists of a header is in the output, or a field is named that says it."""
    source, out = tmp_path / "a.dpx", tmp_path / f"out{suffix}"
    head = bytearray(b"SDPX" + struct.pack(">I", 2048) + bytes(2040))
    struct.pack_into(">HHII", head, 768, 0, 1, 64, 48)
    head[800:804] = 6, 2, 2, 8
    struct.pack_into(">I", head, 808, 2048)
    for n, (_, at, size) in enumerate(f for f in DPX_TEXTS if f[2] >= 24):
        head[at : at + size] = f"{MARK} {n:02}".encode().ljust(size, b"\0")
    for n, (_, at, kind) in enumerate(f for f in DPX_NUMBERS if f[0] in ("shutter angle", "film frame rate")):
        struct.pack_into(">" + kind, head, at, 18 + n)
    source.write_bytes(bytes(head) + bytes(range(64)) * 48)
    choices = ScanChoices(weights=str(tiny), working_size=32, precision="fp32", tile=64)
    lost = ScanJob(str(source), out, choices, None, Silent()).color().lost
    gone = missing(exiftool, source, out)
    assert len(gone) >= 8
    assert sum(text.startswith("DPX") for text in lost) >= len(gone) + 4
    for words in ("DPX shutter angle", "DPX film frame rate", "DPX transfer (linear)", "DPX colorimetry (linear)"):
        assert any(text.startswith(words) for text in lost), words
