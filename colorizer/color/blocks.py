"""Blocks: work on planes whose result does not depend on how many threads there are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BLOCK = 8192
"""Samples worked on at once: torch splits nothing shorter than 32768 numbers between threads, and three planes of
this many are."""


def by_blocks(work: Callable[..., Tensor], *planes: Tensor, size: int = BLOCK) -> Tensor:
    """`work` on planes of one shape, block by block on a CPU.

    Torch's pow and exp round differently in the last few numbers of the share a thread gets, so a result would depend
    on how many threads there are; in blocks of fixed size it does not. work: (n,) planes to (..., n). size: another
    one, for work without such functions.
    """
    if planes[0].device.type != "cpu":
        return work(*planes)
    flat = [plane.reshape(-1) for plane in planes]
    parts = [work(*(p[i : i + size] for p in flat)) for i in range(0, len(flat[0]), size)]
    whole = torch.cat(parts, -1)
    return whole.reshape(*whole.shape[:-1], *planes[0].shape)
