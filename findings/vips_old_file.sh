#!/usr/bin/env bash
# libvips answers with the picture that was in the file before it was replaced.
#
# Versions: pyvips 3.2.0 with pyvips-binary 8.18.7 (libvips 8.18.7), tifffile 2026.3.3, numpy 2.4.6.
# Input: a TIFF of 64 x 80 gray 8-bit samples; read; replaced by os.replace with one of 40 x 30 and 16 bits; read again.
# Expected: the second read is of the new file: another size, another type, another inode and time.
# What happens: the new Image is the old picture, size, type and samples. Operations are cached by their arguments, and
#   the argument is a name; the file is not looked at. revalidate=True, or a cache of no operations, reads anew.
# Seen: "second read: 80 x 64 uchar, equal to the old file: True; revalidate: 30 x 40 ushort".
# Why it matters: results are written beside their place and renamed onto it, and then proved by another reader. In one
#   process libvips proves the file of the run before, and a report shows last night's picture beside tonight's.
# Right value: 30 x 40 ushort. pyvips.cache_set_max(0) in whatever checks files.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pyvips==3.2.0 pyvips-binary==8.18.7 cffi==2.1.1 pycparser==3.12 tifffile==2026.3.3 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import os

import numpy as np
import pyvips
import tifffile

rng = np.random.default_rng(0)
old = rng.integers(0, 256, (64, 80), dtype=np.uint8)
new = rng.integers(0, 65536, (40, 30)).astype(np.uint16)


def publish(picture):
    tifffile.imwrite("part.tif", picture, metadata=None)
    os.replace("part.tif", "plate.tif")


def told(image):
    return f"{image.width} x {image.height} {image.format}"


publish(old)
first = pyvips.Image.new_from_file("plate.tif").numpy()
assert np.array_equal(first, old)
publish(new)
second = pyvips.Image.new_from_file("plate.tif")
stale = np.array_equal(second.numpy(), old)
fresh = pyvips.Image.new_from_file("plate.tif", revalidate=True)
print(f"second read: {told(second)}, equal to the old file: {stale}; revalidate: {told(fresh)}")
assert told(second) == "80 x 64 uchar" and stale
assert told(fresh) == "30 x 40 ushort" and np.array_equal(fresh.numpy(), new)
pyvips.cache_set_max(0)
publish(old)
assert np.array_equal(pyvips.Image.new_from_file("plate.tif").numpy(), old), "without a cache it is right"
PY
echo "vips_old_file: still so"
