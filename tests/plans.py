"""What the tests of plans share: reels that no file holds, and plans of them."""

from fractions import Fraction
from itertools import pairwise

import numpy as np

from colorizer.color.coding import Coding
from pipeline.reels.plan import Plan, Settings, Shot
from pipeline.reels.reel import Reel

SETTINGS = Settings("archive", "first", "ab" * 32, 192, "fp32")
REEL = Reel(
    "/film/reel.mkv", "matroska,webm", 0, "ffv1", 64, 48, "gray", Coding(8, True, "bt601", "smpte170m"),
    ("matrix bt601",), (2, 2, 2, 2), Fraction(1), Fraction(24), Fraction(1, 1000), "progressive", 0, "", 0, Fraction(1),
)  # fmt: skip
BASE = Reel(
    "reel.mkv", "matroska", 0, "ffv1", 64, 48, "gray", Coding(), (), (0, 2, 2, 2), Fraction(1), Fraction(24),
    Fraction(1, 1000), "progressive", 0, "", 0, Fraction(1),
)  # fmt: skip


def look(seed):
    """Of a network with a short one."""
    return np.random.default_rng(seed).normal(size=16).astype(np.float32)


def plan_of(lengths, settings=SETTINGS, reel=REEL, **changes):
    """A plan of shots of these lengths."""
    edges = np.cumsum([0, *lengths]).tolist()
    shots = tuple(Shot(a, b, look(i), (("barn", 0.5),)) for i, (a, b) in enumerate(pairwise(edges)))
    count = edges[-1]
    facts = {
        "pts": tuple(round(i * 1000 / 24) for i in range(count)),
        "digests": tuple(f"{i:032x}" for i in range(count)),
        "shots": shots,
        **changes,
    }
    return Plan(reel, {"name": "reel.mkv", "bytes": 1, "sha256": "00"}, settings, facts.pop("skip", 0), **facts)


def ids(plan):
    """Of its segments."""
    return [s.id for s in plan.units()]
