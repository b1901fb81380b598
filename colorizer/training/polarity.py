"""Teaches the detector of negatives: training pictures as they are, and as negatives of many kinds, one or the other.

Either is worn or not, printed hard or soft, dark or light, and may have an edge: a print's margin and a holder's mask
say nothing, and lie around both; film's rebate, clear with perforations around a negative and black around its print,
tells. `python -m tests.negatives` does it in some ten minutes of one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.basis.light import LUMA_WEIGHTS
from colorizer.painting.polarity import SIDE, Detector, either_way
from colorizer.training.aging import age, orthochromatic
from colorizer.training.picture_files import members, rgb_of

CACHED = 96
BATCH, WORN = 128, 40
"""Pictures of a batch, and how many of them are worn."""
RATE = 3e-3
EDGED, REBATE, CLEAR, LYING = 0.3, 0.5, 0.04, 0.1
"""Shares: of pictures that have an edge, of edges that are film's, of positive film's edges that are clear, and of
batches that lie on their side."""


def load(sources: Sequence[Path], count: int, cache: Path) -> np.ndarray:
    """The first pictures of shards, uint8 (n, 2, CACHED, CACHED): Y' and the gray of an orthochromatic emulsion.

    They are squeezed to squares, as whatever is looked at is. cache: a file, read if it exists, else written.
    """
    if cache.exists():
        found: np.ndarray = np.load(cache, mmap_mode="r")
        return found
    pictures = (rgb_of(data) for source in sources for _, data in islice(members(source), -(-count // len(sources))))
    planes = np.stack([_grays(rgb) for rgb in pictures if rgb is not None])
    np.save(cache, planes)
    return planes


def _grays(rgb: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    x = F.interpolate(x, (CACHED, CACHED), mode="bilinear", antialias=True, align_corners=False)[0]
    luma = sum(weight * plane for weight, plane in zip(LUMA_WEIGHTS["bt601"], x, strict=True))
    both = torch.stack([torch.as_tensor(luma), orthochromatic(x)])
    return (both * 255).round().clamp(0, 255).byte().numpy()


def pictures(planes: np.ndarray, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches (BATCH, 1, SIDE, SIDE) in [0, 1] without end: parts of pictures, mirrored, squeezed, a third of them
    worn, one batch in ten lying on its side.

    planes: as of `load`.
    """
    side = planes.shape[-1]
    while True:
        for rows in torch.randperm(len(planes), generator=generator).split(BATCH):  # type: ignore[no-untyped-call]
            if len(rows) < BATCH:
                continue
            both = torch.from_numpy(planes[rows.numpy()]).float() / 255
            h, w = (int(torch.randint(int(0.6 * side), side + 1, (), generator=generator)) for _ in range(2))
            y, x = (int(torch.randint(0, side - s + 1, (), generator=generator)) for s in (h, w))
            both = F.interpolate(both[..., y : y + h, x : x + w], (SIDE, SIDE), mode="bilinear", antialias=True)
            mirrored, lying = torch.rand(2, generator=generator).tolist()
            both = both.flip(3) if mirrored < 0.5 else both
            both = both.mT if lying < LYING else both
            clean, ortho = both[:, :1], both[:, 1:]
            yield torch.cat([clean[WORN:], _worn(clean[:WORN], ortho[:WORN], generator)])


def _worn(clean: Tensor, ortho: Tensor, generator: torch.Generator) -> Tensor:
    """More or less: wear is made for pictures twice as large, and small ones stand for large ones here."""
    return torch.lerp(clean, age(clean, ortho, 1, generator), _uniform(clean, 0, 1, generator))


def printed(x: Tensor, generator: torch.Generator) -> Tensor:
    """Positives in many tones. x: (B, 1, H, W) in [0, 1]."""
    return _ranged(x.clamp(1e-3, 1) ** torch.exp(_uniform(x, -0.8, 0.8, generator)), generator)


def exposed(x: Tensor, generator: torch.Generator) -> Tensor:
    """Negatives: samples turned around, or light through film whose density grows with the exposure's logarithm."""
    plain = 1 - printed(x, generator)
    fog = _uniform(x, 0.01, 0.12, generator)
    film = (x.clamp_min(0) + fog) ** -_uniform(x, 0.25, 0.95, generator)
    return torch.where(_uniform(x, 0, 1, generator) < 0.4, plain, _ranged(film, generator))


