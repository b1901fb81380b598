#!/usr/bin/env bash
# 10-bit gray DPX: OpenImageIO always writes it packed, FFmpeg cannot read that and says "Operation not permitted".
#
# Versions: OpenImageIO 3.2.2.0, PyAV 18.1.0 (FFmpeg 8.1.2), numpy 2.4.6.
# Input: a gray ramp of 96 x 64, written with oiio:BitsPerSample 10 and dpx:Packing "Filled, method A", "Filled, method
#   B" and "Packed"; and the same samples with three to a 32-bit word (method A), laid out by hand.
# Expected: the packing that was asked for; a reader without packed gray says that it does not know the packing.
# What happens: of one channel OpenImageIO writes packing 0 whatever is asked, without a word (of RGB it obeys). FFmpeg
#   reads method A as gray10le and answers packed 10 bits, but not packed 12, with EPERM: PyAV raises PermissionError.
# Seen: "packing written: 0 0 0; FFmpeg: PermissionError; by hand, method A: gray10le, equal; packed 12: gray12le".
# Why it matters: 10-bit gray DPX is the scanner format of black-and-white film. The error looks like rights of a file:
#   a person checks permissions and credentials for an hour, a program that maps PermissionError says the same.
# Right value: packing 1 in the header's word at 804; for FFmpeg "patch welcome", as for its other gaps.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    openimageio==3.2.2.0 av==18.1.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import pathlib
import struct

import av
import numpy as np
import OpenImageIO as oiio

height, width = 64, 96
codes = (np.arange(height * width).reshape(height, width) % 1024).astype(np.uint32)


def write(bits, packing):
    spec = oiio.ImageSpec(width, height, 1, "uint16")
    spec.attribute("oiio:BitsPerSample", bits)
    spec.attribute("dpx:Packing", packing)
    out = oiio.ImageOutput.create("frame.dpx")
    assert out.open("frame.dpx", spec) and out.write_image((codes << 6).astype(np.uint16)[..., None])
    out.close()
    data = pathlib.Path("frame.dpx").read_bytes()
    return data, struct.unpack_from("<H" if data[:4] == b"XPDS" else ">H", data, 804)[0]


def read():
    try:
        with av.open("frame.dpx") as container:
            return next(container.decode(video=0))
    except OSError as error:
        return type(error).__name__


written = []
for packing in ("Filled, method A", "Filled, method B", "Packed"):
    written.append(write(10, packing)[1])
    refused = read()
write(12, "Packed")
packed12 = read().format.name
data, _ = write(10, "Packed")
order = "<" if data[:4] == b"XPDS" else ">"
words = codes[:, 0::3] << 2 | codes[:, 1::3] << 12 | codes[:, 2::3] << 22
header = bytearray(data[: struct.unpack_from(order + "I", data, 4)[0]])
struct.pack_into(order + "H", header, 804, 1)
struct.pack_into(order + "I", header, 16, len(header) + words.nbytes)
pathlib.Path("frame.dpx").write_bytes(bytes(header) + words.astype(order + "u4").tobytes())
frame = read()
equal = "equal" if np.array_equal(frame.to_ndarray(), codes) else "not equal"
print(f"packing written: {' '.join(map(str, written))}; FFmpeg: {refused}; "
      f"by hand, method A: {frame.format.name}, {equal}; packed 12: {packed12}")
assert written == [0, 0, 0] and refused == "PermissionError" and packed12 == "gray12le"
assert (frame.format.name, equal) == ("gray10le", "equal")
PY
echo "dpx_gray10_packed: still so"
