"""What the tests of networks share: layers none of which is trivially the identity."""

from typing import Any

import torch
from torch import nn

from colorizer.networks.protocol import Config


def lively(config: Config, kind: torch.dtype = torch.float64) -> Any:
    """He weights and random normalization statistics, evaluation mode: no layer is trivially the identity."""
    net = config.build()
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    if config.bins:
        net.centers.normal_(std=40)
    return net.to(kind).eval().requires_grad_(False)
