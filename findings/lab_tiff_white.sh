#!/usr/bin/env bash
# The white of a CIELab TIFF is yellow in OpenCV and OpenImageIO; libvips does not read the file.
#
# Versions: opencv-python-headless 5.0.0.93, OpenImageIO 3.2.2.0, Pillow 13.0.0, pyvips 3.2.0 with pyvips-binary 8.18.7,
#   tifffile 2026.3.3, numpy 2.4.6.
# Input: PhotometricInterpretation 8, 8 bits: L* 100 and 54, a* = b* = 0: gray in Lab.
# Expected: a* = b* = 0 is neutral under any white point: R = G = B.
# What happens: OpenCV and OpenImageIO show the D50 white on a D65 display without adaptation, as libtiff's conversion
#   to RGB does: white is 255, 252, 222, gray 144, 132, 116. Pillow gives 254, 255, 254. libvips has an error.
# Seen: "OpenCV 255 252 222 and 144 132 116, OpenImageIO the same, Pillow 254 255 254, libvips Error".
# Why it matters: a black-and-white plate in Lab counts as a toned one, its tone is "kept" or learned, and luma taken
#   from that RGB is not the L* of the file.
# Right value: R = G = B: 255 and about 129. Take L* from the file.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 openimageio==3.2.2.0 pillow==13.0.0 pyvips==3.2.0 pyvips-binary==8.18.7 \
    cffi==2.1.1 pycparser==3.12 tifffile==2026.3.3 numpy==2.4.6
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
import cv2
import numpy as np
import OpenImageIO as oiio
import pyvips
import tifffile
from PIL import Image

lab = np.zeros((64, 80, 3), np.uint8)
lab[:, :40, 0], lab[:, 40:, 0] = 255, round(54 * 2.55)
tifffile.imwrite("plate.tif", lab, photometric="cielab", metadata=None)


def ends(picture):
    return picture[5, 5].tolist(), picture[5, 60].tolist()


opencv = ends(cv2.imread("plate.tif", cv2.IMREAD_COLOR)[..., ::-1])
source = oiio.ImageInput.open("plate.tif")
openimageio = ends(source.read_image("uint8"))
source.close()
pillow = ends(np.array(Image.open("plate.tif").convert("RGB")))
try:
    vips = ends(pyvips.Image.new_from_file("plate.tif").colourspace("srgb").numpy())
except pyvips.Error as error:
    vips = type(error).__name__
white, gray = (" ".join(map(str, color)) for color in opencv)
same = "the same" if openimageio == opencv else openimageio
print(f"OpenCV {white} and {gray}, OpenImageIO {same}, Pillow {' '.join(map(str, pillow[0]))}, libvips {vips}")
assert opencv == openimageio == ([255, 252, 222], [144, 132, 116]) and vips == "Error"
assert max(np.ptp(color) for color in pillow) <= 1
PY
echo "lab_tiff_white: still so"
