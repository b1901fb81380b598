#!/usr/bin/env bash
# ImageMagick 6 swaps the pixels of a 10-bit gray DPX in threes, or not, by the byte order of the file.
#
# Versions: Debian 12's imagemagick 8:6.9.11.60+dfsg-1.6+deb12u15 (6.9.11-60 Q16), PyAV 18.1.0 (FFmpeg 8.1.2).
# Input: one row of gray, 10 bits, three to a 32-bit word (packing 1, method A), the first sample lowest in the word, as
#   FFmpeg and OpenImageIO read and write it; once as SDPX (big-endian), once as XPDS (little-endian). The words are the
#   same numbers. And 12 bits in 16-bit words, padding above (method B).
# Expected: the byte order changes bytes, not the order of pixels; 12 bits come as 12 bits.
# What happens: SDPX is read as by the others; in XPDS each three pixels come back to front, a fine comb on every
#   edge. 12 bits of method B are read as if the padding were below: the whole picture is 16 times too dark.
# Seen: "SDPX 0 37 74 111 148 185; XPDS 74 37 0 185 148 111; FFmpeg: equal for both; method B: 149 is read as 9".
# Why it matters: contact prints and checks of film scans are made with convert. The comb looks like a fault of the
#   scanner, and noise reduction, cuts and the network see edges that are not there.
# Right value: 0 37 74 111 148 185 for both, and 149.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
magick=$(command -v convert-im6.q16) || { apt-get update -qq; apt-get install -y -qq imagemagick >"$work/log"
    magick=$(command -v convert-im6.q16); }
"$magick" -version | head -1
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work" && MAGICK="$magick" PYTHONPATH=lib python3 - <<'PY'
import os
import pathlib
import struct
import subprocess

import av
import numpy as np

WIDTH, HEIGHT = 48, 32


def write(order, bits, packing, words):
    head = bytearray(2048)
    head[0:4], head[8:12] = (b"SDPX" if order == ">" else b"XPDS"), b"V2.0"
    struct.pack_into(order + "I", head, 4, 2048)
    struct.pack_into(order + "IIII", head, 16, 2048 + words.nbytes, 1, 1664, 384)
    struct.pack_into(order + "I", head, 660, 0xFFFFFFFF)
    struct.pack_into(order + "HHII", head, 768, 0, 1, WIDTH, HEIGHT)
    struct.pack_into(order + "IIfIf", head, 780, 0, 0, 0.0, 2**bits - 1, 2.0)
    head[800], head[801], head[802], head[803] = 6, 2, 2, bits
    struct.pack_into(order + "HHIII", head, 804, packing, 0, 2048, 0, 0)
    pathlib.Path("frame.dpx").write_bytes(bytes(head) + words.astype(words.dtype.newbyteorder(order)).tobytes())


def magick(bits):
    command = [os.environ["MAGICK"], "frame.dpx", "-depth", "16", "-endian", "LSB", "gray:out.raw"]
    subprocess.run(command, check=True)
    return (np.fromfile("out.raw", "<u2") >> (16 - bits)).reshape(HEIGHT, WIDTH)


def ffmpeg():
    with av.open("frame.dpx") as container:
        return next(container.decode(video=0)).to_ndarray()


ten = (np.arange(HEIGHT * WIDTH, dtype=np.uint32).reshape(HEIGHT, WIDTH) * 37) % 1024
words = ten[:, 0::3] << 2 | ten[:, 1::3] << 12 | ten[:, 2::3] << 22
seen, equal = {}, []
for order in ">", "<":
    write(order, 10, 1, words)
    seen[order] = magick(10)
    equal.append(np.array_equal(ffmpeg(), ten))
twelve = ((np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 149) % 4096).astype(np.uint16)
write("<", 12, 2, twelve)
dark = magick(12)
first = {order: " ".join(map(str, codes[0, :6])) for order, codes in seen.items()}
told = "equal for both" if all(equal) else "not equal"
print(f"SDPX {first['>']}; XPDS {first['<']}; FFmpeg: {told}; method B: {twelve[0, 1]} is read as {dark[0, 1]}")
assert np.array_equal(seen[">"], ten) and all(equal) and np.array_equal(ffmpeg(), twelve)
assert np.array_equal(seen["<"].reshape(HEIGHT, -1, 3)[..., ::-1].reshape(HEIGHT, WIDTH), ten)
assert np.array_equal(dark, twelve >> 4)
PY
echo "imagemagick_dpx_order: still so"
