#!/usr/bin/env bash
# FFmpeg's negate gives a gray film a tint and puts its white above white.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: frames with luma 16 (black, limited range) and neutral chroma: 128 of 8 bits, 512 of 10, 32768 of 16.
# Expected: a neutral negative: 235, 128, 128; neutral chroma is its own complement.
# What happens: every plane is taken from the highest code, 255 - v: luma 239 is above white, and chroma 127, half a
#   code from the middle on both sides. In 10 bits 959 and 511, in 16 bits 61439 and 32767. Full-range yuvj420p shows
#   it: the gray becomes RGB 237, 239, 237, greenish. lutyuv=y=negval keeps to the range and leaves chroma alone.
# Seen: "8 bits: 239 127 127; 10 bits: 959 511 511; full range as RGB: 237 239 237; lutyuv: 235 128 128".
# Why it matters: negatives are turned with this filter before they are colored. The film then counts as one that "has
#   color", blacks of the positive lie outside the range and are clipped by the next conversion.
# Right value: 235 128 128.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
from fractions import Fraction

import av
import numpy as np

SIDE, TICK = 32, Fraction(1, 24)


def negative(pixels, bits, luma, name="negate", option=None):
    frame = av.VideoFrame(SIDE, SIDE, pixels)
    for index, plane in enumerate(frame.planes):
        word = np.uint8 if bits == 8 else np.uint16
        value = luma if index == 0 else 1 << (bits - 1)
        plane.update(np.full(plane.buffer_size // np.dtype(word).itemsize, value, word).tobytes())
    frame.pts, frame.time_base = 0, TICK
    graph = av.filter.Graph()
    source = graph.add_buffer(width=SIDE, height=SIDE, format=frame.format, time_base=TICK)
    chain = [source, graph.add(name, option) if option else graph.add(name), graph.add("buffersink")]
    for one, next_one in zip(chain, chain[1:]):
        one.link_to(next_one)
    graph.configure()
    graph.push(frame)
    out = graph.pull()
    assert out.format.name == pixels
    return out, " ".join(str(int(np.frombuffer(plane, word)[0])) for plane in out.planes)


eight = negative("yuv420p", 8, 16)[1]
ten = negative("yuv422p10le", 10, 64)[1]
sixteen = negative("yuv444p16le", 16, 4096)[1]
full = negative("yuvj420p", 8, 16)[0].reformat(format="rgb24").to_ndarray()[0, 0]
full = " ".join(map(str, full))
table = negative("yuv420p", 8, 16, "lutyuv", "y=negval")[1]
print(f"8 bits: {eight}; 10 bits: {ten}; full range as RGB: {full}; lutyuv: {table}")
assert (eight, ten, sixteen) == ("239 127 127", "959 511 511", "61439 32767 32767")
assert (full, table) == ("237 239 237", "235 128 128")
PY
echo "ffmpeg_negate_tints: still so"
