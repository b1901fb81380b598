"""The network `lite`: the look and the painting of Iizuka 2016 over an encoder that has seen a million photographs.

The encoder is EfficientNet-Lite0 (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", ICML 2019; the variant without squeeze-and-excitation, with ReLU6, by the same authors), batch normalization
folded, its stem fed with one gray plane. From the 2016 paper come the split into look and painting, the look as a bias
(Eq. 5), the two shared early stages of both branches and the scene classifier; from Zhang, Isola and Efros (ECCV 2016)
the chroma bins. The decoder is this project's own.

Early stages (stem to S3) serve both branches and stay as they came. The look reads S4 to S7 and the head of the whole
picture; painting reads S4 and S5 of its own, which may learn, beside S1, S2 and S3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.networks.fused import rectified
from colorizer.networks.protocol import Guess, Halo, Joint, Layer, Network, fold_into

LOOK = 256
GIST = 1280
MEAN = 127 / 255
"""The encoder was trained on (x - 127) / 128 of codes x in 0..255; 255 / 128 is in the stem's weights, but 127 is
subtracted from the picture, since the stem's zero padding follows it."""

STAGES = (
    # blocks, widening, kernel, stride, channels in, channels out
    (1, 1, 3, 1, 32, 16),
    (2, 6, 3, 2, 16, 24),
    (2, 6, 5, 2, 24, 40),
    (3, 6, 3, 2, 40, 80),
    (3, 6, 5, 1, 80, 112),
    (4, 6, 5, 2, 112, 192),
    (1, 6, 3, 1, 192, 320),
)
"""S1 to S7 of EfficientNet-Lite0."""


@dataclass(frozen=True, slots=True)
class LiteConfig:
    """Everything needed to build the network, apart from its numbers.

    classes: scene classes of the classifier
    look_size: side in pixels at which the whole picture is looked at; knowledge, see the card
    norm: batch normalization of the decoder present (training) or folded (inference); the encoder has none
    bins: chroma bins of the classification head; 0 in files that paint by regression alone
    output, mix, temperature: as in the 2016 network's configuration
    """

    architecture: ClassVar[str] = "lite"
    grid: ClassVar[int] = 16
    stride: ClassVar[int] = 2
    halo: ClassVar[Halo] = Halo(192, 208)
    look_length: ClassVar[int] = LOOK
    bytes_per_pixel: ClassVar[int] = 390

    classes: int = 100
    look_size: int = 192
    norm: bool = True
    bins: int = 313
    output: Literal["regression", "bins", "mixed"] = "mixed"
    mix: float = 0.5
    temperature: float = 0.38

    def __post_init__(self) -> None:
        if not (32 <= self.look_size <= 1024 and self.look_size % 32 == 0):
            raise ValueError(f"look_size is a multiple of 32 up to 1024, not {self.look_size}")
        if not (1 <= self.classes <= 100_000 and 0 <= self.bins <= 4096):
            raise ValueError(f"classes or bins out of range in {self}")
        if self.output not in ("regression", "bins", "mixed") or (self.output != "regression" and not self.bins):
            raise ValueError(f"output {self.output!r} needs a head the network does not have")
        if not 0.0 <= self.mix <= 1.0:
            raise ValueError(f"mix must be in [0, 1], not {self.mix}")
        if not 0.0 < self.temperature <= 1.0:
            raise ValueError(f"temperature must be in (0, 1], not {self.temperature}")

    def build(self) -> Lite:
        """The network, with random numbers."""
        return Lite(self)


