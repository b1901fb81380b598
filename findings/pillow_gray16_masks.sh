#!/usr/bin/env bash
# Pillow's 16-bit gray: smooth rotation mixes bytes, and a mask pastes half of the pixels.
#
# Versions: Pillow 13.0.0, numpy 2.4.6.
# Input: a ramp of 64 x 64 samples over 0 to 65535 in mode "I;16".
# Expected: either an error, as ImageOps.invert and GaussianBlur give in this mode, or 16-bit samples: rotated by half
#   a degree the ramp is still a ramp up to 65535; pasted through a mask of 255 it is the source, sample for sample.
# What happens: NEAREST is right and resize is right with every filter, but rotate and transform with BILINEAR or
#   BICUBIC return noise of at most 255; paste through an "L" mask of 255 leaves the right half of the picture as it
#   was, and composite too. Mode and size are right, nothing is raised.
# Seen: "rotated: at most 254 of 65535; pasted: 0.500 of the samples, columns 32 to 63 untouched".
# Why it matters: leveling a scanned plate by half a degree, putting a restored patch back through a mask, aging a
#   training picture by gate weave: each destroys the luma of a 16-bit scan and looks like a valid file.
# Right value: the ramp within the interpolation's error; all samples pasted.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pillow==13.0.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import numpy as np
from PIL import Image

ramp = np.linspace(1, 65535, 64 * 64).round().astype(np.uint16).reshape(64, 64)
scan = Image.fromarray(ramp)
assert scan.mode == "I;16"

small = np.array(scan.resize((32, 32), Image.BICUBIC)).astype(float)
wide = np.array(Image.fromarray(ramp.astype(np.float32)).resize((32, 32), Image.BICUBIC))
assert np.abs(small - wide).max() <= 1, "resize is right"
assert np.array(scan.rotate(0.5, Image.NEAREST)).max() > 65000, "nearest is right"
brightest = [int(np.array(scan.rotate(0.5, how)).max()) for how in (Image.BILINEAR, Image.BICUBIC)]

target = Image.new("I;16", scan.size, 0)
target.paste(scan, (0, 0), Image.new("L", scan.size, 255))
pasted = np.array(target) == ramp
both = Image.composite(scan, Image.new("I;16", scan.size, 0), Image.new("L", scan.size, 255))
empty = np.flatnonzero(~pasted.any(axis=0))
print(f"rotated: at most {brightest[0]} of 65535; pasted: {pasted.mean():.3f} of the samples, "
      f"columns {empty[0]} to {empty[-1]} untouched")
assert max(brightest) <= 255, brightest
assert pasted.mean() == 0.5 and empty.tolist() == list(range(32, 64))
assert np.array_equal(np.array(both), np.array(target))
PY
echo "pillow_gray16_masks: still so"
