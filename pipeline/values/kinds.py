"""Kinds of jobs, a reel's and a scan's: what differs between them in words, said once and light to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    name: in files and on the command line. unit: what a worker paints at a time. counted: in what a unit's size is
    told. part: what has a look of its own. options: of a job, that a collection passes on. digests: whether digests of
    its frames can be left beside the output. continuous: whether a part goes on from the one before.
    """

    name: str
    unit: str
    counted: str
    part: str
    divisible: bool
    options: tuple[str, ...]
    digests: bool
    continuous: bool


REEL = Kind(
    "reel", "segment", "frames", "shot", True,
    ("profile", "weights", "working_size", "precision", "rate", "start", "stop", "memory", "invert"), True, True,
)  # fmt: skip
SCAN = Kind(
    "scan", "band", "rows", "page", False,
    ("weights", "working_size", "precision", "compression", "pyramid", "page", "memory", "tile", "invert"),
    False, False,
)  # fmt: skip
KINDS = {kind.name: kind for kind in (REEL, SCAN)}