class Conv(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME does on even sides: at stride 2 the odd pixel comes after."""

    def __init__(self, i: int, o: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(i, o, kernel, stride, 0 if stride == 2 else kernel // 2, groups=groups)
        self.uneven = (kernel // 2 - 1, kernel // 2) * 2 if stride == 2 else None

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.padded(x))

    def padded(self, x: Tensor) -> Tensor:
        """With the zeros that come after."""
        return x if self.uneven is None else F.pad(x, self.uneven)

    def relu6(self, x: Tensor) -> Tensor:
        """The convolution, between 0 and 6."""
        return rectified(self, self.padded(x), 6.0)


class Block(nn.Module):
    """Inverted residual: 1 x 1 wider (unless times is 1), depthwise, 1 x 1 narrow; added to its input where it fits."""

    def __init__(self, i: int, o: int, times: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = i * times
        self.expand = Conv(i, wide, 1) if times > 1 else None
        self.depth = Conv(wide, wide, kernel, stride, wide)
        self.project = Conv(wide, o, 1)
        self.skip = stride == 1 and i == o

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand.relu6(x)
        y = self.project(self.depth.relu6(y))
        return y + x if self.skip else y


def stage(number: int) -> nn.Sequential:
    """S1 to S7."""
    count, times, kernel, stride, i, o = STAGES[number - 1]
    first, more = Block(i, o, times, kernel, stride), (Block(o, o, times, kernel, 1) for _ in range(count - 1))
    return nn.Sequential(first, *more)


class Early(nn.Module):
    """Stem to S3, from gray: maps at 1/2 (16 channels), 1/4 (24) and 1/8 (40)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(1, 32, 3, 2)
        self.s1, self.s2, self.s3 = stage(1), stage(2), stage(3)

    def forward(self, luma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        half = self.s1(self.stem.relu6(luma - MEAN))
        quarter = self.s2(half)
        return half, quarter, self.s3(quarter)


class Lite(Network):
    """See the module docstring."""

    config: LiteConfig
    gist_length = GIST

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.config = config

        def conv(i: int, o: int, kernel: int = 1) -> Layer:
            return Layer(nn.Conv2d(i, o, kernel, 1, kernel // 2), config.norm)

        self.early = Early()
        self.late = nn.Sequential(*(stage(n) for n in (4, 5, 6, 7)))
        self.head = Conv(320, GIST, 1)
        self.scene = Layer(nn.Linear(GIST, 384), config.norm)
        self.vector, self.classifier = nn.Linear(384, LOOK), nn.Linear(384, config.classes)
        self.deep = nn.Sequential(stage(4), stage(5))
        self.fusion = Joint(nn.Conv2d(LOOK + 112, 128, 1), config.norm)
        self.decode16 = conv(128, 128, 3)
        self.join8, self.decode8 = conv(40, 48), conv(128 + 48, 96, 3)
        self.join4, self.decode4 = conv(24, 32), conv(96 + 32, 64, 3)
        self.down = nn.Conv2d(64, 24, 1, bias=False)
        self.edges, self.out = conv(16, 24, 3), nn.Conv2d(24, 2, 3, 1, 1)
        if config.bins:
            self.bins = nn.Sequential(conv(64, 128), nn.Conv2d(128, config.bins, 1))
            self.register_buffer("centers", torch.zeros(config.bins, 2))

    # --- the look

    def gist(self, whole: Tensor) -> Tensor:
        """The encoder's 1280 numbers of whole pictures, means over the picture."""
        return self.head.relu6(self.late(self.early(whole)[2])).mean((2, 3))

    def look(self, whole: Tensor) -> tuple[Tensor, Tensor]:
        """The look of whole pictures, (B, 256), and the features their scene is read from, (B, 384)."""
        scene = self.scene(self.gist(whole))
        return self.vector(scene), scene

    def classify(self, scene: Tensor) -> Tensor:
        """Scene logits (B, classes) from the second result of `look`."""
        return self.classifier(scene)

    # --- painting

    def paint(self, part: Tensor, look: Tensor) -> Tensor:
        """Chroma of (parts of) pictures under a look; sides are multiples of 16."""
        maps = self.early(part)
        quarter, half = self.decode(maps, self.deep(maps[2]), look, half=self.config.output != "bins")
        return self.chroma(quarter, half)

    def decode(
        self, maps: tuple[Tensor, Tensor, Tensor], deep: Tensor, look: Tensor, half: bool = True
    ) -> tuple[Tensor, Tensor | None]:
        """Decoder features at H/4 and (if asked) the output's logits at H/2, from maps at 1/2 to 1/8 and at 1/16."""
        x = self.decode16(self.fusion(deep, look))
        x = self.decode8(torch.cat([_twice(x), self.join8(maps[2])], 1))
        x = self.decode4(torch.cat([_twice(x), self.join4(maps[1])], 1))
        if not half:
            return x, None
        return x, self.out(self.edges.finish(_twice(self.down(x)) + self.edges.linear(maps[0])))

    # --- training and the file

    def guess(self, luma: Tensor, gist: Tensor | None = None) -> Guess:
        """Everything that is learnt from; no gradient enters what `thaw` left frozen."""
        luma = luma.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            maps = self.early(luma)
            gist = self.gist(luma) if gist is None else gist
        scene = self.scene(gist)
        deep = self.deep(maps[2])  # keeps nothing for a gradient while it is frozen
        quarter, half = self.decode(maps, deep, self.vector(scene[: len(luma)]))
        assert half is not None
        return Guess(quarter, half, scene)

    def encoder(self) -> list[nn.Parameter]:
        """The 1 x 1 convolutions of painting's S4 and S5.

        The gradient of depthwise weights takes a CPU longer than all the rest of the encoder's, and there are few.
        """
        return [p for name, p in self.deep.named_parameters() if ".depth." not in name]

    def beside(self) -> dict[str, list[nn.Parameter]]:
        """`edges` adds what `down` brings from the quarter-size map."""
        return {"edges": list(self.down.parameters())}

    def thaw(self, learning: bool) -> None:
        """Freeze what came with the encoder, all of it or all but `encoder`."""
        for part in (self.early, self.late, self.head, self.deep):
            part.requires_grad_(False)
        for parameter in self.encoder():
            parameter.requires_grad_(learning)

    def folded(self) -> Lite:
        """A copy in evaluation mode with the decoder's batch normalization folded into the weights."""
        copy = Lite(replace(self.config, norm=False)).to(self.out.weight)
        fold_into(copy, self)
        with torch.no_grad():  # two maps are added before the normalization of `edges`, so both are scaled
            copy.down.weight.copy_(self.down.weight * self.edges.scale().view(-1, 1, 1, 1))
        return copy.eval()

    def unused(self) -> tuple[str, ...]:
        """The last layers of the regression head, where the output is read from the bins alone."""
        return ("down.", "edges.", "out.") if self.config.output == "bins" else ()


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
