#!/usr/bin/env bash
# A 16-bit TIFF whose white is zero is a positive or a negative, by reader, flag and depth.
#
# Versions: opencv-python-headless 5.0.0.93, OpenImageIO 3.2.2.0, tifffile 2026.3.3, numpy 2.4.6.
# Input: a ramp from stored 0 (white) to the highest code (black), PhotometricInterpretation WhiteIsZero, 8 and 16 bits.
# Expected: a reader either turns the polarity, as libtiff's own RGBA reader does, or hands out what is stored, whatever
#   the depth and whatever form of the picture is asked for.
# What happens: OpenCV turns 8 bits always; of the 16-bit file IMREAD_UNCHANGED is the negative and IMREAD_GRAYSCALE the
#   positive. OpenImageIO turns 8 bits and leaves 16 bits as they are, and no attribute of the result tells which.
# Seen: "first sample: OpenCV 8 bits 255 and 255, 16 bits 0 unchanged and 255 gray; OpenImageIO 8 bits 255, 16 bits 0".
# Why it matters: negatives and bitonal-minded scanners write WhiteIsZero. A check that compares a colored 16-bit scan
#   with its source through these readers finds the inverse; a preview in 8 bits of the same file looks right.
# Right value: white first, for both depths (255 and 65535). The product reads the tag itself.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 openimageio==3.2.2.0 tifffile==2026.3.3 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import cv2
import numpy as np
import OpenImageIO as oiio
import tifffile

seen = {}
for dtype in (np.uint8, np.uint16):
    bits = np.iinfo(dtype).bits
    ramp = np.linspace(0, np.iinfo(dtype).max, 32 * 32).round().astype(dtype).reshape(32, 32)
    tifffile.imwrite("plate.tif", ramp, photometric="miniswhite", metadata=None)
    source = oiio.ImageInput.open("plate.tif")
    pictures = {
        "unchanged": cv2.imread("plate.tif", cv2.IMREAD_UNCHANGED),
        "gray": cv2.imread("plate.tif", cv2.IMREAD_GRAYSCALE),
        "oiio": source.read_image(source.spec().format)[..., 0],
    }
    source.close()
    for name, picture in pictures.items():
        assert (picture[0, 0] == 0) == (picture[-1, -1] > 0), "a ramp in either direction"
        seen[name, bits] = int(picture[0, 0])
print(f"first sample: OpenCV 8 bits {seen['unchanged', 8]} and {seen['gray', 8]}, 16 bits {seen['unchanged', 16]} "
      f"unchanged and {seen['gray', 16]} gray; OpenImageIO 8 bits {seen['oiio', 8]}, 16 bits {seen['oiio', 16]}")
assert seen == {("unchanged", 8): 255, ("gray", 8): 255, ("oiio", 8): 255,
                ("unchanged", 16): 0, ("gray", 16): 255, ("oiio", 16): 0}, seen
PY
echo "white_is_zero_gray16: still so"
