#!/usr/bin/env bash
# OpenCV seeks in a film with held frames by a mean rate: asked for frame 20 of a ProRes MOV it gives another one.
#
# Versions: opencv-python-headless 5.0.0.93, PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: 80 gray frames stamped with their number; one is held for a second, 20 last an eighth of a second each, the
#   others 1/24. As ProRes MOV (every frame a key frame) and as H.264 MP4 (one key frame).
# Expected: CAP_PROP_POS_FRAMES, "0-based index of the frame to be decoded next", then read: that frame, or an error.
# What happens: in MP4 it is. In MOV the index becomes a time by the mean rate of 13.43 frames a second, and the nearest
#   key frame before that time is taken for it; read succeeds. FRAME_COUNT is right (80), reading in order too. Only a
#   film with few key frames is decoded from one and counted.
# Seen: "mp4: 11 20 45 79; mov: 11 23 44 73 for 11 20 45 79".
# Why it matters: looks are taken from frames in the middle of a shot by index. Of silent films with titles, in the
#   format of archives, they come from the shot before or after it.
# Right value: 11 20 45 79. Read in order, or seek by the frame's own time.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
from fractions import Fraction

import av
import cv2
import numpy as np

TICK = Fraction(1, 24)
ASKED = (11, 20, 45, 79)


def write(name, codec, pixels, bits):
    options = {"bf": "0", "g": "250", "qp": "1", "x264-params": "log-level=none"} if codec == "libx264" else {}
    with av.open(name, "w") as out:
        stream = out.add_stream(codec, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 128, pixels
        stream.time_base = stream.codec_context.time_base = TICK
        tick = 0
        for number in range(80):
            frame = av.VideoFrame(192, 128, pixels)
            for index, plane in enumerate(frame.planes):
                code = (128 if index else 30 + 2 * number) << (bits - 8)
                plane.update(np.full(plane.buffer_size * 8 // (8 if bits == 8 else 16), code,
                                     np.uint8 if bits == 8 else np.uint16).tobytes())
            frame.pts, frame.time_base = tick, TICK
            out.mux(stream.encode(frame))
            tick += 24 if number == 10 else 3 if 40 <= number < 60 else 1
        out.mux(stream.encode(None))


def number(picture):
    return round((float(picture.mean()) * 219 / 255 + 16 - 30) / 2)


seen = {}
for name, codec, pixels, bits in (("film.mp4", "libx264", "yuv420p", 8), ("film.mov", "prores_ks", "yuv422p10le", 10)):
    write(name, codec, pixels, bits)
    film = cv2.VideoCapture(name)
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 80
    assert [number(film.read()[1]) for _ in range(80)] == list(range(80)), "in order it is right"
    got = []
    for index in ASKED:
        assert film.set(cv2.CAP_PROP_POS_FRAMES, index)
        got.append(number(film.read()[1]))
    seen[name] = got
print(f"mp4: {' '.join(map(str, seen['film.mp4']))}; mov: {' '.join(map(str, seen['film.mov']))} for 11 20 45 79")
assert tuple(seen["film.mp4"]) == ASKED and seen["film.mov"] == [11, 23, 44, 73]
PY
echo "opencv_seek_held_frames: still so"
