"""Evaluation: what weights are worth on pictures whose colors are known, beside two baselines.

Pictures are shown to the network whole, at the training set's 128 px; chroma takes the product's own way to the
picture (kept luma, guided upsampling), so the numbers are of what people get.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.color.upsample import guided_upsample
from colorizer.measures.score import BLUE, LUMA, LumaTable, Tally, Truth, nearest_bins
from colorizer.networks import bins
from colorizer.networks.protocol import Network
from colorizer.training import picture_files

BATCH = 50
WORSE = 3.0
"""A picture whose mean deltaE2000 is above gray's by more than this is one that coloring spoiled."""
RARITY_FLOOR = 1e-6
"""Uniform share in the weights of the rebalanced AuC, which has none: it keeps bins that never occur finite."""


def pictures(sources: Sequence[Path], left_out: Counter[str] | None = None) -> Iterator[tuple[np.ndarray, str | None]]:
    """Square 8-bit pictures (SIDE, SIDE, 3) and their classes; what is left out, as in training, is counted.

    sources: tar shards and folders. Raises TrainingError for what is neither.
    """
    for source in sources:
        for name, data in picture_files.members(source):
            rgb = picture_files.rgb_of(data)
            why = "unreadable" if rgb is None else without_truth(rgb)
            if rgb is not None and why is None:
                yield next(picture_files.squares(rgb)), picture_files.class_of(name)
            elif left_out is not None and why is not None:
                left_out[why] += 1


def without_truth(rgb: np.ndarray) -> str | None:
    """Why a picture's colors are no truth to measure against ("gray", "tinted", "tiny"), or None."""
    return picture_files.refusal(rgb, picture_files.planes_of(next(picture_files.squares(rgb))))


@torch.inference_mode()
def paint(network: Network, luma: Tensor) -> tuple[Tensor, Tensor]:
    """R'G'B' in [0, 1], (B, 3, H, W), of Y' (B, 1, H, W), and scene logits."""
    size = (network.config.look_size,) * 2
    whole = F.interpolate(luma, size, mode="bilinear", antialias=True) if luma.shape[2:] != size else luma
    look, scene = network.look(whole)
    ab = network.paint(luma, look)
    cb, cr = LUMA.solve(F.avg_pool2d(luma, network.config.stride)[:, 0], ab[:, 0], ab[:, 1])
    planes = guided_upsample(torch.stack([cb, cr], 1), luma)
    cb, cr = LUMA.fit(luma[:, 0], planes[:, 0], planes[:, 1])
    return LUMA.show(luma[:, 0], cb, cr).permute(1, 0, 2, 3).clamp(0, 1), network.classify(scene)


def luma_tables(sources: Sequence[Path], limit: int, prior: Sequence[Path]) -> tuple[LumaTable, LumaTable]:
    """The mean-color tables for even and for odd pictures; see `evaluate`."""
    tables = LumaTable(), LumaTable()
    for number, (square, _) in enumerate(islice(pictures(prior or sources), None if prior else limit or None)):
        # a prior teaches both; else each half is measured with what the other half taught
        for table in tables if prior else (tables[1 - number % 2],):
            table.add(picture_files.planes_of(square))
    return tables


