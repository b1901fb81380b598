#!/usr/bin/env bash
# FFmpeg's scale filter takes the chroma of every 4:2:0 film for centered; PyAV's reformat of the same frame does not.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: one lossless H.264 frame of 64 x 64 whose Cb rises by 4 from one chroma sample to the next; coded twice, with
#   chroma_sample_loc_type 0 (left, what H.264 and MPEG-2 mean when they say nothing) and 1 (center, as JPEG).
# Expected: enlarged to 4:4:4, the ramp of the left-sited stream passes through each sample at its own column
#   (104 106 108 ...), that of the centered stream half a step before it (103 105 107 ...), whatever the way.
# What happens: `scale`, whose in_chroma_loc is "auto" by default, answers 103 105 107 to both; only
#   in_chroma_loc=left gives 104 106 108. VideoFrame.reformat, the same libswscale, tells them apart.
# Seen: "scale: left 103 105 107 109, center 103 105 107 109, told left 104 106 108 110;
#   reformat: left 104 106 108 110, center 103 105 107 109".
# Why it matters: here chroma is all that is invented. In filter graphs (and so with the ffmpeg command) color edges
#   shift by half a luma sample against the luma they were fitted to, and in stills taken by reformat they do not.
# Right value: 104 106 108 110 for the left-sited stream.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
from fractions import Fraction

import av
import numpy as np

SIDE, TICK = 64, Fraction(1, 24)


def stream(site):
    coder = av.CodecContext.create("libx264", "w")
    coder.width = coder.height = SIDE
    coder.pix_fmt, coder.time_base, coder.framerate = "yuv420p", TICK, 24
    coder.options = {"qp": "0", "x264-params": f"chromaloc={site}:log-level=none"}
    frame = av.VideoFrame(SIDE, SIDE, "yuv420p")
    for index, plane in enumerate(frame.planes):
        rows = np.full((plane.height, plane.line_size), 128, np.uint8)
        if index == 1:
            rows[:, : plane.width] = 64 + 4 * np.arange(plane.width)
        plane.update(rows.tobytes())
    frame.pts, frame.time_base = 0, TICK
    reader = av.CodecContext.create("h264", "r")
    packets = coder.encode(frame) + coder.encode(None)
    return [picture for packet in (*packets, None) for picture in reader.decode(packet)][0]


def scaled(frame, option=None):
    graph = av.filter.Graph()
    source = graph.add_buffer(width=SIDE, height=SIDE, format=frame.format, time_base=TICK)
    scale = graph.add("scale", option) if option else graph.add("scale")
    chain = [source, scale, graph.add("format", "yuv444p"), graph.add("buffersink")]
    for one, next_one in zip(chain, chain[1:]):
        one.link_to(next_one)
    graph.configure()
    graph.push(frame)
    return graph.pull()


def ramp(frame):
    plane = frame.planes[1]
    return " ".join(map(str, np.frombuffer(plane, np.uint8).reshape(SIDE, -1)[30, 20:24]))


left, center = stream(0), stream(1)
source = np.frombuffer(left.planes[1], np.uint8)[10:12].tolist()
assert source == [104, 108], "lossless: samples 10 and 11 of chroma, columns 20 and 22 of luma"
seen = [ramp(scaled(left)), ramp(scaled(center)), ramp(scaled(left, "in_chroma_loc=left")),
        ramp(left.reformat(format="yuv444p")), ramp(center.reformat(format="yuv444p"))]
print("scale: left {}, center {}, told left {};\nreformat: left {}, center {}".format(*seen))
sited, centered = "104 106 108 110", "103 105 107 109"
assert seen == [centered, centered, sited, sited, centered]
PY
echo "ffmpeg_chroma_siting: still so"
