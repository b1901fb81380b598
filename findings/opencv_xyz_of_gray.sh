#!/usr/bin/env bash
# OpenCV's integer XYZ turns white yellow: Z of white is 1.089 and is cut off at the highest code.
#
# Versions: opencv-python-headless 5.0.0.93, numpy 2.4.6.
# Input: all grays of 8 and of 16 bits as RGB.
# Expected: RGB -> XYZ -> RGB gives gray back to a code or two; the integers are scaled so that white fits.
# What happens: X, Y and Z share the scale of RGB, but Z of D65 white is 1.089 times Y. From code 234 (8 bits) on Z is
#   255, and what comes back has less blue: white returns as 255, 254, 231 and of 16 bits 6149 codes short. Integer Luv
#   tints grays all the way, by up to 6 codes. YCrCb and YUV are exact on gray in both depths.
# Seen: "8 bits: white comes back 255 254 231, Z is cut from gray 234; 16 bits: 6149 codes; Luv: 6; YCrCb: 0".
# Why it matters: XYZ is the way from one RGB to another and to DCDM; 16-bit scans have their paper white exactly where
#   it is cut. A black-and-white picture that went through it has yellow highlights, and "is it gray?" says no.
# Right value: 255, 255, 255. Convert floats.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import cv2
import numpy as np


def tint(space, dtype):
    codes = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    gray = np.repeat(codes.reshape(-1, 1, 1), 3, axis=2)
    there = cv2.cvtColor(gray, getattr(cv2, f"COLOR_RGB2{space}"))
    back = cv2.cvtColor(there, getattr(cv2, f"COLOR_{space}2RGB"))[:, 0].astype(int)
    return there[:, 0], back, int(np.ptp(back, axis=1).max())


there, back, _ = tint("XYZ", np.uint8)
first = int(np.flatnonzero(there[:, 2] == 255)[0])
wide = tint("XYZ", np.uint16)[2]
luv = tint("Luv", np.uint8)[2]
exact = max(tint("YCrCb", dtype)[2] for dtype in (np.uint8, np.uint16))
white = " ".join(map(str, back[255]))
print(f"8 bits: white comes back {white}, Z is cut from gray {first}; 16 bits: {wide} codes; "
      f"Luv: {luv}; YCrCb: {exact}")
assert white == "255 254 231" and first == 234 and wide == 6149 and luv == 6 and exact == 0
PY
echo "opencv_xyz_of_gray: still so"
