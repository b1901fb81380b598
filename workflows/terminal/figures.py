"""Tables of an evaluation's figures, for reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from pipeline.values.words import counted

PICTURES = {
    "psnr_rgb": ("PSNR RGB, dB", 1, 2),
    "psnr_ab": ("PSNR a*b*, dB (of 255)", 1, 2),
    "ssim": ("SSIM", 1, 4),
    "delta_e2000": ("deltaE2000, mean", 1, 2),
    "delta_e2000_p95": ("deltaE2000, 95 %", 1, 2),
    "nearer_than_gray": ("nearer than gray, %", 100, 1),
    "worse_than_gray": ("worse than gray by > 3, %", 100, 1),
    "auc": ("AuC, %", 1, 2),
    "auc_rebalanced": ("AuC rebalanced, %", 1, 2),
    "colorfulness": ("colorfulness", 1, 2),
    "colorfulness_ratio": ("its share of the truth's", 1, 3),
    "colorfulness_error": ("its error, mean", 1, 2),
    "mean_a": ("a*, mean", 1, 2),
    "mean_b": ("b*, mean", 1, 2),
    "blue_pictures": ("pictures with mean b* < -5", 1, 0),
    "patch_score": ("chroma in smooth luma / truth", 1, 3),
    "invented_edges": ("invented edges, % of smooth", 100, 2),
    "scene_top1": ("scene top 1, %", 100, 1),
    "scene_top5": ("scene top 5, %", 100, 1),
}
"""Figure -> its name on paper, the factor it is shown with, digits after the point."""

CLIPS = {
    "cdc": ("CDC x 1000", 1000, 3),
    "warp_error": ("warp error x 1000", 1000, 4),
    "warp_error_ab": ("warp error a*b* x 1000", 1000, 4),
    "flicker": ("flicker, a*b*", 1, 3),
    "colorfulness": ("colorfulness", 1, 2),
}

PICTURE_COLUMNS = {"ours": "ours", "mean_color": "mean color", "gray": "gray", "truth": "truth"}
CLIP_COLUMNS = {"per_shot": "look a shot", "per_frame": "look a frame", "truth": "truth", "gray": "gray"}


def picture_table(figures: Mapping[str, Any]) -> Table:
    """Of what `evaluation.evaluate` returns."""
    dropped = ", ".join(f"{count} {why}" for why, count in figures["left_out"].items())
    caption = f"{counted(figures['pictures'], 'picture')}" + (f"; left out: {dropped}" if dropped else "")
    return _table("figure", figures, PICTURES, PICTURE_COLUMNS, caption)


def clip_table(name: str, figures: Mapping[str, Any]) -> Table:
    """Of what `clips.measure` returns."""
    wide, high = figures["size"]
    stop = figures["start"] + figures["frames"]
    caption = f"frames {figures['start']} to {stop} at {wide} x {high}; {figures['followed']:.0%} of motion followed"
    return _table(name, figures, CLIPS, CLIP_COLUMNS, caption)


def _table(
    title: str, figures: Mapping[str, Any], rows: Mapping[str, tuple[str, int, int]], columns: Mapping[str, str],
    caption: str,
) -> Table:  # fmt: skip
    table = Table(caption=caption, caption_justify="left")
    table.add_column(Text(title), overflow="fold")  # a file may be called [bold]
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for key, (name, factor, digits) in rows.items():
        if key in figures:
            values = (figures[key].get(column) for column in columns)
            table.add_row(name, *("" if v is None else f"{v * factor:.{digits}f}" for v in values))
    return table
