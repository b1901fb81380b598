#!/usr/bin/env bash
# FFmpeg reads a half-float TIFF as 16-bit integers: white becomes code 15360 and nothing is said.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), tifffile 2026.3.3, numpy 2.4.6.
# Input: a gray ramp 0.0 to 1.0 of 16-bit floats, SampleFormat 3, and the same of 32-bit floats.
# Expected: both refused, or both read as floats.
# What happens: 32 bits are refused ("Invalid data found"). 16 bits come as gray16le whose codes are the bit patterns
#   of the halves: 0.5 is 14336, 1.0 is 15360. SampleFormat is not looked at. The order of codes is kept, so the
#   picture looks like one, flat and dark, with a curve nobody drew.
# Seen: "float32: InvalidDataError; float16: gray16le, 0.5 is 14336, 1.0 is 15360".
# Why it matters: grading tools write sequences of half-float TIFF. A pipeline that trusts the pixel format takes the
#   frames for 16-bit luma, "keeps every code" of them, and colors a picture four times too dark.
# Right value: 32768 and 65535 in 16-bit integers, or a refusal. Read SampleFormat (339) before FFmpeg is asked.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    av==18.1.0 tifffile==2026.3.3 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import av
import numpy as np
import tifffile


def read(name):
    with av.open(name) as container:
        return next(container.decode(video=0))


ramp = np.linspace(0, 1, 33 * 33).reshape(33, 33)
tifffile.imwrite("half.tif", ramp.astype(np.float16), photometric="minisblack", metadata=None)
tifffile.imwrite("full.tif", ramp.astype(np.float32), photometric="minisblack", metadata=None)
try:
    read("full.tif")
    full = "read"
except av.error.InvalidDataError as error:
    full = type(error).__name__
frame = read("half.tif")
codes = frame.to_ndarray()
middle, white = int(codes.flat[codes.size // 2]), int(codes.flat[-1])
print(f"float32: {full}; float16: {frame.format.name}, 0.5 is {middle}, 1.0 is {white}")
assert full == "InvalidDataError" and frame.format.name == "gray16le"
assert np.array_equal(codes, ramp.astype(np.float16).view(np.uint16)) and (middle, white) == (14336, 15360)
PY
echo "ffmpeg_half_float_tiff: still so"
