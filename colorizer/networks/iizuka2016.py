"""The network of Iizuka, Simo-Serra and Ishikawa, "Let there be Color!" (SIGGRAPH 2016), Table 1.

Low-level features are shared by two branches: a global one that reduces the whole picture to 256 numbers (the
*look*) and a local one that keeps positions (mid-level features). The fusion layer joins them (Eq. 5), the
colorization layers turn the result into a*b* at half the picture's size.

The class is split where the paper's style transfer splits it: `look(whole)` and `paint(part, look)`. One look
serves all frames of a shot and all tiles of a scan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.networks.protocol import Guess, Halo, Layer, Network, fold_into

LOOK = 256
"""Length of the look at full width; narrower networks scale it like every other channel count."""

HALOS = {1: Halo(64, 56), 3: Halo(72, 64)}
"""Halo by fusion kernel. An aligned 8-pixel cell of the picture decides its chroma from 61 pixels before it and 54
after it (69 and 62 with the 3x3 fusion): the three stride-2 convolutions sample even positions, so it is lopsided. Both
heads reach equally far: beyond the quarter-size features the regression head has two 3x3 convolutions at half size, the
bins head one at quarter size."""


@dataclass(frozen=True, slots=True)
class Iizuka2016Config:
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

    architecture: ClassVar[str] = "iizuka2016"
    grid: ClassVar[int] = 8
    stride: ClassVar[int] = 2
    bytes_per_pixel: ClassVar[int] = 200

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

    @property
    def look_length(self) -> int:
        """Numbers in a look."""
        return self.channels(LOOK)

    @property
    def halo(self) -> Halo:
        """The smallest halo with which tiles are exact."""
        return HALOS[self.fusion]

    def build(self) -> Iizuka2016:
        """The network, with random numbers."""
        return Iizuka2016(self)


class Iizuka2016(Network):
    """See the module docstring."""

    config: Iizuka2016Config

    def __init__(self, config: Iizuka2016Config) -> None:
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
        return self.chroma(quarter, half)

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

    # --- training and the file

    def guess(self, luma: Tensor, gist: Tensor | None = None) -> Guess:
        """Everything that is learnt from; the low-level features are shared, as published for 224 px."""
        low = self.low((luma - self.config.mean).contiguous(memory_format=torch.channels_last))
        look, scene = self.look_of(low)
        quarter, half = self.decode(low, look)
        assert half is not None
        return Guess(quarter, half, scene)

    def folded(self) -> Iizuka2016:
        """A copy in evaluation mode with batch normalization folded into the weights."""
        copy = Iizuka2016(replace(self.config, norm=False)).to(self.out.weight)
        fold_into(copy, self)
        return copy.eval()

    def unused(self) -> tuple[str, ...]:
        """The last layers of the regression head, where the output is read from the bins alone."""
        return ("decode2.", "out.") if self.config.output == "bins" else ()
