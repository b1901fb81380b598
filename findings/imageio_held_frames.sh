#!/usr/bin/env bash
# imageio reads 143 frames of a film that has 80: its FFMPEG plugin repeats what is held, and its own count says 80.
#
# Versions: imageio 2.38.1 with imageio-ffmpeg 0.8.1 (FFmpeg 9.0.2), PyAV 18.1.0, Pillow 13.0.0, numpy 2.4.6.
# Input: an FFV1 MKV of 80 gray frames, stamped with their number; one is held for a second (a title card), 20 last an
#   eighth of a second each, the others 1/24.
# Expected: 80 frames by either plugin, or a word about what was added.
# What happens: plugin "pyav" gives 80. imageio_ffmpeg.read_frames, and so plugin "FFMPEG", gives 143: its FFmpeg makes
#   a constant rate of it by repeating. count_frames_and_secs of the same package says 80. Nothing tells which of the
#   143 are new ones.
# Seen: "pyav 80, FFMPEG 143, counted 80; frame 30 of FFMPEG is number 10".
# Why it matters: colored frames are written back by index, and there are 63 too many: sound, cuts and every hand-made
#   list of frames no longer fit. On films of constant rate the plugins agree, so tests see nothing.
# Right value: 80. Use the pyav plugin and its presentation times.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 pillow==13.0.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
from fractions import Fraction

import av
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

TICK = Fraction(1, 24)
with av.open("film.mkv", "w") as out:
    stream = out.add_stream("ffv1", rate=24)
    stream.width, stream.height, stream.pix_fmt = 96, 64, "gray"
    tick = 0
    for number in range(80):
        frame = av.VideoFrame.from_ndarray(np.full((64, 96), 3 * number, np.uint8), format="gray")
        frame.pts, frame.time_base = tick, TICK
        out.mux(stream.encode(frame))
        tick += 24 if number == 10 else 3 if 40 <= number < 60 else 1
    out.mux(stream.encode(None))

by_pyav = iio.imread("film.mkv", plugin="pyav")
by_ffmpeg = iio.imread("film.mkv", plugin="FFMPEG")
counted = imageio_ffmpeg.count_frames_and_secs("film.mkv")[0]
thirty = round(int(by_ffmpeg[30].flat[0]) / 3)
print(f"pyav {len(by_pyav)}, FFMPEG {len(by_ffmpeg)}, counted {counted}; frame 30 of FFMPEG is number {thirty}")
assert [round(int(frame.flat[0]) / 3) for frame in by_pyav] == list(range(80))
assert (len(by_ffmpeg), counted, thirty) == (143, 80, 10)
PY
echo "imageio_held_frames: still so"
