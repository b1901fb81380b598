#!/usr/bin/env bash
# libvips makes an 8-bit picture darker when it shrinks it by 3 and lighter when it shrinks it by 2.
#
# Versions: pyvips 3.2.0 with pyvips-binary 8.18.7 (libvips 8.18.7), numpy 2.4.6.
# Input: 840 x 840 random samples of 8 bits, of 16 bits and of floats.
# Expected: the mean of each block, rounded: no bias beyond the tie of an even number, at most 0.5 code away, or 1 for
#   two passes.
# What happens: of 8 bits an odd factor rounds down in both passes: by 3 every sample is 0.67 too low in the mean and up
#   to 1.33, by 5 0.40; by 2 it is 0.50 too high. 16 bits have no bias by 3, floats are exact.
# Seen: "8 bits: by 2 +0.50, by 3 -0.67, by 5 -0.40; 16 bits: by 3 +0.00; floats: by 3 0.00".
# Why it matters: previews and the small picture a network sees are made so. Two sizes of one plate differ in brightness
#   by more than a code, and a check "is the small picture the mean of the large one?" fails by the factor.
# Right value: within 0.5 of the mean. Cast to float, shrink, round once.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pyvips==3.2.0 pyvips-binary==8.18.7 cffi==2.1.1 pycparser==3.12 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import numpy as np
import pyvips

codes = np.random.default_rng(0).integers(0, 256, (840, 840))


def bias(dtype, factor):
    samples = codes.astype(dtype)
    side = 840 // factor
    small = pyvips.Image.new_from_array(samples).shrink(factor, factor).numpy().astype(float)
    off = small - samples.reshape(side, factor, side, factor).mean(axis=(1, 3))
    return off.mean(), np.abs(off).max()


by = {factor: bias(np.uint8, factor) for factor in (2, 3, 5)}
wide, floats = bias(np.uint16, 3), bias(np.float32, 3)
told = ", ".join(f"by {factor} {mean:+.2f}" for factor, (mean, _) in by.items())
print(f"8 bits: {told}; 16 bits: by 3 {wide[0]:+.2f}; floats: by 3 {abs(floats[0]):.2f}")
assert 0.45 < by[2][0] < 0.55 and -0.72 < by[3][0] < -0.62 and -0.45 < by[5][0] < -0.35
assert by[3][1] > 1.3 and abs(wide[0]) < 0.02 and floats[1] < 1e-3
PY
echo "vips_shrink_bias: still so"
