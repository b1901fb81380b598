#!/usr/bin/env bash
# FFmpeg reads every tiled TIFF as black: right size, right pixel format, all zeros, no error.
#
# Versions: PyAV 18.1.0 (FFmpeg 8.1.2), tifffile 2026.3.3, numpy 2.4.6.
# Input: a gray ramp of 96 x 128, 8 and 16 bits, in tiles of 32: uncompressed, Deflate, PackBits; and in strips.
# Expected: the picture, or "tiled TIFF is not supported" as an error, as other unknown kinds of TIFF get.
# What happens: strips are right. Tiles are a frame of zeros; is_corrupt is False, nothing is logged at warning level.
# Seen: "strips: equal; tiles: gray 0 to 0, gray16le 0 to 0, corrupt: False; logged: 0 lines".
# Why it matters: scanners and image libraries write tiles, and a sequence of TIFF files is a film to FFmpeg. The reel
#   comes out black with all frames, times and digests in order, so a comparison of luma in and luma out holds.
# Right value: the ramp. Look for TileWidth (322) before FFmpeg is asked, or read with tifffile.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    av==18.1.0 tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import av
import numpy as np
import tifffile

av.logging.set_level(av.logging.WARNING)


def read(ramp, **options):
    tifffile.imwrite("frame.tif", ramp, metadata=None, **options)
    assert np.array_equal(tifffile.imread("frame.tif"), ramp), "a valid file"
    with av.logging.Capture(local=False) as lines, av.open("frame.tif") as container:
        frame = next(container.decode(video=0))
    return frame, frame.to_ndarray(), len(lines)


told, flags, logged = [], set(), 0
for dtype in (np.uint8, np.uint16):
    ramp = np.linspace(1, np.iinfo(dtype).max, 96 * 128).astype(dtype).reshape(96, 128)
    assert np.array_equal(read(ramp)[1], ramp), "strips are right"
    for compression in (None, "zlib", "packbits"):
        frame, codes, lines = read(ramp, tile=(32, 32), compression=compression)
        assert codes.shape == ramp.shape and not codes.any(), "tiles are black"
        flags.add(frame.is_corrupt)
        logged += lines
    told.append(f"{frame.format.name} {codes.min()} to {codes.max()}")
print(f"strips: equal; tiles: {', '.join(told)}, corrupt: {' '.join(map(str, flags))}; logged: {logged} lines")
assert flags == {False} and logged == 0
PY
echo "ffmpeg_tiled_tiff: still so"
