"""Teaches the detector of negatives that ships, and measures it:

    python -m tests.negatives train-*.tar --cache small.npy --held-out val.tar --out polarity.safetensors

The schedule is the clock: another run gives other numbers, and polarity's ENOUGH is chosen anew by what this prints.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import save_file

from colorizer.training.polarity import load, measured, teach


def main() -> None:
    """Reads its arguments, teaches, writes, measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+", help="shards or folders of training pictures")
    parser.add_argument("--cache", type=Path, required=True, help="where they are kept small, for another run")
    parser.add_argument("--pictures", type=int, default=15000)
    parser.add_argument("--minutes", type=float, default=11)
    parser.add_argument("--held-out", type=Path, help="a shard to measure by")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    planes = load(asked.sources, asked.pictures, asked.cache)
    detector = teach(planes, asked.minutes, report=print)
    save_file({name: value.half().contiguous() for name, value in detector.state_dict().items()}, asked.out)
    if asked.held_out:
        planes = load([asked.held_out], asked.pictures, asked.cache.with_suffix(".held-out.npy"))
        for mistaken in (0.002, 0.005, 0.01):
            print(measured(detector, planes, mistaken))


if __name__ == "__main__":
    main()
