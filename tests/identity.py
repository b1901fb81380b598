"""Whether this checkout and another one make the same bytes of the same media: for changes that should change none.

    python -m tests.identity OTHER_CHECKOUT [--media FOLDER]

Reels, scans and a small collection of the test media go through the commands of both checkouts, under this Python;
every file that comes out is compared by its digest, proofs and sidecars too. Exit code 1 and their names where
any differs. Takes two minutes or so a checkout, and is run by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MEDIA = Path(__file__).parents[2] / "shared" / "media"

REELS = {
    "film_bw/hands_bw_cinepak_audio.avi": "hands.mkv",
    "video_odd/elst3.mov": "edits.mp4",
    "video_odd/neg_first_pts.mp4": "times.mov",
    "video_odd/packed_bframes.avi": "packed.mkv",
    "video_odd/vfr_flv.flv": "rates.mp4",
    "video_odd/prores_gray_sar16-15.mov": "aspect.mkv",
    "film_bw/white_zombie_rot90_sar1-2.mp4": "turned.mov",
}
SCANS = {
    "photos_bw/lyken_t.jpg": "photo.tif",
    "photos_bw/msold_scratch_b.png": "scratched.png",
    "photos_bw/ddcolor_Audrey_Hepburn.jpg": "portrait.jpg",
    "tiff/pillow_multipage.tiff": "pages.tif",
    "tiff/pillow_16bit.MM.deflate.tif": "deep.tif",
    "tiff/libtiff_quad-jpeg.tif": "tiled.tif",
    "tiff/itiff_gradient-1c-32b-float.tiff": "float.tif",
    "tiff/depth_flower-rgb-planar-08.tif": "planes.tif",
    "tiff/pillow_g4_orientation_5.tif": "bilevel.tif",
    "stills_odd/cyan.dpx": "dpx.tif",
}
COLLECTION = ("photos_bw/lyken_v.jpg", "video_odd/stream_shorter_than_movie.mov", "tiff/pillow_hopper_jpg.tif")


def command(checkout: Path, *words: object) -> None:
    """Run a command of a checkout to its end; what it says goes to this process's own output if it fails."""
    old = not (checkout / "workflows" / "commands").is_dir()
    module = "workflows.cli" if old else "workflows.commands.cli"
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)], cwd=checkout, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        print(f"{checkout}: {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}", file=sys.stderr)


def outputs(checkout: Path, media: Path, folder: Path) -> dict[str, str]:
    """Color the list into a folder; the digest of every file that is there in the end, by its path."""
    for kind, pairs in (("reel", REELS), ("scan", SCANS)):
        for source, out in pairs.items():
            command(checkout, kind, media / source, folder / out)
    source = folder / "collection"
    source.mkdir()
    for name in COLLECTION:
        (source / Path(name).name).symlink_to(media / name)
    command(checkout, "archive", source, folder / "colored", "--preservation")
    timed = {folder / "colored" / ".chromatheque", folder / "colored" / "report.html"}  # hold times of day
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and source not in path.parents and timed.isdisjoint([path, *path.parents])
    }


def main() -> int:
    """Color with both, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--media", type=Path, default=MEDIA)
    asked = parser.parse_args()
    made = []
    for checkout in (asked.other.resolve(), Path(__file__).parents[1]):
        with tempfile.TemporaryDirectory() as name:
            made.append(outputs(checkout, asked.media, Path(name)))
    theirs, ours = made
    differ = sorted(name for name in theirs | ours if theirs.get(name) != ours.get(name))
    for name in differ:
        print(f"differs: {name}")
    print(f"{len(ours)} files, {len(differ)} differ")
    return 1 if differ or not ours else 0


if __name__ == "__main__":
    sys.exit(main())
