#!/usr/bin/env bash
# OpenCV 5 reads a TIFF of separate color planes right in 8 bits and as another picture in 16 bits and floats.
#
# Versions: opencv-python-headless 5.0.0.93, tifffile 2026.3.3, numpy 2.4.6.
# Input: a picture of 64 x 80 random colors, PlanarConfiguration 2 (a plane for each color), of 8 bits, 16 bits, floats.
# Expected: IMREAD_UNCHANGED gives the samples, or None if planes are not supported.
# What happens: 8 bits are right, and so is IMREAD_COLOR of the 16-bit file (in 8 bits). IMREAD_UNCHANGED of 16 bits and
#   of floats has the right shape and type and hardly one right sample: the first plane is read as if it were all three,
#   interleaved. The same file with interleaved samples is right.
# Seen: "planes: 8 bits 1.00 of samples right, 16 bits 0.00, floats 0.00; interleaved: 1.00 1.00 1.00".
# Why it matters: film scanners with a filter wheel write separate planes of 16 bits. A proof of the colored scan read
#   with OpenCV fails on a good file, and a training set is filled with stripes.
# Right value: 1.00. tifffile and libvips read planes.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 tifffile==2026.3.3 numpy==2.4.6
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
import cv2
import numpy as np
import tifffile

codes = np.random.default_rng(0).integers(0, 65536, (64, 80, 3))
pictures = {"8 bits": (codes >> 8).astype(np.uint8), "16 bits": codes.astype(np.uint16),
            "floats": (codes / 65535).astype(np.float32)}


def right(picture, planes):
    data = picture.transpose(2, 0, 1) if planes else picture
    layout = "separate" if planes else "contig"
    tifffile.imwrite("scan.tif", data, photometric="rgb", planarconfig=layout, metadata=None)
    got = cv2.imread("scan.tif", cv2.IMREAD_UNCHANGED)
    assert got.shape == picture.shape and got.dtype == picture.dtype
    return float((got[..., ::-1] == picture).mean())


planes = {name: right(picture, True) for name, picture in pictures.items()}
interleaved = [right(picture, False) for picture in pictures.values()]
right(pictures["16 bits"], True)
eight = cv2.imread("scan.tif", cv2.IMREAD_COLOR)[..., ::-1].astype(int)
assert np.abs(eight - pictures["8 bits"]).max() <= 1, "the 8-bit view of the same file is right"
told = [f"{share:.2f}" for share in (*planes.values(), *interleaved)]
print("planes: 8 bits {} of samples right, 16 bits {}, floats {}; interleaved: {} {} {}".format(*told))
assert planes["8 bits"] == 1 and max(planes["16 bits"], planes["floats"]) < 0.01 and interleaved == [1, 1, 1]
PY
echo "opencv_planar_tiff: still so"
