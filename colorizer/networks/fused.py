"""Convolutions with the rectifier that follows them, in one pass over memory: bit for bit what two passes give.

In bfloat16 on a CPU torch's convolutions are oneDNN's, which can rectify what it writes; torch calls it so only in
compiled graphs, by an operator of its own that compiling takes a C++ compiler for and this does not. It is used where
it is there, and where nothing is learnt.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def rectified(conv: nn.Conv2d, x: Tensor, most: float | None = None) -> Tensor:
    """max(0, conv(x)), and no more than `most`. x: (B, C, H, W) as the convolution itself takes it."""
    if _is_fusible(conv, x):
        how, limits = ("relu", []) if most is None else ("hardtanh", [0.0, most])
        made: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, conv.weight, conv.bias, list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups, how,
            limits, "",
        )  # fmt: skip
        return made
    y = F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)
    return F.relu(y, inplace=True) if most is None else F.hardtanh(y, 0.0, most, inplace=True)


def _is_fusible(conv: nn.Conv2d, x: Tensor) -> bool:
    """float32 gains nothing: its convolutions take most of the time, and small ones are not oneDNN's."""
    right = x.device.type == "cpu" and x.dtype == conv.weight.dtype == torch.bfloat16
    return right and torch.is_inference_mode_enabled() and AVAILABLE


def _available() -> bool:
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and hasattr(
            torch.ops.mkldnn, "_convolution_pointwise"
        )
    except (AttributeError, RuntimeError):  # a build without oneDNN
        return False


AVAILABLE = _available()