def evaluate(
    network: Network, sources: Sequence[Path], classes: tuple[str, ...], limit: int = 0, prior: Sequence[Path] = (),
    report: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Figures of a network and its baselines on the first `limit` color pictures (0: all), ready for JSON.

    sources: tar shards and folders of class-named folders. classes: scene names in the network's order. Returns
    "pictures", "left_out" (reason -> count), "labeled" (pictures of a known class), and per figure its columns:
    "ours", "gray", "mean_color" (the mean a*b* of the pixel's luma code) and, where it has one, "truth". The mean
    colors are learnt from `prior`, best the training pictures; without, from the even pictures for the odd ones and
    from the odd ones for the even. Means of a*b* and how many pictures are blue have a truth too. The
    rebalanced AuC weighs a pixel by 1 / p of its true bin, p over the measured
    pictures, smoothed. Only the counts come back when no picture has color. A figure that is not finite is None.
    report: told how many pictures are measured. Raises TrainingError for a source that is no folder or shard.
    """
    left_out: Counter[str] = Counter()
    shown = [table.shown() for table in luma_tables(sources, limit, prior)]
    tallies = {"ours": Tally(), "mean_color": Tally(), "gray": Tally()}
    true_colorfulness: list[float] = []
    true_means: list[np.ndarray] = []
    histogram = np.zeros(65536, np.int64)
    hits: list[tuple[bool, bool]] = []
    device = next(network.parameters()).device
    measured = islice(pictures(sources, left_out), limit or None)
    while batch := list(islice(measured, BATCH)):
        luma = np.stack([picture_files.planes_of(square)[0] for square, _ in batch])
        painted, logits = paint(network, torch.from_numpy(luma)[:, None].to(device).float() / 255)
        ranks = logits.topk(min(5, logits.shape[1])).indices.tolist()
        for i, (square, name) in enumerate(batch):
            truth = Truth.of(square)
            tallies["ours"].add(painted[i].permute(1, 2, 0).cpu().numpy(), truth)
            tallies["mean_color"].add(shown[len(true_colorfulness) % 2][luma[i]], truth)
            tallies["gray"].add(np.repeat(luma[i][..., None] / 255.0, 3, 2), truth)
            true_colorfulness.append(truth.colorfulness)
            true_means.append(truth.lab[..., 1:].mean((0, 1)))
            histogram += np.bincount(truth.codes.ravel(), minlength=65536)
            if name in classes:
                label = classes.index(name)
                hits.append((ranks[i][0] == label, label in ranks[i]))
        report(len(true_colorfulness))
    counts = {"pictures": len(true_colorfulness), "left_out": dict(left_out), "labeled": len(hits)}
    if not true_colorfulness:
        return counts
    weights = bins.rebalancing(histogram, nearest_bins()[0], RARITY_FLOOR).numpy()
    gray = tallies["gray"].column("delta_e2000")
    columns = {name: {**tally.figures(weights), **_beside(tally, gray)} for name, tally in tallies.items()}
    means = np.array(true_means)
    true = {
        "colorfulness": float(np.mean(true_colorfulness)), "mean_a": float(means[:, 0].mean()),
        "mean_b": float(means[:, 1].mean()), "blue_pictures": float((means[:, 1] < BLUE).sum()),
    }  # fmt: skip
    return {**counts, **_by_figure(columns, true, hits)}


def _beside(tally: Tally, gray: np.ndarray) -> dict[str, float]:
    """How often the mean deltaE2000 of a picture is below gray's, and above it by more than WORSE; shares."""
    difference = tally.column("delta_e2000") - gray
    return {"nearer_than_gray": float((difference < 0).mean()), "worse_than_gray": float((difference > WORSE).mean())}


def _by_figure(
    columns: dict[str, dict[str, float]], truth: dict[str, float], hits: list[tuple[bool, bool]]
) -> dict[str, Any]:
    """Figure -> column -> value, rounded to what means something."""
    table: dict[str, dict[str, float]] = {}
    for figure in columns["ours"]:
        table[figure] = {name: values[figure] for name, values in columns.items()}
    for figure, value in truth.items():
        table[figure]["truth"] = value
    colorful = truth["colorfulness"]
    table["colorfulness_ratio"] = {name: values["colorfulness"] / colorful for name, values in columns.items()}
    if hits:
        table["scene_top1"], table["scene_top5"] = ({"ours": float(share)} for share in np.mean(hits, 0))
    return {
        figure: {name: round(value, 4) if math.isfinite(value) else None for name, value in values.items()}
        for figure, values in table.items()
    }
