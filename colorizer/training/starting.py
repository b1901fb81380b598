"""Starting points: a network for training that begins where finished weights, as wide or narrower, left off.

Finished weights have their normalization folded in, so it is recovered from data: each layer's statistics on a batch
become its scale and shift. A wider network starts as the same function (Net2WiderNet; Chen, Goodfellow and Shlens,
"Net2Net: Accelerating learning via knowledge transfer", ICLR 2016): each channel is repeated, what reads it is split
between the copies at random, so that the sum stays what it was and the copies' gradients differ from the first step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from colorizer.basis.errors import TrainingError
from colorizer.networks.iizuka2016 import LOOK, Iizuka2016
from colorizer.networks.protocol import Layer, Network

Example = tuple[Tensor, Tensor | None]
"""Y' (B, 1, H, W), and gists (B, gist_length) of a network that has them."""

UNEVEN = 1.0
"""How far a copy's share of a weight is from an even one, relative to the root mean square of even shares."""


@torch.no_grad()
def start_from(network: Network, finished: Network, example: Example) -> None:
    """Give a network under training the function of a finished one, as near as float32 allows.

    finished: folded, of the same architecture; the width of a 2016 network divides the network's. example: a few
    hundred pictures such as training sees. Classes must agree in number; their order is the caller's business. Raises
    TrainingError.
    """
    if isinstance(network, Iizuka2016) and isinstance(finished, Iizuka2016):
        _widen(network, finished)
    else:
        _copy(network, finished)
    _normalize(network, example)


def _copy(network: Network, finished: Network) -> None:
    """Everything but what never learns, which is there already, and not rounded to float16."""
    ours, theirs = network.config, finished.config
    if ours.architecture != theirs.architecture:
        raise TrainingError(
            f"the weights to start from are of {theirs.architecture}, this network of {ours.architecture}"
        )
    differ = [n for n in ("bins", "look_size", "classes") if getattr(ours, n) != getattr(theirs, n)]
    if differ:
        raise TrainingError(f"the weights to start from differ in {', '.join(differ)}")
    source = finished.state_dict()
    for name, parameter in network.named_parameters():
        if name in source and parameter.requires_grad:
            parameter.copy_(source[name].float())


def _widen(network: Iizuka2016, finished: Iizuka2016) -> None:
    ours, theirs = network.config, finished.config
    differ = [n for n in ("head", "fusion", "bins", "look_size", "classes") if getattr(ours, n) != getattr(theirs, n)]
    times = ours.width / theirs.width
    if differ or theirs.norm or times != int(times) or (times > 1 and ours.head == "flatten"):
        why = f"differ in {', '.join(differ)}" if differ else f"are {theirs.width} wide, this network {ours.width}"
        raise TrainingError(f"the weights to start from {why}")
    source = finished.state_dict()
    look = theirs.channels(LOOK)
    state = network.state_dict()
    chance = torch.Generator().manual_seed(0)
    for name, tensor in source.items():
        first = look if name == "fusion.linear.weight" else 0
        state[name].copy_(_widened(tensor.float(), tuple(state[name].shape), first, chance))


def _widened(tensor: Tensor, shape: tuple[int, ...], first: int, chance: torch.Generator) -> Tensor:
    """Repeat channels until the shape is reached; copies of an input channel share its weight, unevenly.

    first: where the input is two things side by side, the channels of the first one.
    """
    out = tensor.repeat_interleave(shape[0] // tensor.shape[0], 0)
    if tensor.dim() == 1 or tensor.shape[1] == shape[1]:
        return out
    times = shape[1] // tensor.shape[1]
    parts = [out[:, :first], out[:, first:]] if first else [out]
    return torch.cat([_shared(part, times, chance) for part in parts], 1)


def _shared(weight: Tensor, times: int, chance: torch.Generator) -> Tensor:
    """Weights (O, I, ...) for `times` copies of each input, (O, I·times, ...); over the copies they sum to the old."""
    even = weight.unsqueeze(2) / times
    apart = torch.randn((*weight.shape[:2], times, *weight.shape[2:]), generator=chance)
    apart -= apart.mean(2, keepdim=True)
    return (even + UNEVEN * even.square().mean().sqrt() * apart).flatten(1, 2)


def _normalize(network: Network, luma: Example) -> None:
    """Turn biases into normalization: scale and shift of each layer are the statistics of what it puts out on luma."""

    def measure(norm: nn.Module, args: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
        x = args[0]
        var, mean = torch.var_mean(x, [d for d in range(x.dim()) if d != 1], correction=0)
        norm.weight.copy_(torch.sqrt(var + norm.eps))
        norm.bias.copy_(mean)

    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    was = network.training
    network.train()
    try:
        forward(network, *luma)
    finally:
        for hook in hooks:
            hook.remove()
    beside = network.beside()
    for name, layer in network.named_modules():
        if isinstance(layer, Layer):  # normalization makes the scale of weights free: take the usual one
            weight = layer.linear.weight
            rows = weight.flatten(1).norm(dim=1).clamp_min(1e-8)
            for scaled in (weight, *beside.get(name, ())):
                scaled.mul_((3**-0.5 / rows).view(-1, *(1,) * (scaled.dim() - 1)))
            assert layer.linear.bias is not None
            layer.linear.bias.zero_()
    settle(network, [luma])
    network.train(was)


@torch.no_grad()
def settle(network: Network, examples: list[Example]) -> None:
    """Set running statistics to the mean over batches of what the present weights give (Wu and Johnson, "Rethinking
    'batch' in BatchNorm", 2021): those gathered while weights moved belong to none of them.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    was = network.training
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    for example in examples:
        forward(network, *example)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(was)


def forward(network: Network, luma: Tensor, gist: Tensor | None = None) -> None:
    """Run every layer of a network once."""
    guess = network.guess(luma, gist)
    network.classify(guess.scene)
    if network.config.bins:
        network.bins(guess.quarter)
