#!/usr/bin/env bash
# The same black-and-white film without chroma is full of contrast in H.264 and washed out in H.265.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: luma 16 (black) and 235 (white), limited range asked for, coded losslessly as 4:0:0 by x264 and by x265.
# Expected: both show black as 0 and white as 255.
# What happens: H.264 without chroma decodes as yuv420p, range unsaid, and is stretched to 0 and 255. H.265 without
#   chroma decodes as gray of range 1, the samples are the same, and libswscale takes every gray for full range,
#   whatever the frame says: RGB is 16 to 235. 10 and 12 bits behave alike.
# Seen: "h264: yuv420p range 0, shown 0 to 255; hevc: gray range 1, shown 16 to 235".
# Why it matters: 4:0:0 is the saving one makes for black-and-white film. Thumbnails, training pictures and players
#   built on libswscale have no black and no white, and a network sees another film than in the H.264 copy.
# Right value: 0 to 255. Scale luma by the frame's color_range oneself.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import av
import numpy as np

WAYS = {
    "h264": ("libx264", {"qp": "0", "bf": "0", "x264-params": "log-level=none"}),
    "hevc": ("libx265", {"x265-params": "lossless=1:bframes=0:log-level=none"}),
}


def film(codec, options):
    frame = av.VideoFrame(64, 48, "gray")
    plane = frame.planes[0]
    rows = np.full((48, plane.line_size), 16, np.uint8)
    rows[24:] = 235
    plane.update(rows.tobytes())
    with av.open("film.mp4", "w") as out:
        stream = out.add_stream(codec, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        stream.codec_context.color_range = 1
        frame.pts, frame.color_range = 0, 1
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open("film.mp4") as container:
        return next(container.decode(video=0))


told = []
for name, (codec, options) in WAYS.items():
    frame = film(codec, options)
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(48, plane.line_size)[:, :64]
    assert (luma[0, 0], luma[-1, 0]) == (16, 235), "the samples are the same"
    rgb = frame.reformat(format="rgb24").to_ndarray()
    told.append(f"{name}: {frame.format.name} range {int(frame.color_range)}, shown {rgb.min()} to {rgb.max()}")
print("; ".join(told))
assert told == ["h264: yuv420p range 0, shown 0 to 255", "hevc: gray range 1, shown 16 to 235"], told
PY
echo "ffmpeg_monochrome_levels: still so"
