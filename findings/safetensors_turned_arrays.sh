#!/usr/bin/env bash
# safetensors.numpy writes a transposed array in the order of memory: it comes back scrambled, and nothing is said.
#
# Versions: safetensors 0.8.0, numpy 2.4.6.
# Input: the array 0 to 23 of 4 x 6: transposed, in Fortran order, and made contiguous; saved and loaded.
# Expected: what is saved is what is loaded, or a ValueError as safetensors.torch raises ("... non contiguous tensor").
# What happens: shape and type are the array's, the numbers are those of the memory behind it: a view's strides are not
#   looked at. Big-endian arrays are swapped correctly, so it is not a bare dump either. The documentation asks for
#   contiguous arrays, the code does not.
# Seen: "transposed: same shape, 22 of 24 numbers wrong; Fortran order: 22 wrong; ascontiguousarray: 0 wrong".
# Why it matters: weights ported from other frameworks are transposed on the way (OIHW from HWIO). The
#   file loads, its digest is stable, shapes fit; the colors are noise and training is blamed.
# Right value: the array. Call np.ascontiguousarray first.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    safetensors==0.8.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import numpy as np
from safetensors.numpy import load, save

numbers = np.arange(24, dtype=np.float32).reshape(4, 6)


def wrong(array):
    back = load(save({"weight": array}))["weight"]
    assert back.shape == array.shape and back.dtype == np.float32
    return int((back != array).sum())


transposed, fortran = wrong(numbers.T), wrong(np.asfortranarray(numbers))
contiguous, big_endian = wrong(np.ascontiguousarray(numbers.T)), wrong(numbers.astype(">f4"))
print(f"transposed: same shape, {transposed} of 24 numbers wrong; Fortran order: {fortran} wrong; "
      f"ascontiguousarray: {contiguous} wrong")
assert (transposed, fortran, contiguous, big_endian) == (22, 22, 0, 0)
PY
echo "safetensors_turned_arrays: still so"
