#!/usr/bin/env bash
# Gray in a plain YCbCr TIFF: libvips calls the samples sRGB, FFmpeg stretches them as if they were a film's.
#
# Versions: pyvips 3.2.0 with pyvips-binary 8.18.7 (libvips 8.18.7), PyAV 18.1.0 (FFmpeg 8.1.2), Pillow 13.0.0,
#   opencv-python-headless 5.0.0.93, tifffile 2026.3.3, numpy 2.4.6.
# Input: PhotometricInterpretation 6, uncompressed, subsampling 1 x 1, neutral chroma 128, luma 0, 137 and 255;
#   ReferenceBlackWhite says that black is 0 and white 255.
# Expected: 0, 137, 255, as Pillow and OpenCV read it.
# What happens: libvips hands out Y, Cb and Cr and names them sRGB: black is 0, 128, 128, gray 137, 128, 128, white
#   pink. FFmpeg gives yuv444p without a range, which every next step takes for 16 to 235: gray 137 becomes 141, and all
#   below 16 and above 235 is cut.
# Seen: "libvips srgb 137 128 128, FFmpeg range 0: 0 141 255 for 0 137 255 and 0 for 10; Pillow and OpenCV 137".
# Why it matters: YCbCr is the smaller way to keep a toned plate. A pyramid made by libvips is pink; a sequence
#   of them as a film is colored on a contrast that the source does not have, and its darkest codes meet as one.
# Right value: 137, 137, 137, and full range.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pyvips==3.2.0 pyvips-binary==8.18.7 cffi==2.1.1 pycparser==3.12 av==18.1.0 pillow==13.0.0 \
    opencv-python-headless==5.0.0.93 tifffile==2026.3.3 numpy==2.4.6
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
import av
import cv2
import numpy as np
import pyvips
import tifffile
from PIL import Image

LUMA = (0, 137, 255, 10)
codes = np.full((64, 80, 3), 128, np.uint8)
for index, luma in enumerate(LUMA):
    codes[:, 20 * index : 20 * index + 20, 0] = luma
tifffile.imwrite("plate.tif", codes, photometric="ycbcr", subsampling=(1, 1), metadata=None)
with tifffile.TiffFile("plate.tif") as file:
    tags = {code: file.pages[0].tags[code].value for code in (530, 532)}
assert tags == {530: (1, 1), 532: (0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1)}


def patches(picture):
    return [picture[5, 20 * index + 10].tolist() for index in range(len(LUMA))]


plain = [[luma] * 3 for luma in LUMA]
assert patches(np.array(Image.open("plate.tif").convert("RGB"))) == plain
assert patches(cv2.imread("plate.tif", cv2.IMREAD_COLOR)) == plain
image = pyvips.Image.new_from_file("plate.tif")
vips = patches(image.numpy())
with av.open("plate.tif") as container:
    frame = next(container.decode(video=0))
film = [color[0] for color in patches(frame.reformat(format="rgb24").to_ndarray())]
print(f"libvips {image.interpretation} {' '.join(map(str, vips[1]))}, FFmpeg range {int(frame.color_range)}: "
      f"{' '.join(map(str, film[:3]))} for 0 137 255 and {film[3]} for 10; Pillow and OpenCV 137")
assert image.interpretation == "srgb" and vips == [[luma, 128, 128] for luma in LUMA]
assert frame.format.name == "yuv444p" and int(frame.color_range) == 0 and film == [0, 141, 255, 0]
PY
echo "ycbcr_tiff_gray: still so"
