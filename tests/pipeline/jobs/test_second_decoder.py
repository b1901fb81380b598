"""What two decoders see in the pictures of a reel."""

import numpy as np
import pytest
import tifffile

from colorizer.basis.errors import UnsupportedSource
from tests.endtoend import color


@pytest.mark.parametrize(
    ("how", "agreed"),
    [
        ({"photometric": "minisblack"}, True),
        ({"photometric": "minisblack", "compression": "lzw", "predictor": 2}, True),
        ({"photometric": "miniswhite"}, True), ({"photometric": "rgb"}, True),
        ({"photometric": "minisblack", "half": True}, False),
    ],
    ids=["gray", "LZW", "white is 0", "RGB", "half floats"],
)  # fmt: skip
def test_two_decoders_see_one_picture(studio, tmp_path, how, agreed):
    """What the reader of scans sees otherwise than FFmpeg is refused before a frame is colored."""
    how, half = {k: v for k, v in how.items() if k != "half"}, how.get("half", False)
    luma = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    picture = np.dstack([luma, luma // 2, luma]) if how["photometric"] == "rgb" else luma
    for n in range(2):
        made = (picture / 65535).astype(np.float16) if half else picture
        tifffile.imwrite(tmp_path / f"{n:04d}.tif", made, metadata=None, **how)
    pattern, out = str(tmp_path / "%04d.tif"), tmp_path / "out.mkv"
    if agreed:
        assert color(pattern, out, studio.weights).findings
        return
    with pytest.raises(UnsupportedSource, match=r"0000\.tif: FFmpeg and the reader of scans see different pictures"):
        color(pattern, out, studio.weights)
    assert not out.exists()
