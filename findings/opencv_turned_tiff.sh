#!/usr/bin/env bash
# OpenCV 5 cannot read a TIFF that lies on its side, and turns the others even when told not to.
#
# Versions: opencv-python-headless 5.0.0.93, tifffile 2026.3.3, numpy 2.4.6.
# Input: gray plates of 8 bits written by tifffile, 64 x 48 and 48 x 48, Orientation 1 to 8.
# Expected: imread turns them by the tag; IMREAD_IGNORE_ORIENTATION and IMREAD_UNCHANGED give the samples as stored.
# What happens: 64 x 48 with Orientation 5, 6, 7 or 8 is None with every flag (the log speaks of an internal check
#   "original_ptr == real_mat.data"), a square one is read. 2, 3 and 4 come mirrored or upside down with every flag,
#   IMREAD_UNCHANGED and IMREAD_IGNORE_ORIENTATION included; for JPEG both flags do as they say.
# Seen: "None for [5, 6, 7, 8] of 64 x 48; turned all the same: [2, 3, 4]; square: none is None".
# Why it matters: a script that skips what imread cannot read loses every plate scanned on its side; one that asks for
#   stored samples to put color beside them gets mirrored luma, and the copied tag turns the result once more.
# Right value: the stored samples with either flag, the turned ones without.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 numpy==2.4.6 tifffile==2026.3.3
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
import cv2
import numpy as np
import tifffile

asis = (cv2.IMREAD_UNCHANGED, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
every = (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE, cv2.IMREAD_ANYDEPTH, *asis)
rng = np.random.default_rng(0)


def write(shape, orientation):
    stored = rng.integers(0, 256, shape, dtype=np.uint8)
    tifffile.imwrite("plate.tif", stored, extratags=[(274, 3, 1, orientation, True)], metadata=None)
    return stored


lost, turned, square = [], [], []
for orientation in range(1, 9):
    stored = write((48, 64), orientation)
    read = [cv2.imread("plate.tif", flag) for flag in every]
    if all(picture is None for picture in read):
        lost.append(orientation)
    elif not any(np.array_equal(cv2.imread("plate.tif", flag), stored) for flag in asis):
        turned.append(orientation)
    write((48, 48), orientation)
    if any(cv2.imread("plate.tif", flag) is None for flag in every):
        square.append(orientation)
print(f"None for {lost} of 64 x 48; turned all the same: {turned}; square: {square or 'none'} is None")
assert (lost, turned, square) == ([5, 6, 7, 8], [2, 3, 4], [])
PY
echo "opencv_turned_tiff: still so"
