#!/usr/bin/env bash
# FFmpeg's white gets a code that depends on the way to 16 bits: 65535, 65280, 65283 or 65021.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: white frames of 8 and 10 bits: gray 255 and 1023, yuv420p 235 of limited range.
# Expected: white is white: 65535 in gray16, rgb48 and gbrp16, 1.0 in gbrpf32; black is 0 already.
# What happens: gray to gray16 repeats bits and gives 65535; the same gray to RGB shifts them: 65280, and 0.9961 in
#   floats; of 10 bits 65472. Limited white is 65283 in planar RGB and 65021 in packed RGB of the same depth.
# Seen: "gray: gray16 65535, rgb48 65280, gbrp16 65280, gbrpf32 0.9961; gray10: gray16 65535, rgb48 65472;
#   yuv420p: gbrp16 65283, rgb48 65021".
# Why it matters: scans and films meet on one scale only if white is one number. A colored still taken from a film as
#   rgb48 is darker than the same still as gbrp16, no pixel of it is clipped white, and "was luma kept?" asked in 16
#   bits says no although nothing was lost but the scale.
# Right value: 65535 and 1.0.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import av
import numpy as np


def white(pixels):
    code, word = {"gray": (255, "u1"), "gray10le": (1023, "<u2"), "yuv420p": (235, "u1")}[pixels]
    frame = av.VideoFrame(32, 32, pixels)
    for index, plane in enumerate(frame.planes):
        plane.update(np.full(plane.buffer_size // np.dtype(word).itemsize, 128 if index else code, word).tobytes())
    frame.color_range = 1 if pixels == "yuv420p" else 2
    return frame


def read(frame, pixels):
    value = np.frombuffer(frame.reformat(format=pixels).planes[0], "<f4" if "f32" in pixels else "<u2")[0]
    return round(float(value), 4)


want = {
    "gray": {"gray16le": 65535, "rgb48le": 65280, "gbrp16le": 65280, "gbrpf32le": 0.9961},
    "gray10le": {"gray16le": 65535, "rgb48le": 65472},
    "yuv420p": {"gbrp16le": 65283, "rgb48le": 65021},
}
seen = {source: {target: read(white(source), target) for target in targets} for source, targets in want.items()}
for source, targets in seen.items():
    told = ", ".join(f"{name.removesuffix('le')} {value:g}" for name, value in targets.items())
    print(f"{source.removesuffix('le')}: {told}")
assert seen == want, seen
PY
echo "ffmpeg_deep_rgb_white: still so"
