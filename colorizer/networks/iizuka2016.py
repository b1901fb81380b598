"""The network of Iizuka, Simo-Serra and Ishikawa, "Let there be Color!" (SIGGRAPH 2016), Table 1.

Low-level features are shared by two branches: a global one that reduces the whole picture to 256 numbers (the
*look*) and a local one that keeps positions (mid-level features). The fusion layer joins them (Eq. 5), the
colorization layers turn the result into a*b* at half the picture's size.

The class is split where the paper's style transfer splits it: `look(whole)` and `paint(part, look)`. One look
serves all frames of a shot and all tiles of a scan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.color.color import by_blocks

LOOK = 256
"""Length of the look at full width; narrower networks scale it like every other channel count."""

AB_RANGE = 100.0
"""The published coding of chroma: p = (a*/100 + 1) / 2, so p = 0.5 is neutral (the released script)."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Everything needed to build the network, apart from its numbers.

    width: factor on every channel count (1.0 is the published network)
    head: "flatten" feeds the last global map position by position to the fully connected layers, as
        published, and so needs `look_size` 224; "mean" averages it and takes any size
    fusion: kernel of the fusion layer: 1 (the paper's Eq. 5) or 3 (the authors' released file)
    classes: scene classes of the classifier
    look_size: side in pixels at which the whole picture is shown to the global branch
    mean: subtracted from the luma before the first layer
    norm: batch normalization present (training) or folded into weights and biases (inference)
    bins: 0, or the number of chroma bins of an added classification head (Zhang, Isola and Efros 2016)
    output: which head `paint` reads; "mixed" reads both
    mix: share of the bins in a mixed output; what they add in life they cost in steadiness
    temperature: of the annealed mean over bins (Zhang 2016, Eq. 5)
    """

    width: float = 1.0
    head: Literal["flatten", "mean"] = "flatten"
    fusion: Literal[1, 3] = 1
    classes: int = 205
    look_size: int = 224
    mean: float = 0.4462414
    norm: bool = True
    bins: int = 0
    output: Literal["regression", "bins", "mixed"] = "regression"
    mix: float = 0.5
    temperature: float = 0.38

    def __post_init__(self) -> None:
        if not 0.05 <= self.width <= 2.0:
            raise ValueError(f"width must be between 0.05 and 2, not {self.width}")
        if self.head not in ("flatten", "mean") or self.fusion not in (1, 3):
            raise ValueError(f"unknown head {self.head!r} or fusion kernel {self.fusion!r}")
        if self.head == "flatten" and self.look_size != 224:
            raise ValueError("the flatten head is made for a look_size of 224")
        if not (8 <= self.look_size <= 1024 and 1 <= self.classes <= 100_000 and 0 <= self.bins <= 4096):
            raise ValueError(f"look_size, classes or bins out of range in {self}")
        if not 0.0 <= self.mean <= 1.0:
            raise ValueError(f"mean is a luma in [0, 1], not {self.mean}")
        if self.output not in ("regression", "bins", "mixed") or (self.output != "regression" and not self.bins):
            raise ValueError(f"output {self.output!r} needs a head the network does not have")
        if not 0.0 <= self.mix <= 1.0:
            raise ValueError(f"mix must be in [0, 1], not {self.mix}")
        if not 0.0 < self.temperature <= 1.0:
            raise ValueError(f"temperature must be in (0, 1], not {self.temperature}")

    def channels(self, published: int) -> int:
        """A published channel count at this width."""
        return max(1, round(published * self.width))


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
        return self.finish(self.linear(x))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias with the normalization folded in.

        s = gamma / sqrt(var + eps), W' = s·W, b' = s·(b - mean) + beta.
        """
        weight, bias = self.linear.weight.detach(), self.linear.bias
        assert bias is not None, "every layer of the paper has a bias"
        bias = bias.detach()
        if self.norm is None:
            return weight.clone(), bias.clone()
        mean, var = self.norm.running_mean, self.norm.running_var
        assert mean is not None, "the network keeps running statistics"
        assert var is not None, "the network keeps running statistics"
        s = self.norm.weight.detach() / torch.sqrt(var + self.norm.eps)
        shape = (-1,) + (1,) * (weight.dim() - 1)
        return weight * s.view(shape), s * (bias - mean) + self.norm.bias.detach()


