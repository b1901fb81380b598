#!/usr/bin/env bash
# exiftool refuses to write into a pyramid made by tifffile; the same pyramid by libvips is fine.
#
# Versions: Debian 12's libimage-exiftool-perl 12.57+dfsg-1, tifffile 2026.3.3, pyvips 3.2.0 with pyvips-binary 8.18.7,
#   numpy 2.4.6.
# Input: a gray plate of 256 x 320 with two smaller levels in SubIFDs, tiled, by each of the two libraries.
# Expected: a word of XMP is added to both.
# What happens: tifffile gives the sub-directories both ways of being found: the array of offsets, and each one's
#   "next" pointer. exiftool follows the pointer, meets the second level twice and stops: "SubIFD1 pointer references
#   previous SubIFD1 directory", 0 files updated, status 1. One level is fine, libvips writes 0 as "next". -m makes it
#   go on.
# Seen: "libvips: 1 image files updated; tifffile: 0 image files updated, status 1, [minor] SubIFD1 pointer".
# Why it matters: archives catalog with exiftool, Python writes pyramids with tifffile. Scripts that look at no exit
#   status leave a whole collection without its words.
# Right value: next = 0 in a directory reached through SubIFDs. The product's own writer does so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
command -v exiftool >/dev/null || { apt-get update -qq; apt-get install -y -qq libimage-exiftool-perl >"$work/log"; }
echo "exiftool $(exiftool -ver)"
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" \
    tifffile==2026.3.3 pyvips==3.2.0 pyvips-binary==8.18.7 cffi==2.1.1 pycparser==3.12 numpy==2.4.6
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
import subprocess

import numpy as np
import pyvips
import tifffile

plate = np.random.default_rng(0).integers(0, 256, (256, 320), dtype=np.uint8)


def by_tifffile(levels):
    with tifffile.TiffWriter("plate.tif") as out:
        out.write(plate, tile=(64, 64), subifds=levels, metadata=None)
        for level in range(1, levels + 1):
            out.write(plate[:: 2**level, :: 2**level], tile=(64, 64), subfiletype=1, metadata=None)


def by_vips():
    size = {"tile_width": 64, "tile_height": 64}
    pyvips.Image.new_from_array(plate).tiffsave("plate.tif", tile=True, pyramid=True, subifd=True, **size)


def add_word(*options):
    command = ["exiftool", "-overwrite_original", *options, "-XMP-dc:Source=museum", "plate.tif"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout.split("\n")[0].strip(), done.stderr


by_vips()
with tifffile.TiffFile("plate.tif") as file:
    assert len(file.pages[0].pages) >= 2
vips = add_word()
by_tifffile(1)
assert add_word()[0] == 0, "one level is fine"
by_tifffile(2)
refused = add_word()
forced = add_word("-m")
reason = "[minor] SubIFD1 pointer" if "SubIFD1 pointer references previous SubIFD1" in refused[2] else refused[2]
print(f"libvips: {vips[1]}; tifffile: {refused[1]}, status {refused[0]}, {reason}")
assert vips[:2] == (0, "1 image files updated") and refused[:2] == (1, "0 image files updated")
assert reason.startswith("[minor]") and forced[0] == 0
PY
echo "exiftool_tifffile_levels: still so"
