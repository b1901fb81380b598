#!/usr/bin/env bash
# Gray comes out of lossy WebP and JPEG XL with a tint of one code; JPEG, AVIF and HEIF keep it gray.
#
# Versions: Pillow 13.0.0, pillow-jxl-plugin 1.3.8, pillow-heif 1.8.1, numpy 2.4.6.
# Input: patches of 8 x 8 of all 256 grays as RGB; WebP at quality 100, the others at 95.
# Expected: R = G = B. Codes may be off, but neutral chroma is zero in each of these color spaces and stays so.
# What happens: four grays come out of WebP with red and blue one above green, a rounding of its decoder: flat patches
#   have it, at any quality, and also of a picture given as "L", since WebP has no gray. JPEG XL (XYB) tints some pixel
#   of every gray.
# Seen: "WEBP: tint 1 in 4 of 256 grays; JXL: tint 1 in 256 of 256 grays; JPEG, AVIF, HEIF: none".
# Why it matters: "is this photograph black-and-white already?" asked by equal channels says no to such pictures;
#   training sets lose the gray ones or keep the toned ones by it, and a colorized area cannot be told from a gray one.
# Right value: R = G = B; in practice, ask for a difference above 1, and save gray as "L" in JPEG XL.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pillow==13.0.0 pillow-jxl-plugin==1.3.8 pillow-heif==1.8.1 packaging==26.4 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import io

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  registers itself
from PIL import Image

pillow_heif.register_heif_opener()
grays = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(8, axis=0).repeat(8, axis=1)


def tinted(kind, quality, mode="RGB"):
    file = io.BytesIO()
    Image.fromarray(grays).convert(mode).save(file, kind, quality=quality)
    picture = np.array(Image.open(io.BytesIO(file.getvalue())).convert("RGB")).astype(int)
    tint = np.ptp(picture, axis=2)
    return int(tint.max()), len(np.unique(grays[tint > 0]))


webp, webp_gray, jxl = tinted("WEBP", 100), tinted("WEBP", 100, "L"), tinted("JXL", 95)
others = {kind: tinted(kind, 95) for kind in ("JPEG", "AVIF", "HEIF")}
print(f"WEBP: tint {webp[0]} in {webp[1]} of 256 grays; JXL: tint {jxl[0]} in {jxl[1]} of 256 grays; "
      f"{', '.join(others)}: {'none' if not any(map(any, others.values())) else others}")
assert webp == webp_gray == (1, 4) and tinted("WEBP", 80)[0] == 1
assert jxl[0] == 1 and jxl[1] > 200 and tinted("JXL", 95, "L") == (0, 0)
assert not any(map(any, others.values())), others
PY
echo "lossy_gray_tint: still so"
