"""Opens damaged copies of small scans, in a process with little memory and a time limit for each.

python -m tests.fuzz_scans FOLDER COUNT SEED: exits 0 if every copy ended in a picture or in a ColorizeError, else 1
after naming those that did not. A copy that kills the process is the last one named in FOLDER/now.txt.
"""

from __future__ import annotations

import random
import resource
import signal
import struct
import sys
import warnings
from pathlib import Path

import imagecodecs
import numpy as np

from colorizer.basis.errors import ColorizeError
from pipeline.stills.opening import open_scan
from tests.tiffs import built, noise, packed, write

MEMORY = 6 << 30
"""Bytes of address space, of which libraries take a good part."""
SECONDS = 10
SMALL = (0, 1, 2, 3, 7, 8, 16, 255, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


def originals(folder: Path) -> list[bytes]:
    """Small scans of many kinds."""
    gray, rgb = noise((40, 50)), noise((40, 50, 3), "u1")
    eight = np.ascontiguousarray(rgb[..., 0])
    path = folder / "original"
    found = []

    def keep(written: Path) -> None:
        found.append(written.read_bytes())

    keep(write(path, gray, tile=(16, 16), compression="zlib", predictor=True, description="words"))
    keep(write(path, gray, rowsperstrip=7, compression="lzw"))
    keep(write(path, gray, bigtiff=True, byteorder=">"))
    keep(write(path, rgb, photometric="rgb", planarconfig="contig", compression="jpeg", tile=(16, 16)))
    keep(write(path, rgb, photometric="rgb", compression="zstd", iccprofile=imagecodecs.cms_profile("adobergb")))
    keep(write(path, rgb.transpose(2, 0, 1), photometric="rgb", planarconfig="separate", compression="packbits"))
    keep(write(path, eight, photometric="palette", colormap=noise((3, 256)), compression="lzma"))
    keep(write(path, gray.astype(np.float32), compression="zlib", predictor=3))
    keep(write(path, noise((40, 50, 4), "u1"), photometric="separated"))
    keep(write(path, rgb, photometric="rgb", compression="webp"))
    keep(write(path, gray, compression="jpeg2000"))
    keep(packed(path, noise((20, 30), "u2", 0, 12), 12, white=True))
    keep(built(path, (20, 16), bytes([0xFF, 0xFF, 0xFF, 0, 0x10, 1]), {258: 1, 259: 4, 262: 0}))
    keep(built(path, (20, 16), noise((300,), "u1").tobytes(), {258: 1, 259: 3, 262: 0, 292: 1}))
    keep(built(path, (4, 40), noise((100,), "u1").tobytes(), {258: 4, 259: 32809}))
    keep(built(path, (2, 8), bytes([133, 0x40] * 9), {258: 16, 259: 34676, 262: 32844}))
    stream = bytes(imagecodecs.jpeg_encode(eight))
    keep(built(path, (40, 50), stream, {259: 6, 512: 1, 513: 8, 514: len(stream)}))
    found += [stream, bytes(imagecodecs.jpeg_encode(rgb)), bytes(imagecodecs.webp_encode(rgb))]
    found += [bytes(imagecodecs.png_encode(rgb)), bytes(imagecodecs.png_encode(gray))]
    return [*found, bytes(imagecodecs.jpeg2k_encode(gray, level=0))]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A copy with bytes, numbers or a directory's fields changed, or cut short."""
    copy = bytearray(data)
    big = copy[:2] == b"MM"
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(copy[: chance.randrange(len(copy))])
    if kind == 1:
        for _ in range(chance.choice((1, 2, 8, 64))):
            copy[chance.randrange(len(copy))] = chance.randrange(256)
    elif kind == 2:
        for _ in range(chance.choice((1, 1, 3))):
            struct.pack_into(">I" if big else "<I", copy, chance.randrange(len(copy) - 4), chance.choice(SMALL))
    elif copy[:4] in (b"II*\0", b"MM\0*"):
        order = ">" if big else "<"
        start = struct.unpack_from(order + "I", copy, 4)[0]
        count = struct.unpack_from(order + "H", copy, start)[0]
        for _ in range(chance.choice((1, 1, 2, 4))):
            entry = start + 2 + 12 * chance.randrange(count)
            place, size = chance.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "I"), (8, "H")))
            value = chance.choice((*SMALL, chance.randrange(65536), len(copy), start))
            struct.pack_into(order + size, copy, entry + place, value & (0xFFFF if size == "H" else 0xFFFFFFFF))
    else:
        for _ in range(chance.choice((1, 2, 8))):
            copy[chance.randrange(min(64, len(copy)))] = chance.randrange(256)
    return bytes(copy)


def look(path: Path) -> str:
    """What became of a scan: "read", or the error's words. Raises whatever is no ColorizeError."""
    try:
        with open_scan(path) as reader:
            scan = reader.scan
            reader.read(0, 0, min(64, scan.height), min(64, scan.width))
            reader.read(scan.height - 1, scan.width - 1, 1, 1)
    except ColorizeError as error:
        return str(error)
    return "read"


def main(folder: Path, count: int, seed: int) -> int:
    """Exit code: 0 if all is well."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _too_long)
    chance, scans, bad, read = random.Random(seed), originals(folder), 0, 0
    for number in range(count):
        path = folder / "damaged"
        path.write_bytes(damaged(chance.choice(scans), chance))
        (folder / "now.txt").write_text(f"{number}", encoding="utf-8")
        signal.alarm(SECONDS)
        try:
            said = look(path)
            read += said == "read"
        except Exception as error:
            bad += 1
            print(f"{number}: {type(error).__name__}: {error}")
            path.rename(folder / f"bad_{number}")
        signal.alarm(0)
    print(f"{count} copies, {read} still a picture, {bad} bad")
    return int(bad > 0)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
