"""A small reel and a scan, painted with each instruction set that the processor has, in a process of its own.

python -m tests.instruction_sets    # keep digests of what this processor paints
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch

from colorizer.basis.light import luma_codes
from colorizer.painting.processor import INFO, processor_name
from tests.checkout import ROOT
from tests.endtoend import environment, pictures, samples

SETS = {"default": "SSE41", "avx2": "AVX2", "avx512": "AVX512_CORE"}
"""By torch's names, each with oneDNN's for the same."""
HERE = [name for name in SETS if name == "default" or torch.backends.cpu.get_cpu_capability().lower() >= name]
PRECISIONS = ("fp32", "bf16")
GOLDEN = ROOT / "tests" / "data" / "golden.json"
"""Digests of what one processor painted with one torch, by precision, set and file."""

PAINT = """
import sys
from pathlib import Path
import torch
from tests.formats import run
folder, out = Path(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
for precision in ("fp32", "bf16"):
    for kind, source in (("reel", "clip.mkv"), ("scan", "plate.tif")):
        code, said = run(folder, kind, source, f"{precision}-{out}-{source}", "--precision", precision)
        assert code == 0, said
print(torch.backends.cpu.get_cpu_capability())
"""


def gray(height: int, width: int, seed: int) -> np.ndarray:
    """A picture with large and small shapes and grain."""
    rows, columns = np.mgrid[0:height, 0:width]
    shapes = 110 + 60 * np.sin(columns / 17 + seed) * np.cos(rows / 23) + 30 * np.sin((columns + rows) / 5)
    grain = np.random.default_rng(seed).normal(0, 4, shapes.shape)
    return np.clip(shapes + grain + 40 * (rows >= height // 2), 0, 255).astype(np.uint8)


def write_clip(path: Path) -> None:
    """8 frames of two shots, without a loss."""
    import av

    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("ffv1", rate=24)
        video.width, video.height, video.pix_fmt = 96, 72, "gray"
        for i in range(8):
            frame = av.VideoFrame.from_ndarray(np.minimum(gray(72, 96, 2 if i < 4 else 5), 247) + np.uint8(i), "gray")
            frame.pts = i
            out.mux(video.encode(frame))
        out.mux(video.encode())


def paint(folder: Path) -> dict[tuple[str, str, str], tuple[np.ndarray, np.ndarray]]:
    """Luma and samples of color by precision, set and kind: a reel's chroma (2, frames, h, w), a scan's (h, w, 3)."""
    write_clip(folder / "clip.mkv")
    tifffile.imwrite(folder / "plate.tif", gray(240, 320, 1), photometric="minisblack")
    for name in HERE:
        more = {"ATEN_CPU_CAPABILITY": name, "ONEDNN_MAX_CPU_ISA": SETS[name]}
        done = subprocess.run(
            [sys.executable, "-c", PAINT, str(folder), name], env=environment(**more), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[-1].lower() == name
    made = {}
    for precision in PRECISIONS:
        for name in HERE:
            reel = list(pictures(folder / f"{precision}-{name}-clip.mkv"))
            luma, *chroma = (np.stack([samples(frame, plane) for frame in reel]) for plane in range(3))
            made[precision, name, "reel"] = luma, np.stack(chroma)
            scan = tifffile.imread(folder / f"{precision}-{name}-plate.tif")
            made[precision, name, "scan"] = luma_codes(scan), scan
    return made


def here() -> dict[str, str]:
    """What the digests depend on; processors of one name may have other instructions."""
    flags = [line for line in INFO.read_text(encoding="utf-8").splitlines() if line.startswith("flags")][-1:]
    return {
        "processor": processor_name(),
        "flags": hashlib.sha256("".join(flags).encode()).hexdigest()[:16],
        "torch": torch.__version__.partition("+")[0],
    }


def digests(painted: dict[tuple[str, str, str], tuple[np.ndarray, np.ndarray]]) -> dict[str, str]:
    """Of the samples of color, by precision, set and kind."""
    return {" ".join(key): hashlib.sha256(color.tobytes()).hexdigest() for key, (_, color) in painted.items()}


def main() -> None:
    """Keep digests of what is painted here and now."""
    with tempfile.TemporaryDirectory() as folder:
        values = {**here(), "digests": digests(paint(Path(folder)))}
    GOLDEN.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
