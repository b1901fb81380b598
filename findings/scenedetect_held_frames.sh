#!/usr/bin/env bash
# PySceneDetect on a film with held frames: cuts at frame 20, 40, 60 are at 24, 35, 69 or at 43, 63, 123, by backend.
#
# Versions: scenedetect 0.7.2, opencv-python-headless 5.0.0.93, PyAV 18.1.0, numpy 2.4.6.
# Input: an H.264 MP4 of 80 frames in four shots of 20; one frame (a title card) is held for a second, the third shot
#   runs at an eighth of a second a frame. All else is 24 a second.
# Expected: scene lists count frames: 20, 40, 60, and 80 in all. detect_scenes returns how many frames it processed.
# What happens: the times are right in both (1.792, 2.625, 5.125 s), the numbers are time multiplied by a rate: the
#   mean one (1920/143) with OpenCV, the nominal 24 with PyAV. So neither is a frame's index, they disagree by nearly
#   2, and detect_scenes answers 80 or 143 for the same 80 frames. By the PyAV backend the film lasts 3.333 s, by
#   OpenCV 5.958 s.
# Seen: "opencv: cuts 24 35 69, processed 80, 5.958 s; pyav: cuts 43 63 123, processed 143, 3.333 s".
# Why it matters: silent films come with held titles and stretched speeds. Shots taken by frame_num are cut in the
#   middle of other shots, so a look is spread over a cut; past the end of the film, they are empty.
# Right value: 20, 40, 60 of 80. Take seconds from the scene list and look the index up in the presentation times.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" scenedetect==0.7.2 \
    opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6 click==8.5.1 platformdirs==4.14.8 tqdm==4.70.1
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
from fractions import Fraction

import av
import numpy as np
from scenedetect import ContentDetector, SceneManager, open_video

TICK = Fraction(1, 24)
rng = np.random.default_rng(0)
with av.open("film.mp4", "w") as out:
    stream = out.add_stream("libx264", rate=24, options={"bf": "0", "x264-params": "log-level=none"})
    stream.width, stream.height, stream.pix_fmt = 192, 144, "yuv420p"
    stream.time_base = stream.codec_context.time_base = TICK
    tick = 0
    for shot in range(4):
        luma = rng.integers(60, 187, (12, 16)).repeat(12, axis=0).repeat(12, axis=1).astype(np.uint8)
        for index in range(20):
            chroma = np.full((72, 192), 128, np.uint8)
            frame = av.VideoFrame.from_ndarray(np.vstack((luma, chroma)), format="yuv420p")
            frame.pts, frame.time_base = tick, TICK
            out.mux(stream.encode(frame))
            tick += 24 if (shot, index) == (0, 10) else 3 if shot == 2 else 1
    out.mux(stream.encode(None))

seen = {}
for backend in ("opencv", "pyav"):
    video = open_video("film.mp4", backend=backend)
    manager = SceneManager()
    manager.add_detector(ContentDetector(luma_only=True, min_scene_len=5))
    processed = manager.detect_scenes(video)
    starts = [start for start, _ in manager.get_scene_list()][1:]
    assert [round(float(start.seconds), 3) for start in starts] == [1.792, 2.625, 5.125], "times are right"
    seen[backend] = [start.frame_num for start in starts], processed, round(float(video.duration.seconds), 3)
print("; ".join(f"{name}: cuts {' '.join(map(str, cuts))}, processed {count}, {length} s"
                for name, (cuts, count, length) in seen.items()))
assert seen == {"opencv": ([24, 35, 69], 80, 5.958), "pyav": ([43, 63, 123], 143, 3.333)}
PY
echo "scenedetect_held_frames: still so"
