#!/usr/bin/env bash
# OpenCV's raw frames of a 10-bit film are the bytes of its left half.
#
# Versions: opencv-python-headless 5.0.0.93, PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: lossless FFV1 films of 64 x 48, gray of 8, 10 and 16 bits and yuv422p10, luma rising along the row.
# Expected: with CAP_PROP_CONVERT_RGB 0, which is the way to stored samples: uint16 for 10 bits, or a failure to read.
# What happens: 8 bits are the samples, 16 bits too, as uint16. 10 bits (and 12) succeed with shape 48 x 64 of uint8:
#   each row is the first 64 of its 128 bytes, low and high byte by turns; the right half of the picture is not there.
# Seen: "gray uint8 equal; gray16 uint16 equal; gray10 uint8 is the bytes of columns 0 to 31; yuv422p10 the same".
# Why it matters: archives' films have 10 bits, and this switch is what one finds when luma must not be converted. The
#   array has the right shape, its statistics are nonsense, and every second column is nearly black.
# Right value: uint16 samples. PyAV's plane 0 has them.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
cd "$work" && OPENCV_LOG_LEVEL=SILENT PYTHONPATH=lib python3 - <<'PY'
import av
import cv2
import numpy as np

told = {}
for pixels, bits in (("gray", 8), ("gray16le", 16), ("gray10le", 10), ("gray12le", 12), ("yuv422p10le", 10)):
    word = np.uint8 if bits == 8 else np.uint16
    luma = np.tile(np.linspace(1, 2**bits - 1, 64).astype(word), (48, 1))
    frame = av.VideoFrame(64, 48, pixels)
    for index, plane in enumerate(frame.planes):
        rows = np.full((plane.height, plane.line_size // luma.itemsize), 1 << (bits - 1), word)
        if index == 0:
            rows[:, :64] = luma
        plane.update(rows.tobytes())
    with av.open("film.mkv", "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    film = cv2.VideoCapture("film.mkv", cv2.CAP_FFMPEG)
    assert film.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    good, raw = film.read()
    assert good and raw.shape == (48, 64)
    if raw.dtype == word and np.array_equal(raw, luma):
        told[pixels] = f"{raw.dtype} equal"
    else:
        assert raw.dtype == np.uint8 and np.array_equal(raw, luma[:, :32].copy().view(np.uint8))
        told[pixels] = "uint8 is the bytes of columns 0 to 31"
ten = told["gray10le"]
same = "the same" if told["gray12le"] == told["yuv422p10le"] == ten else told
print(f"gray {told['gray']}; gray16 {told['gray16le']}; gray10 {ten}; yuv422p10 {same}")
assert told["gray"] == "uint8 equal" and told["gray16le"] == "uint16 equal" and ten.startswith("uint8 is")
assert same == "the same"
PY
echo "opencv_raw_ten_bits: still so"
