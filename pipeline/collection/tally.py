"""Tally: how a collection as a whole stands, kept up to date item by item, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.collection.state import ItemProgress
from pipeline.values.events import Total, UnitCount
from pipeline.values.stages import ASIDE, DONE


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands. pixels: to color, done: of them; whole, so that sums of any length stay exact."""

    pixels: int
    done: int
    units_done: int
    units: int
    state: str

    @classmethod
    def of(cls, progress: ItemProgress) -> Standing:
        """What was given up needs nothing more, and publishing is the last fiftieth."""
        pixels = round(progress.megapixels * 1e6)
        units_done, units = progress.units["done"], progress.units["of"]
        done = pixels * 98 * units_done // (100 * units) if units else 0
        return cls(pixels, pixels if progress.state in (DONE, ASIDE) else done, units_done, units, progress.state)


class Tally:
    """Sums over all items."""

    def __init__(self, items: Sequence[ItemProgress]) -> None:
        self._items: list[Standing] = []
        self._sums = [0, 0, 0, 0]
        self._states: Counter[str] = Counter()
        for progress in items:
            self._items.append(Standing.of(progress))
            self._add(self._items[-1], 1)

    def update(self, place: int, progress: ItemProgress) -> None:
        """An item stands otherwise than before. place: among all."""
        self._add(self._items[place], -1)
        self._items[place] = Standing.of(progress)
        self._add(self._items[place], 1)

    def _add(self, item: Standing, sign: int) -> None:
        values = (item.pixels, item.done, item.units_done, item.units)
        self._sums = [total + sign * value for total, value in zip(self._sums, values, strict=True)]
        self._states[item.state] += sign

    def total(self, busy: float, workers: int) -> Total:
        """For listeners, with what the tally does not know."""
        pixels, done, units_done, units = self._sums
        painted = UnitCount(units_done, units)
        return Total(round(done / 1e6, 1), round(pixels / 1e6, 1), painted, dict(+self._states), busy, workers)
