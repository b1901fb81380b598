#!/usr/bin/env bash
# Pillow tears an uncompressed TIFF that lies on its side.
#
# Versions: Pillow 13.0.0, tifffile 2026.3.3, numpy 2.4.6.
# Input: one gray picture, 64 x 48, written by tifffile with Orientation 1 to 8: once as one plain strip, once with
#   Deflate. Both are TIFF 6.0 baseline files but for the compression.
# Expected: both read alike: the picture turned as the tag says, or as stored with the tag left in place.
# What happens: Deflate is turned, for all eight. The plain strip is right for 1 to 4; for 5 to 8 the array has the
#   shape 48 x 64 of the stored picture, holds the samples in an order that is neither stored nor turned (rows of the
#   wrong width), and the tag is gone from the metadata, so nothing downstream can tell. No error, no warning.
# Seen: "raw: turned right for [1, 2, 3, 4], torn for [5, 6, 7, 8]; deflate: right for [1, 2, 3, 4, 5, 6, 7, 8]".
# Why it matters: archives keep masters uncompressed, and plates that were scanned upright get Orientation 6 or 8
#   instead of new pixels. Training pictures, previews and checks that pass through Pillow get shredded luma.
# Right value: np.rot90(stored, -1) for Orientation 6. Read with tifffile or libvips and turn by the tag oneself.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pillow==13.0.0 numpy==2.4.6 tifffile==2026.3.3
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import numpy as np
import tifffile
from PIL import Image

stored = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
turned = {
    1: stored, 2: stored[:, ::-1], 3: stored[::-1, ::-1], 4: stored[::-1],
    5: stored.T, 6: np.rot90(stored, -1), 7: stored[::-1, ::-1].T, 8: np.rot90(stored),
}
right, torn = {"raw": [], "deflate": []}, {"raw": [], "deflate": []}
for name, compression in (("raw", None), ("deflate", "zlib")):
    for orientation, want in turned.items():
        tags = [(274, 3, 1, orientation, True)]
        tifffile.imwrite("plate.tif", stored, compression=compression, extratags=tags, metadata=None)
        with Image.open("plate.tif") as picture:
            got = np.array(picture)
            tag = picture.getexif().get(274)
        if got.shape == want.shape and np.array_equal(got, want):
            right[name].append(orientation)
        else:
            assert got.shape == stored.shape and not np.array_equal(got, stored) and tag is None
            torn[name].append(orientation)
print(f"raw: turned right for {right['raw']}, torn for {torn['raw']}; deflate: right for {right['deflate']}")
assert right == {"raw": [1, 2, 3, 4], "deflate": list(range(1, 9))}, right
assert torn == {"raw": [5, 6, 7, 8], "deflate": []}, torn
PY
echo "pillow_turned_tiff: still so"
