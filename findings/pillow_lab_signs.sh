#!/usr/bin/env bash
# Pillow's Lab has two codings at once: numpy sees a* and b* as signed bytes, getpixel and getchannel as offset by 128.
#
# Versions: Pillow 13.0.0, numpy 2.4.6.
# Input: a gray and a red patch taken from sRGB to Lab by ImageCms.
# Expected: one picture has one set of numbers: np.array(lab)[..., 1] is np.array(lab.getchannel("A")).
# What happens: neutral is 0 in np.array(lab) and 128 in getchannel and getpixel; red is 55 and 183. merge takes the
#   offset ones, fromarray the signed ones; neither says so. A neutral a* written the other way is a strong color.
# Seen: "gray: array 0 0, channels 128 128; red: array 55 45, channels 183 173; 128 through fromarray: 0 165 255".
# Why it matters: a*b* is what a colorizer makes. Put into Lab by numpy with 128 for neutral, as channels show it, a
#   gray picture turns into saturated color; the mean a* of an archive measured both ways differs by 128 where it is 0.
# Right value: one of them. Subtract 128 modulo 256 between the two; TIFF stores the signed ones.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    pillow==13.0.0 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import numpy as np
from PIL import Image, ImageCms

srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
there = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
back = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


def both(color):
    picture = ImageCms.applyTransform(Image.new("RGB", (4, 4), color), there)
    channels = [int(np.array(picture.getchannel(name))[0, 0]) for name in "AB"]
    assert list(picture.getpixel((0, 0))[1:]) == channels
    merged = Image.merge("LAB", picture.split())
    assert np.array_equal(np.array(merged), np.array(picture)), "split and merge are inverse"
    again = Image.fromarray(np.array(picture), mode="LAB")
    assert again.getpixel((0, 0)) == picture.getpixel((0, 0)), "array and fromarray too"
    return np.array(picture)[0, 0, 1:].tolist(), channels


gray, red = both((119, 119, 119)), both((200, 60, 40))
mixed = Image.fromarray(np.full((4, 4, 3), 128, np.uint8), mode="LAB")
shown = ImageCms.applyTransform(mixed, back).getpixel((0, 0))


def told(values):
    return " ".join(map(str, values))


print(f"gray: array {told(gray[0])}, channels {told(gray[1])}; red: array {told(red[0])}, channels {told(red[1])}; "
      f"128 through fromarray: {told(shown)}")
assert gray == ([0, 0], [128, 128]) and red == ([55, 45], [183, 173])
assert max(shown) - min(shown) > 60
PY
echo "pillow_lab_signs: still so"
