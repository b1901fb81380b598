"""What a TIFF, HEIF or JPEG XL holds beside its pictures, and no rule knows, is named by its own name and size."""

import numpy as np
import tifffile

from pipeline.metadata.heif import heif_blocks
from pipeline.stills.formats.jpegxl import CONTAINER, _blocks
from pipeline.stills.opening import open_scan
from tests.elements import UNKNOWN, box
from tests.heif import av1, heif
from tests.tiffs import noise


def test_unknown_tags_of_a_tiff_are_named(tmp_path):
    """Twelve, with their bytes; those of an Exif directory are carried as they are."""
    tags = [(60000 + n, "B", n + 5, bytes(n + 5), True) for n in range(12)]
    tifffile.imwrite(
        tmp_path / "a.tif", noise((16, 16), "u1"), photometric="minisblack", metadata=None, extratags=tags
    )  # fmt: skip
    with open_scan(tmp_path / "a.tif") as reader:
        lost = [str(loss) for loss in reader.scan.metadata.lost]
    assert lost == [f"tag {60000 + n} ({n + 5} bytes)" for n in range(12)]


def test_unknown_boxes_of_a_heif_are_named():
    """Twelve in the file, twelve among the properties of its pictures; not those that say how it is coded."""
    picture = av1(np.dstack([noise((32, 32), "u1")] * 3))
    assert heif_blocks(heif(b"avif", [picture])).lost == ()
    picture.properties += [box(kind, b"12345") for kind in UNKNOWN]
    lost = heif_blocks(heif(b"avif", [picture]) + b"".join(box(kind, b"123") for kind in UNKNOWN)).lost
    assert [str(loss) for loss in lost[:12]] == [f"HEIF box meta/iprp/ipco/{k.decode()} (5 bytes)" for k in UNKNOWN]
    assert [str(loss) for loss in lost[12:]] == [f"HEIF box {k.decode()} (3 bytes)" for k in UNKNOWN]


def test_unknown_boxes_of_a_jpeg_xl_are_named():
    """Twelve beside its codestream."""
    data = CONTAINER + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"".join(box(kind, b"12345") for kind in UNKNOWN)
    found = _blocks(data + box(b"jxlc", b"\xff\x0a"))
    assert [str(loss) for loss in found.lost] == [f"JPEG XL box {kind.decode()} (5 bytes)" for kind in UNKNOWN]
