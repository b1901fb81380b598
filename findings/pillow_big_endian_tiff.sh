#!/usr/bin/env bash
# Pillow reads compressed big-endian TIFF with the bytes of floats and signed integers the wrong way round.
#
# Versions: Pillow 13.0.0, tifffile 2026.3.3, imagecodecs 2026.3.6, numpy 2.4.6.
# Input: a gray picture of 32-bit floats, signed 32-bit and signed 16-bit integers, both byte orders, raw and Deflate.
# Expected: the same numbers from all eight files of a kind.
# What happens: big-endian and Deflate (or LZW, PackBits, Zstandard; strips or tiles) gives each number with its bytes
#   swapped: libtiff hands out the machine's order, Pillow turns it once more. 437.07 becomes 1e11 or nan. Raw files,
#   little-endian ones and unsigned 16 bits of any kind are right.
# Seen: "wrong: int16 > zlib, int32 > zlib, float32 > zlib".
# Why it matters: float masters and depth-corrected scans from Macs are big-endian "MM" files. The picture is noise of
#   1e30 and nan, or, of signed 16 bits, stripes that still look like a picture.
# Right value: the numbers. Read with tifffile.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pillow==13.0.0 tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import numpy as np
import tifffile
from PIL import Image

numbers = np.random.default_rng(0).integers(1, 30000, (64, 80))
wrong = []
for dtype in (np.uint16, np.int16, np.int32, np.float32):
    picture = (numbers / (7 if dtype is np.float32 else 1)).astype(dtype)
    for order in "<>":
        for compression in (None, "zlib"):
            tifffile.imwrite("scan.tif", picture, byteorder=order, compression=compression, metadata=None)
            assert np.array_equal(tifffile.imread("scan.tif"), picture), "a valid file"
            got = np.array(Image.open("scan.tif"))
            if not np.array_equal(got, picture):
                swapped = picture.byteswap().astype(np.float64)
                same = np.isclose(got.astype(np.float64), swapped, rtol=1e-6, equal_nan=True)
                assert same.mean() > 0.99, "nothing but the order of bytes"
                wrong.append(f"{np.dtype(dtype).name} {order} {compression or 'raw'}")
print(f"wrong: {', '.join(wrong)}")
assert wrong == ["int16 > zlib", "int32 > zlib", "float32 > zlib"], wrong
PY
echo "pillow_big_endian_tiff: still so"
