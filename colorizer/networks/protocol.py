"""What the rest of the program asks of a network, whichever architecture it is.

A configuration says everything that can be known without the numbers, among it how large parts of a picture must be
and how far a pixel sees. A network is the split of Iizuka 2016: the *look* of a whole picture, and chroma *painted*
under a look. What training asks beyond that is at the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.color.blocks import by_blocks
from colorizer.networks.fused import rectified

AB_RANGE = 100.0
"""The published coding of chroma: p = (a*/100 + 1) / 2, so p = 0.5 is neutral (the released script)."""

PIXELS = 512
"""Pixels whose bins are sharpened at a time on a CPU: half a megabyte of numbers stays in its cache."""

OUTPUTS = ("regression", "bins", "mixed")
"""Which of its two heads a network paints with; mixed reads both."""


@dataclass(frozen=True, slots=True)
class Halo:
    """Pixels a tile must see around its core: `before` to the left and above, `after` right and below."""

    before: int
    after: int

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0:
            raise ValueError(f"a halo is two numbers of pixels, not {self.before} and {self.after}")


@runtime_checkable
class Config(Protocol):
    """A frozen dataclass: the fields of a weights file and what follows from them.

    Fields that every architecture has: classes, look_size, norm, bins, output, mix, temperature; all have defaults.
    """

    architecture: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init__(self, **fields: Any) -> None:
        """Raises ValueError for what could not be built or would paint no numbers."""

    @property
    def classes(self) -> int:
        """Scene classes."""

    @property
    def look_size(self) -> int:
        """Side in pixels at which a whole picture is looked at."""

    @property
    def norm(self) -> bool:
        """Whether batch normalization is there (training) or folded into the weights (inference)."""

    @property
    def bins(self) -> int:
        """Chroma bins of the classification head, 0 for none."""

    @property
    def output(self) -> str:
        """One of OUTPUTS."""

    @property
    def look_length(self) -> int:
        """Numbers in a look."""

    @property
    def grid(self) -> int:
        """Sides and origins of parts are multiples of so many pixels."""

    @property
    def stride(self) -> int:
        """Picture samples per chroma sample."""

    @property
    def halo(self) -> Halo:
        """The smallest halo with which tiles are exact."""

    @property
    def bytes_per_pixel(self) -> int:
        """What the layers take at most of memory for each painted pixel, float32."""

    def build(self) -> Network:
        """The network, with random numbers."""


class Network(nn.Module, ABC):
    """Luma enters as Y' in [0, 1], (B, 1, H, W); see the module docstring."""

    config: Any
    centers: Tensor  # a*b* of the bins, (bins, 2)

    # --- painting

    @abstractmethod
    def look(self, whole: Tensor) -> tuple[Tensor, Tensor]:
        """The look of whole pictures, (B, look_length), and the features their scene is read from.

        whole: Y' in [0, 1], (B, 1, look_size, look_size).
        """

    @abstractmethod
    def paint(self, part: Tensor, look: Tensor) -> Tensor:
        """Chroma of (parts of) pictures under a look.

        part: Y' in [0, 1], (B, 1, H, W), H and W multiples of the grid. look: (B or 1, look_length).
        Returns a*b* in [-100, 100] (bins: the hull of the bins), (B, 2, H/stride, W/stride).
        """

    @abstractmethod
    def classify(self, scene: Tensor) -> Tensor:
        """Scene logits (B, classes) from the second result of `look`."""

    # --- the file

    @abstractmethod
    def folded(self) -> Network:
        """A copy in evaluation mode with batch normalization folded into the weights."""

    @abstractmethod
    def unused(self) -> tuple[str, ...]:
        """Beginnings of the names of tensors that the configured output does not need; absent, they read as zeros."""

    # --- training

    gist_length: int = 0
    """Numbers that a frozen encoder says of a whole picture, to be found once and kept; 0 if nothing is frozen."""

    @abstractmethod
    def guess(self, luma: Tensor, gist: Tensor | None = None) -> Guess:
        """Everything that is learnt from, of pictures that are looked at and painted.

        luma: (B, 1, H, W). gist: (B or more, gist_length) if they were found before, else luma is looked at as it is;
        those beyond the B-th are only classified.
        """

    def gist(self, whole: Tensor) -> Tensor:
        """What is to be kept of whole pictures, (B, gist_length); whole as in `look`."""
        raise NotImplementedError(f"{type(self).__name__} freezes nothing")

    def thaw(self, learning: bool) -> None:
        """Let `encoder` learn, or freeze it; what never learns is frozen either way."""

    def encoder(self) -> list[nn.Parameter]:
        """Parameters that came from elsewhere and move by a share of the learning rate; none, by default."""
        return []

    def beside(self) -> dict[str, list[nn.Parameter]]:
        """By a layer's name, weights whose output is added to its own before it is normalized; none, by default."""
        return {}

    # --- shared by architectures with the usual two heads

    bins: nn.Module  # features at H/4 to logits

    def chroma(self, quarter: Tensor, half: Tensor | None) -> Tensor:
        """a*b* (B, 2, H/2, W/2) of a decoder's features at H/4 and its logits at H/2, as the configuration says.

        half: None where the output is read from the bins alone.
        """
        regressed = None if half is None else (2 * by_blocks(torch.sigmoid, half) - 1) * AB_RANGE
        if self.config.output == "regression" and regressed is not None:
            return regressed
        chosen = F.interpolate(self.annealed_mean(self.bins(quarter)), scale_factor=2.0, mode="nearest")
        return chosen if regressed is None else torch.lerp(regressed.to(chosen), chosen, self.config.mix)

    def annealed_mean(self, logits: Tensor) -> Tensor:
        """a*b* of bin logits (B, bins, h, w): the mean of the sharpened distribution (Zhang 2016, Eq. 5)."""
        kind = torch.promote_types(logits.dtype, torch.float32)  # half precisions are too coarse to sharpen
        pixels, centers = logits.permute(0, 2, 3, 1), self.centers.to(kind)
        count = PIXELS if logits.device.type == "cpu" else pixels.numel()
        means = [  # in parts that a processor's cache holds; channels last, a pixel's bins are neighbors
            torch.softmax(part.to(kind) / self.config.temperature, 1) @ centers
            for part in torch.split(pixels.reshape(-1, pixels.shape[3]), count)
        ]
        return torch.cat(means).reshape(*pixels.shape[:3], 2).permute(0, 3, 1, 2)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a network makes of pictures while it learns.

    quarter: decoder features at H/4, for `Network.bins`. half: logits of p = (ab/100 + 1)/2, (B, 2, H/2, W/2).
    scene: features for `Network.classify`, one row per gist.
    """

    quarter: Tensor
    half: Tensor
    scene: Tensor


class Layer(nn.Module):
    """Convolution or linear map, batch normalization unless folded, ReLU."""

    def __init__(self, linear: nn.Conv2d | nn.Linear, norm: bool) -> None:
        super().__init__()
        self.linear = linear
        width = linear.weight.shape[0]
        make = nn.BatchNorm2d if isinstance(linear, nn.Conv2d) else nn.BatchNorm1d
        self.norm: nn.BatchNorm1d | nn.BatchNorm2d | None = make(width) if norm else None

    def finish(self, x: Tensor) -> Tensor:
        """What follows the linear map."""
        return F.relu(x if self.norm is None else self.norm(x), inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.linear, nn.Conv2d) and self.norm is None:
            return rectified(self.linear, x)
        return self.finish(self.linear(x))

    def scale(self) -> Tensor:
        """s = gamma / sqrt(var + eps), what the normalization multiplies each channel with; 1 without one."""
        if self.norm is None:
            return torch.ones_like(self.linear.weight[:, 0].flatten(1)[:, 0])
        var = self.norm.running_var
        assert var is not None, "the network keeps running statistics"
        return self.norm.weight.detach() / torch.sqrt(var + self.norm.eps)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias with the normalization folded in: W' = s·W, b' = s·(b - mean) + beta, s as `scale`."""
        weight, bias = self.linear.weight.detach(), self.linear.bias
        assert bias is not None, "every layer has a bias"
        bias = bias.detach()
        if self.norm is None:
            return weight.clone(), bias.clone()
        mean, s = self.norm.running_mean, self.scale()
        assert mean is not None, "the network keeps running statistics"
        shape = (-1,) + (1,) * (weight.dim() - 1)
        return weight * s.view(shape), s * (bias - mean) + self.norm.bias.detach()


class Joint(Layer):
    """A fusion layer that reads a look beside a map (Eq. 5 of Iizuka 2016): channels [look; map], 1 x 1.

    The look's half of the weights sees the same vector everywhere, so it is a bias: W[g; m] = Wm·m + (b + Wg·g).
    """

    def forward(self, x: Tensor, look: Tensor) -> Tensor:  # type: ignore[override]
        n = look.shape[1]
        conv = self.linear
        bias = F.linear(look, conv.weight[:, :n, 0, 0], conv.bias)
        return self.finish(F.conv2d(x, conv.weight[:, n:]) + bias[:, :, None, None])


@torch.no_grad()
def fold_into(copy: Network, network: Network) -> None:
    """Give a copy without normalization the numbers of a network, layer by layer, then everything that is in both."""
    mine = dict(network.named_modules())
    for name, module in copy.named_modules():
        twin = mine[name]
        if isinstance(module, Layer) and isinstance(twin, Layer):
            weight, bias = twin.folded()
            module.linear.weight.copy_(weight)
            assert module.linear.bias is not None
            module.linear.bias.copy_(bias)
    own = copy.state_dict()
    rest = {k: v for k, v in network.state_dict().items() if k in own and ".linear." not in k}
    copy.load_state_dict(own | rest)
