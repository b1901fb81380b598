#!/usr/bin/env bash
# FFmpeg turns a 12-bit WhiteIsZero TIFF about code 65535: every sample is far beyond what its pixel format holds.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: a 12-bit gray ramp, packed, 0 to 4095, PhotometricInterpretation WhiteIsZero.
# Expected: gray12le with 4095 for stored 0 and 0 for stored 4095, as 8 and 16 bits are turned.
# What happens: the frame says gray12le and holds 65535 - code, 61440 to 65535. Whatever scales by the format's 12 bits
#   meets luma of 15 to 16 times white; what libswscale makes of it overflows: all black in RGB.
# Seen: "gray12le from 61440 to 65535; as rgb24: 0 to 0".
# Why it matters: 12-bit film scanners deliver negatives as WhiteIsZero TIFF. The ramp is all there, 61440 too high, and
#   each tool after it clips it or wraps it around, so a reel of such frames comes out blank.
# Right value: 0 to 4095. The low 12 bits are right: code & 4095.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import pathlib
import struct

import av
import numpy as np

side = 64
ramp = np.arange(side * side, dtype=np.uint16).reshape(side, side)
bits = np.unpackbits(ramp.astype(">u2").view(np.uint8).reshape(side, side, 2), axis=2)[..., 4:]
strip = np.packbits(bits.reshape(side, -1), axis=1).tobytes()
tags = [(256, side), (257, side), (258, 12), (259, 1), (262, 0), (273, 8), (277, 1), (278, side), (279, len(strip))]
directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
pathlib.Path("plate.tif").write_bytes(b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + directory + bytes(4))

with av.open("plate.tif") as container:
    frame = next(container.decode(video=0))
codes = frame.to_ndarray()
rgb = frame.reformat(format="rgb24").to_ndarray()
print(f"{frame.format.name} from {codes.min()} to {codes.max()}; as rgb24: {rgb.min()} to {rgb.max()}")
assert frame.format.name == "gray12le" and np.array_equal(codes, 65535 - ramp)
assert not rgb.any() and np.array_equal(codes & 4095, 4095 - ramp), "the low bits are right"
PY
echo "ffmpeg_negative_of_twelve_bits: still so"
