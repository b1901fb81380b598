#!/usr/bin/env bash
# FFmpeg's float gray of a film is not 0 to 1: black is 0.0625 and white 0.918, of full-range RGB too.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: black and white frames: yuv420p of limited range (16, 235), rgb24 (0, 255), gbrpf32 (0.0, 1.0), gray (0, 255).
# Expected: grayf32 is the full-range gray of floats, as `gray` and `gray16` are of integers: 0.0 and 1.0 for all.
# What happens: `gray` of the same frames is 0 and 255. grayf32 is not stretched: it has the studio levels of luma, and
#   divides 8 bits by 256: 16/256 and 235/256. RGB, floats included, is first made limited luma. Only `gray` itself
#   becomes 0 and 1.
# Seen: "yuv420p 0.0625 to 0.9180; rgb24 0.0625 to 0.9180; gbrpf32 0.0625 to 0.9213; gray 0.0000 to 1.0000".
# Why it matters: grayf32 is the format at hand to feed a network. Taken from a film, the picture is gray in gray:
#   no black, no white, and other levels than the training pictures that came as `gray`.
# Right value: 0 and 1. Copy plane 0 and scale it by the stream's range.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import av
import numpy as np

levels = {"yuv420p": (16, 235), "rgb24": (0, 255), "gbrpf32le": (0.0, 1.0), "gray": (0, 255)}


def flat(pixels, value):
    frame = av.VideoFrame(32, 32, pixels)
    word = np.dtype("<f4") if "f32" in pixels else np.dtype(np.uint8)
    for index, plane in enumerate(frame.planes):
        code = 128 if pixels == "yuv420p" and index else value
        plane.update(np.full(plane.buffer_size // word.itemsize, code, word).tobytes())
    frame.color_range = 1 if pixels == "yuv420p" else 2
    return frame


def first(frame, pixels, word):
    return np.frombuffer(frame.reformat(format=pixels).planes[0], word)[0]


seen = {}
for pixels, ends in levels.items():
    frames = [flat(pixels, end) for end in ends]
    assert [int(first(frame, "gray", "u1")) for frame in frames] == [0, 255], "integers are stretched"
    seen[pixels] = [round(float(first(frame, "grayf32le", "<f4")), 4) for frame in frames]
print("; ".join(f"{name.removesuffix('le')} {low:.4f} to {high:.4f}" for name, (low, high) in seen.items()))
assert seen == {"yuv420p": [0.0625, 0.918], "rgb24": [0.0625, 0.918], "gbrpf32le": [0.0625, 0.9213], "gray": [0, 1]}
PY
echo "ffmpeg_float_gray_levels: still so"
