#!/usr/bin/env bash
# The white of a 12-bit gray scan is 4095, 65520 or 65535, and readers change sides between TIFF and JPEG 2000.
#
# Versions: Pillow 13.0.0, opencv-python-headless 5.0.0.93, OpenImageIO 3.2.2.0, PyAV 18.1.0 (FFmpeg 8.1.2),
#   imagecodecs 2026.3.6, numpy 2.4.6.
# Input: the ramp 0 to 4095 as a TIFF with BitsPerSample 12 (packed, as the standard says) and as a lossless JP2 of
#   precision 12.
# Expected: a reader has one way with 12 bits in a 16-bit word: the codes as they are, or spread so that white is white.
# What happens: three ways, and Pillow, OpenCV and FFmpeg each take one for TIFF and another for JPEG 2000. FFmpeg calls
#   the JP2 gray16le, not gray12le, so not even the pixel format tells; shifted by 4 bits, white stops at 65520.
# Seen: "TIFF: Pillow 4095, OpenCV 65520, OpenImageIO 65535, FFmpeg 4095 (gray12le)" and
#   "JP2: Pillow 65520, OpenCV 4095, OpenImageIO 65535, FFmpeg 65520 (gray16le)".
# Why it matters: digital cinema and library masters are 12-bit JPEG 2000, film scanners write 12-bit TIFF. Luma is
#   16 times too dark for a network when the wrong white is assumed, and a comparison of both copies never agrees.
# Right value: codes 0 to 4095 with 12 bits declared, or spread to 65535. Ask the file for its depth, not the array.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" pillow==13.0.0 \
    opencv-python-headless==5.0.0.93 openimageio==3.2.2.0 av==18.1.0 imagecodecs==2026.3.6 numpy==2.4.6
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
import pathlib
import struct

import av
import cv2
import imagecodecs
import numpy as np
import OpenImageIO as oiio
from PIL import Image

side = 64
ramp = np.arange(side * side, dtype=np.uint16).reshape(side, side)
bits = np.unpackbits(ramp.astype(">u2").view(np.uint8).reshape(side, side, 2), axis=2)[..., 4:]
strip = np.packbits(bits.reshape(side, -1), axis=1).tobytes()
tags = [(256, side), (257, side), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, side), (279, len(strip))]
directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
header = b"II*\0" + struct.pack("<I", 8 + len(strip))
pathlib.Path("ramp.tif").write_bytes(header + strip + directory + bytes(4))
pathlib.Path("ramp.jp2").write_bytes(imagecodecs.jpeg2k_encode(ramp, bitspersample=12, reversible=True, level=0))

seen = {}
for kind in ("tif", "jp2"):
    name = f"ramp.{kind}"
    source = oiio.ImageInput.open(name)
    with av.open(name) as container:
        frame = next(container.decode(video=0))
    seen[kind] = (
        int(np.array(Image.open(name)).max()), int(cv2.imread(name, cv2.IMREAD_UNCHANGED).max()),
        int(source.read_image("uint16").max()), int(frame.to_ndarray().max()), frame.format.name,
    )
    source.close()
    label = {"tif": "TIFF", "jp2": "JP2"}[kind]
    print("{}: Pillow {}, OpenCV {}, OpenImageIO {}, FFmpeg {} ({})".format(label, *seen[kind]))
assert seen["tif"] == (4095, 65520, 65535, 4095, "gray12le"), seen
assert seen["jp2"] == (65520, 4095, 65535, 65520, "gray16le"), seen
PY
echo "white_of_twelve_bits: still so"
