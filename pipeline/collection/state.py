"""State: what a collection knows between runs, one small JSON file per item, and the list of what was set aside.

Everything is in OUT/.chromatheque, but for set-aside.jsonl, which a person looks for. The outputs themselves are the
truth: a state that is lost costs a look at each output, never an output.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from colorizer.basis.atomic import make_folder, scratch_of, sweep, write_text
from colorizer.basis.errors import ColorizeError, LedgerError, UnreadableSource
from pipeline.collection import layout
from pipeline.collection.depot import Depot, depot_for
from pipeline.collection.item import Item
from pipeline.reels.sidecar import relabel
from pipeline.storage.atomic import in_json, read_json, writable, write_json
from pipeline.storage.stores import is_uri, masked
from pipeline.values.kinds import KINDS
from pipeline.values.stages import ASIDE, DONE, LISTED, WAITING
from pipeline.values.typed import fits

FORMAT = 2


@dataclass(slots=True)
class ItemProgress:
    """How far an item is. units: done and in all. seconds: of work by stage. size: what there is to do, in the large.

    error: why it was set aside: stage, error, attempts. attempts: of units that failed once. seen: source and output as
    they lay when it was done, so that the next run need not read them.
    """

    item: Item
    state: str = WAITING
    units: dict[str, int] = field(default_factory=lambda: {"done": 0, "of": 0})
    size: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: {"survey": 0.0, "paint": 0.0, "publish": 0.0})
    error: dict[str, Any] | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    @property
    def megapixels(self) -> float:
        """What there is to color; 1 where nothing is known."""
        return float(self.size.get("megapixels", 1.0))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        values = asdict(self)
        item = values.pop("item")
        item["source"] = masked(self.item.source)
        item["catalog"] = dict(self.item.catalog)
        del item["fault"]
        item["options"] = {name: str(value) for name, value in self.item.options}
        values["seconds"] = {stage: round(spent, 2) for stage, spent in self.seconds.items()}
        return {**item, **values}


class State:
    """The files in OUT/.chromatheque."""

    def __init__(self, out: Path | Depot) -> None:
        self.depot = out if isinstance(out, Depot) else depot_for(str(out))
        self.out, self.folder = self.depot.folder, self.depot.folder / layout.STATE
        self.items = self.out / layout.ITEMS
        with writable(self.items):
            make_folder(self.items)

    def sweep(self) -> None:
        """Remove what killed runs left half made. Only for the run that has the collection."""
        for folder in (self.folder, self.items):
            sweep(folder)

    def job_folder(self, key: str) -> Path:
        """Where an item's plan and pieces are."""
        return self.depot.job_folder(key)

    def load(self, item: Item) -> ItemProgress:
        """What is known of an item; nothing if it is told otherwise than now, or if the file is damaged."""
        progress = ItemProgress(item)
        path = self.out / layout.item(item.key)
        if not path.exists():
            return progress
        try:
            values = read_json(path)
            now = progress.to_json()
            if any(values[name] != now[name] for name in ("key", "kind", "source", "out", "options")):
                return progress
            for name in ("state", "units", "size", "seconds", "error", "attempts", "notes", "lost", "seen"):
                value = values[name]
                usual = getattr(progress, name)
                if not fits(ItemProgress, name, value) or (
                    isinstance(usual, dict) and not usual.keys() <= value.keys()
                ):
                    raise TypeError(name)
                setattr(progress, name, value)
        except (LedgerError, KeyError, TypeError, AttributeError):
            return ItemProgress(item)
        return progress

    def relabel(self, progress: ItemProgress) -> None:
        """Where the catalogue calls an item otherwise than before, say so here and beside its output."""
        path, item = self.out / layout.item(progress.item.key), progress.item
        try:
            if not path.exists():
                return
            known = read_json(path)
            if (known["id"], known.get("catalog", {})) == (item.id, dict(item.catalog)):
                return
            if progress.state == DONE:
                story = layout.sidecar(item.out)
                self.depot.fetch(story)
                relabel(self.out / story, item.id, item.catalog)
                self.depot.put(story)
        except (LedgerError, KeyError, TypeError, AttributeError):
            return  # what is damaged is looked at anew, or told of by the report
        self.save(progress)

    def save(self, progress: ItemProgress) -> None:
        """Write down how far an item is."""
        with writable(self.items):
            write_json(self.out / layout.item(progress.item.key), progress.to_json(), lasting=False)
        self.depot.put(layout.item(progress.item.key))

    def unchanged(self, progress: ItemProgress) -> bool:
        """Whether a finished item's source, output and sidecar lie as they lay when it was finished."""
        source, out, _, story = [*progress.seen, *[[]] * 4][:4]
        return progress.state == DONE and progress.seen == self.look(progress.item) and all((source, out, story))

    def proved(self, item: Item) -> bool:
        """Whether the digests of a reel's frames lie beside its output; of a scan there are none."""
        return not KINDS[item.kind].digests or bool(self.depot.stamp_of(layout.digests(item.out)))

    def look(self, item: Item) -> list[Any]:
        """Sizes and versions of an item's source, output, plan and sidecar; empty for what is not there."""
        return list(self.depot.stamps(item))

    def forgiven(self, progress: ItemProgress) -> bool:
        """Whether the source or the plan of an item that was set aside is another file by now, or gone, or could not
        be read then."""
        now = self.look(progress.item)
        return progress.state == ASIDE and (progress.seen[:1], progress.seen[2:3]) != (now[:1], now[2:3])

    def give_up(self, progress: ItemProgress, stage: str, error: Exception, attempts: int) -> None:
        """Set an item aside. What only could not be read was not seen, so that the next run tries it again."""
        progress.state = ASIDE
        progress.seen = [] if isinstance(error, UnreadableSource) else self.look(progress.item)
        progress.error = {"stage": stage, "error": self.depot.worded(str(error), progress.item), "attempts": attempts}

    def set_aside(self, all_items: list[ItemProgress]) -> Path:
        """Write OUT/set-aside.jsonl anew: a line for each item that was given up; removed if there is none.

        Lines of items that this run is not about stay while their source is there.
        """
        path = self.out / layout.SET_ASIDE
        lines = self._others_aside({p.item.out for p in all_items})
        for p in all_items:
            if p.state == ASIDE:
                values = {
                    "uri": masked(p.item.source),
                    "id": p.item.id,
                    "out": p.item.out,
                    **(p.error or {}),
                    "log": p.attempts,
                }
                lines.append(in_json(values))
        with writable(path):
            if not lines:
                path.unlink(missing_ok=True)
                self.depot.take_back(path.name)
                return path
            write_text(path, "\n".join(lines) + "\n", scratch_of(path, ""))
        self.depot.put(path.name)
        return path

    def _others_aside(self, outs: set[str]) -> list[str]:
        self.depot.fetch(layout.SET_ASIDE)
        path = self.out / layout.SET_ASIDE
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        if lines and not any(map(_aside, lines)):
            raise ColorizeError(f"{path}: exists and is not this program's; move it away, or give another OUT_DIR")
        return [line for line in lines if _still_aside(line, outs)]

    def note(self, place: str, names: Sequence[str]) -> None:
        """Write down, for the report, what has no item: layout.ORPHANS or layout.KEYS."""
        path = self.out / place
        if names:
            with writable(path):
                write_json(path, list(names), lasting=False)
            self.depot.put(place)
        elif self.depot.stamp_of(place):
            self.depot.drop(place)

    def forget_faults(self, items: Sequence[Item]) -> None:
        """Drop what is known of rows that an earlier manifest had at fault, and that are not there any more."""
        keys = {item.key for item in items}
        for values in records(self.out):
            if _faulty(values) and values["key"] not in keys:
                self.depot.drop(layout.item(values["key"]))

    def summary(self, **facts: Any) -> None:
        """Write down how the run as a whole stands."""
        with writable(self.folder):
            write_json(
                self.out / layout.SUMMARY, {"format": FORMAT, "written": round(time.time(), 1), **facts}, lasting=False
            )
        self.depot.put(layout.SUMMARY)


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """What is written of every item that was ever in a collection, by the names of the files; what is damaged, or has
    an output elsewhere, is passed over."""
    for path in sorted((folder / layout.ITEMS).glob("*.json")):
        try:
            values = {**read_json(path), "key": path.stem}
            if layout.is_below(values["out"]) and {"state", "source", "options"} <= values.keys():
                yield values
        except (LedgerError, KeyError, TypeError, AttributeError):
            continue


def known_names(depot: Depot) -> dict[str, str]:
    """Sources by their outputs, as earlier runs named them; what is damaged is passed over. Only looks on."""
    depot = depot.apart()
    if depot.store or (depot.folder / layout.ITEMS).is_dir():
        depot.fetch_state()
    return {values["out"]: str(values["source"]) for values in records(depot.folder)}


def _faulty(values: dict[str, Any]) -> bool:
    error = values.get("error")
    return isinstance(error, dict) and error.get("stage") == LISTED


def _aside(line: str) -> tuple[str, str] | None:
    """Source and output in a line of set-aside.jsonl; None where it is none."""
    try:
        values = json.loads(line)
        return str(values["uri"]), str(values["out"])
    except (ValueError, KeyError, TypeError):
        return None


def _still_aside(line: str, outs: set[str]) -> bool:
    """Whether a line is of an item that is not among `outs` and has its source."""
    source, out = _aside(line) or ("", "")
    try:
        if _faulty({"error": json.loads(line)}):
            return False
        return out not in outs and bool(source) and (is_uri(source) or Path(source).exists())
    except (ValueError, OSError):
        return False