class Network(nn.Module):
    """See the module docstring. Luma enters as Y' in [0, 1], shape (B, 1, H, W)."""

    centers: Tensor  # a*b* of the bins, (bins, 2)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        c, norm = config.channels, config.norm

        def conv(i: int, o: int, stride: int = 1, kernel: int = 3) -> Layer:
            return Layer(nn.Conv2d(i, o, kernel, stride, kernel // 2), norm)

        def linear(i: int, o: int) -> Layer:
            return Layer(nn.Linear(i, o), norm)

        self.low = nn.Sequential(
            conv(1, c(64), 2), conv(c(64), c(128)),
            conv(c(128), c(128), 2), conv(c(128), c(256)),
            conv(c(256), c(256), 2), conv(c(256), c(512)),
        )  # fmt: skip
        self.mid = nn.Sequential(conv(c(512), c(512)), conv(c(512), c(256)))
        self.wide = nn.Sequential(  # the global features' convolutions
            conv(c(512), c(512), 2), conv(c(512), c(512)), conv(c(512), c(512), 2), conv(c(512), c(512))
        )
        cells = 49 if config.head == "flatten" else 1
        self.scene = nn.Sequential(linear(c(512) * cells, c(1024)), linear(c(1024), c(512)))
        self.vector = linear(c(512), c(LOOK))
        self.classifier = nn.Sequential(linear(c(512), c(256)), nn.Linear(c(256), config.classes))
        self.fusion = conv(c(LOOK) + c(256), c(256), kernel=config.fusion)
        self.decode8 = conv(c(256), c(128))
        self.decode4 = nn.Sequential(conv(c(128), c(64)), conv(c(64), c(64)))
        self.decode2 = conv(c(64), c(32))
        self.out = nn.Conv2d(c(32), 2, 3, 1, 1)
        if config.bins:
            self.bins = nn.Sequential(conv(c(64), c(256)), nn.Conv2d(c(256), config.bins, 1))
            self.register_buffer("centers", torch.zeros(config.bins, 2))

    # --- the global half

    def look(self, whole: Tensor) -> tuple[Tensor, Tensor]:
        """The look of whole pictures and the features their scene is read from.

        whole: Y' in [0, 1], (B, 1, look_size, look_size); the mean head takes any multiple of 8.
        Returns (B, 256·width) and (B, 512·width); `classify` takes the second.
        """
        return self.look_of(self.low(whole - self.config.mean))

    def look_of(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """`look`, from low-level features that are there already (training shares them)."""
        x = self.wide(low)
        x = x.flatten(1) if self.config.head == "flatten" else x.mean((2, 3))
        scene = self.scene(x)
        return self.vector(scene), scene

    def classify(self, scene: Tensor) -> Tensor:
        """Scene logits (B, classes) from the second result of `look`."""
        return self.classifier(scene)

    # --- the local half

    def paint(self, part: Tensor, look: Tensor) -> Tensor:
        """Chroma of (parts of) pictures under a look.

        part: Y' in [0, 1], (B, 1, H, W), H and W multiples of 8. look: (B or 1, 256·width).
        Returns a*b* in [-100, 100] (bins: the hull of the bins), (B, 2, H/2, W/2).
        """
        low = self.low(part - self.config.mean)
        quarter, half = self.decode(low, look, half=self.config.output != "bins")
        regressed = None if half is None else (2 * by_blocks(torch.sigmoid, half) - 1) * AB_RANGE
        if self.config.output == "regression" and regressed is not None:
            return regressed
        chosen = F.interpolate(self.annealed_mean(self.bins(quarter)), scale_factor=2.0, mode="nearest")
        return chosen if regressed is None else torch.lerp(regressed.to(chosen), chosen, self.config.mix)

    def decode(self, low: Tensor, look: Tensor, half: bool = True) -> tuple[Tensor, Tensor | None]:
        """Decoder features at H/4, and (if asked) the output's logits at H/2."""
        x = self.decode8(self.fuse(self.mid(low), look))
        x = self.decode4(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        if not half:
            return x, None
        return x, self.out(self.decode2(F.interpolate(x, scale_factor=2.0, mode="nearest")))

    def fuse(self, mid: Tensor, look: Tensor) -> Tensor:
        """Join look and mid-level features (Eq. 5).

        With a 1x1 kernel the look's half of the weights sees the same vector everywhere, so it is a bias:
        W[g; m] = Wm·m + (b + Wg·g). A 3x3 kernel zero-pads the tiled look, so there the tiling is carried
        out.
        """
        conv = self.fusion.linear
        assert isinstance(conv, nn.Conv2d)
        n = look.shape[1]
        if self.config.fusion == 1:
            bias = F.linear(look, conv.weight[:, :n, 0, 0], conv.bias)
            return self.fusion.finish(F.conv2d(mid, conv.weight[:, n:]) + bias[:, :, None, None])
        tiled = look[:, :, None, None].expand(mid.shape[0], -1, *mid.shape[2:])
        return self.fusion(torch.cat([tiled, mid], 1))

    def annealed_mean(self, logits: Tensor) -> Tensor:
        """a*b* of bin logits (B, bins, h, w): the mean of the sharpened distribution (Zhang 2016, Eq. 5)."""
        kind = torch.promote_types(logits.dtype, torch.float32)  # half precisions are too coarse to sharpen
        p = torch.softmax(logits.to(kind) / self.config.temperature, 1)
        return torch.einsum("bqhw,qc->bchw", p, self.centers.to(kind))

    # --- inference form

    @torch.no_grad()
    def folded(self) -> Network:
        """A copy in evaluation mode with batch normalization folded into the weights."""
        copy = Network(replace(self.config, norm=False)).to(self.out.weight)
        mine = dict(self.named_modules())
        for name, module in copy.named_modules():
            twin = mine[name]
            if isinstance(module, Layer) and isinstance(twin, Layer):
                weight, bias = twin.folded()
                module.linear.weight.copy_(weight)
                assert module.linear.bias is not None
                module.linear.bias.copy_(bias)
        own = copy.state_dict()
        rest = {k: v for k, v in self.state_dict().items() if k in own and ".linear." not in k}
        copy.load_state_dict(own | rest)
        return copy.eval()