def _uniform(x: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(len(x), 1, 1, 1, generator=generator)


def _ranged(x: Tensor, generator: torch.Generator) -> Tensor:
    """Stretched to black and white as a scanner does, or to less, or with a little clipped."""
    flat = x[..., ::3, ::3].flatten(1).sort(1).values
    cut = int(0.005 * flat.shape[1])
    low, high = (flat[:, i].view(-1, 1, 1, 1) for i in (cut, -1 - cut))
    span = _uniform(x, 0.45, 1.1, generator)
    base = (1 - span) * _uniform(x, 0, 1, generator)
    return (base + (x - low) / (high - low).clamp_min(1e-3) * span).clamp(0, 1)


def edged(x: Tensor, negative: Tensor, generator: torch.Generator) -> Tensor:
    """Some pictures with an edge. negative: (B,), bool."""
    out = x.clone()
    for i in torch.nonzero(torch.rand(len(x), generator=generator) < EDGED)[:, 0].tolist():
        rebate = bool(torch.rand((), generator=generator) < REBATE)
        shape = torch.rand(4, generator=generator)
        width = (SIDE * (0.03 + shape * (0.15 if rebate else 0.09))).int().tolist()
        if shape[0] < 0.5:
            width[2] = width[3] = int(shape[3] * 0.05 * SIDE)  # above and below alone
        top, bottom, left, right = width
        inner = F.interpolate(x[i : i + 1], (SIDE - top - bottom, SIDE - left - right), mode="bilinear", antialias=True)
        frame = _rebate(top, bottom, bool(negative[i]), generator) if rebate else _margin(generator)
        frame[:, top : SIDE - bottom, left : SIDE - right] = inner[0]
        out[i] = frame
    return out.mT if torch.rand((), generator=generator) < LYING else out


def _margin(generator: torch.Generator) -> Tensor:
    """White paper, a black mask, or some gray between, of one level."""
    level, kind = torch.rand(2, generator=generator).tolist()
    level = 0.08 * level if kind < 0.45 else 1 - 0.12 * level if kind < 0.9 else level
    return torch.full((1, SIDE, SIDE), level)


def _rebate(top: int, bottom: int, negative: bool, generator: torch.Generator) -> Tensor:
    """The clear edge of a negative's film, with perforations through which the lamp shines, and dark print; of a
    positive the black one of slides and contact prints, or seldom a clear one.
    """
    base, pitch, share, print_, kind = torch.rand(5, generator=generator).tolist()
    clear = negative or kind < CLEAR
    base, hole, ink = (0.78 + 0.2 * base, 1.0, 0.2) if clear else (0.15 * base, float(kind < 0.5), 0.8)
    frame = torch.full((1, SIDE, SIDE), base) + 0.01 * torch.randn(1, SIDE, SIDE, generator=generator)
    period = SIDE * (0.06 + 0.14 * pitch)
    holes = ((torch.arange(SIDE) / period) % 1) < 0.35 + 0.25 * share
    for rows in (slice(top // 4, top - top // 4 or 1), slice(SIDE - bottom + bottom // 4, SIDE - bottom // 4)):
        frame[:, rows] = torch.where(holes, torch.tensor(hole), frame[:, rows])
    if print_ < 0.5 and top > 5:
        frame[:, top - 2 : top - 1, :: SIDE // 10] = ink
    return frame


def teach(
    planes: np.ndarray, minutes: float, seed: int = 0, report: Callable[[str], None] = lambda _: None
) -> Detector:
    """A detector that has learnt for so long. planes: as of `load`. report: told now and then how it goes."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    detector: Detector = Detector().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(detector.parameters(), RATE, weight_decay=0.01)
    begun, last, losses = time.monotonic(), 0.0, []
    for number, batch in enumerate(pictures(planes, generator)):
        share = (time.monotonic() - begun) / (60 * minutes)
        if share >= 1:
            break
        optimizer.param_groups[0]["lr"] = RATE * min(1, 20 * share) * (1 - share) + 1e-6
        negative = torch.rand(len(batch), generator=generator) < 0.5
        tones = torch.where(negative.view(-1, 1, 1, 1), exposed(batch, generator), printed(batch, generator))
        x = edged(tones, negative, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            found = detector(x)
        loss = F.binary_cross_entropy_with_logits(found.float(), negative.float())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
        if share - last > 0.05:
            report(f"{number} batches, loss {np.mean(losses[-200:]):.4f}")
            last = share
    return detector.eval()


def held_out(planes: np.ndarray, seed: int = 1) -> dict[str, np.ndarray]:
    """Pictures to measure by, float32 (n, 1, SIDE, SIDE) each: as they are, turned around, as a camera's negative.

    planes: as of `load`. Every other picture is worn. A camera's negative is its code to the power of -0.35 to -0.9,
    stretched: what the training's own curves are not.
    """
    generator = torch.Generator().manual_seed(seed)
    x, ortho = (torch.from_numpy(np.array(planes[:, i : i + 1])).float() / 255 for i in range(2))
    x[1::2] = age(x[1::2], ortho[1::2], 1, generator)
    x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)
    film = x.clamp_min(1 / 255) ** -_uniform(x, 0.35, 0.9, generator)
    low, high = (torch.quantile(film.flatten(1), q, 1).view(-1, 1, 1, 1) for q in (0.005, 0.995))
    camera = ((film - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    return {"as they are": x.numpy(), "turned around": 1 - x.numpy(), "camera's": camera.numpy()}


@torch.inference_mode()
def _said(detector: Detector, pictures: np.ndarray) -> np.ndarray:
    said: np.ndarray = either_way(detector, torch.from_numpy(pictures)).numpy()
    return said


def measured(detector: Detector, planes: np.ndarray, mistaken: float = 0.005) -> str:
    """What of held-out pictures is found at the evidence above which only this share of positives lies, in words."""
    found = {
        name: np.concatenate([_said(detector, pictures[i : i + BATCH]) for i in range(0, len(pictures), BATCH)])
        for name, pictures in held_out(planes).items()
    }
    enough = float(np.quantile(found["as they are"], 1 - mistaken))
    right = [(found["as they are"] <= 0).mean(), (found["turned around"] > 0).mean(), (found["camera's"] > 0).mean()]
    shares = ", ".join(f"{name} {(values > enough).mean():.1%}" for name, values in found.items())
    return f"above {enough:.2f}: {shares}; above 0 right of {', '.join(f'{share:.1%}' for share in right)}"
