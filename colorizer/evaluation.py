"""Evaluation: what weights are worth on pictures whose colors are known, beside two baselines.

Pictures are shown to the network whole, at the training set's 128 px; chroma takes the product's own way to the
picture (kept luma, guided upsampling), so the numbers are of what people get.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import imagecodecs
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer import dataset, quality
from colorizer.color import KeptLuma, rgb_to_lab
from colorizer.network import Network
from colorizer.upsample import guided_upsample

BATCH = 50


@dataclass(slots=True)
class Score:
    """Means over pictures. psnr: PSNR_RGB, dB. colorfulness: Hasler and Suesstrunk 2003. delta_e: CIEDE2000."""

    psnr: list[float] = field(default_factory=list)
    psnr_ab: list[float] = field(default_factory=list)
    colorfulness: list[float] = field(default_factory=list)
    delta_e: list[float] = field(default_factory=list)

    def add(self, rgb: np.ndarray, truth: np.ndarray) -> None:
        """One picture, R'G'B' in [0, 1], (H, W, 3)."""
        labs = [np.moveaxis(rgb_to_lab(torch.from_numpy(np.moveaxis(x, 2, 0))).numpy(), 0, 2) for x in (rgb, truth)]
        self.psnr.append(float(quality.psnr_rgb(rgb, truth)))
        self.psnr_ab.append(float(quality.psnr_ab(labs[0][..., 1:], labs[1][..., 1:])))
        self.colorfulness.append(float(quality.colorfulness(rgb * 255)))
        self.delta_e.append(float(quality.ciede2000(labs[0], labs[1]).mean()))

    def means(self) -> dict[str, float]:
        """Mean of each figure."""
        return {name: float(np.mean(getattr(self, name))) for name in ("psnr", "psnr_ab", "colorfulness", "delta_e")}


def pictures(sources: list[Path]) -> Iterator[tuple[np.ndarray, str | None]]:
    """Square 8-bit pictures (SIDE, SIDE, 3) and their classes; gray ones are left out as in training."""
    for source in sources:
        for name, data in dataset.members(source):
            try:
                rgb = imagecodecs.imread(data)
            except Exception:  # counted nowhere: an evaluation set is looked after, a codec's errors are its own
                continue
            if rgb.ndim == 3 and rgb.dtype == np.uint8 and rgb.shape[2] >= 3:
                square = next(dataset.squares(rgb[..., :3]))
                if dataset.refusal(rgb[..., :3], dataset.luma_ab(square)) is None:
                    yield square, dataset.class_of(name)


@torch.inference_mode()
def paint(network: Network, luma: Tensor) -> tuple[Tensor, Tensor]:
    """R'G'B' in [0, 1], (B, 3, H, W), of Y' (B, 1, H, W), and scene logits."""
    size = (network.config.look_size,) * 2
    whole = F.interpolate(luma, size, mode="bilinear", antialias=True) if luma.shape[2:] != size else luma
    look, scene = network.look(whole)
    ab = network.paint(luma, look)
    solver = KeptLuma("bt601")
    cb, cr = solver.solve(F.avg_pool2d(luma, 2)[:, 0], ab[:, 0], ab[:, 1])
    planes = guided_upsample(torch.stack([cb, cr], 1), luma)
    cb, cr = solver.fit(luma[:, 0], planes[:, 0], planes[:, 1])
    return solver.show(luma[:, 0], cb, cr).permute(1, 0, 2, 3).clamp(0, 1), network.classify(scene)


def evaluate(network: Network, sources: list[Path], classes: tuple[str, ...], limit: int = 0) -> dict[str, object]:
    """Figures of a network and of the baselines `gray` and `truth` on the first `limit` pictures (0: all)."""
    ours, gray, truth = Score(), Score(), Score()
    right: list[tuple[bool, bool]] = []
    batch: list[tuple[np.ndarray, str | None]] = []

    def work() -> None:
        rgb = torch.from_numpy(np.stack([p for p, _ in batch])).permute(0, 3, 1, 2).float() / 255
        weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        luma = ((rgb * weights).sum(1, keepdim=True) * 255).round() / 255
        painted, logits = paint(network, luma)
        for i, (_, name) in enumerate(batch):
            wanted = rgb[i].permute(1, 2, 0).numpy()
            ours.add(painted[i].permute(1, 2, 0).numpy(), wanted)
            gray.add(luma[i].expand(3, -1, -1).permute(1, 2, 0).numpy(), wanted)
            truth.colorfulness.append(float(quality.colorfulness(wanted * 255)))
            if name in classes:
                best = logits[i].topk(min(5, logits.shape[1])).indices.tolist()
                right.append((best[0] == classes.index(name), classes.index(name) in best))
        batch.clear()

    for number, item in enumerate(pictures(sources)):
        if limit and number >= limit:
            break
        batch.append(item)
        if len(batch) == BATCH:
            work()
    if batch:
        work()
    mine, none = ours.means(), gray.means()
    actual = float(np.mean(truth.colorfulness))
    return {
        "pictures": len(ours.psnr),
        "psnr_rgb": round(mine["psnr"], 3),
        "psnr_rgb_gray": round(none["psnr"], 3),
        "psnr_gain": round(mine["psnr"] - none["psnr"], 3),
        "psnr_ab": round(mine["psnr_ab"], 3),
        "psnr_ab_gray": round(none["psnr_ab"], 3),
        "delta_e2000": round(mine["delta_e"], 3),
        "delta_e2000_gray": round(none["delta_e"], 3),
        "colorfulness": round(mine["colorfulness"], 2),
        "colorfulness_truth": round(actual, 2),
        "colorfulness_ratio": round(mine["colorfulness"] / actual, 3),
        "scene_top1": round(float(np.mean([a for a, _ in right])), 3) if right else None,
        "scene_top5": round(float(np.mean([b for _, b in right])), 3) if right else None,
    }
