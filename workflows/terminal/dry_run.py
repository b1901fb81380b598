"""Dry run: what a collection would take, listed file by file, and what is doubtful in the promises of its headers."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pipeline.collection.depot import Depot
from pipeline.collection.estimate import Forecast, forecast
from pipeline.collection.items import Found
from pipeline.collection.layout import ITEMS
from pipeline.collection.run import Wishes, look, short_of_disk
from pipeline.collection.schedule import ready
from pipeline.collection.state import ItemProgress, State
from pipeline.jobs.speeds import calibration, device_name, hours_of
from pipeline.storage.stores import masked
from pipeline.values.events import Silent
from pipeline.values.stages import ASIDE, DONE
from pipeline.values.words import area, counted
from workflows.terminal.clock import lasting, sized
from workflows.terminal.doubts import doubt
from workflows.terminal.few import few
from workflows.terminal.passed_over import NOTHING_ASIDE, keys_of, passed_over
from workflows.terminal.plain import say

LISTED = 40
"""Files that a dry run lists on a terminal, at most."""

HINTS = 5
"""Folders with numbered pictures that it names at most."""


def dry_run_of(depot: Depot, found: Found, wishes: Wishes, as_json: bool) -> int:
    """Print what a run would take; 1 if something cannot work."""
    looked = _looked(depot, found, wishes)
    if wishes.aside_only and not looked and not as_json:
        say(NOTHING_ASIDE.format(depot))
        return 0
    place = next(p for p in (depot.folder, *depot.folder.absolute().parents) if p.is_dir())
    keep = wishes.keep and not depot.shared
    expected = forecast(looked, shutil.disk_usage(place).free, keep, stored=bool(depot.store))
    (_as_json if as_json else _as_text)(depot.folder, found, looked, expected)
    return int(any(p.state == ASIDE for p in looked) or expected.disk > expected.free)


def _looked(depot: Depot, found: Found, wishes: Wishes) -> list[ItemProgress]:
    """Every file, opened; the look leaves no trace in the output folder."""
    if depot.store or (depot.folder / ITEMS).is_dir():
        depot.fetch_state()
        looked = ready(State(depot), found.items, wishes.aside_only)
    else:
        looked = [ItemProgress(item) for item in found.items]
    with tempfile.TemporaryDirectory() as nowhere:
        look(State(Path(nowhere)), looked, Silent())
    return looked


def _todo(looked: list[ItemProgress]) -> list[dict[str, Any]]:
    """Files that would be colored: from where, to where, how large, how long, and what is doubtful."""
    speeds = calibration().get(device_name(), {})
    return [
        {
            "source": masked(p.item.source), "out": p.item.out, "kind": p.item.kind, "megapixels": p.megapixels,
            "frames": int(p.size.get("frames", 0)), "hours": hours_of(speeds, p.item.kind, p.megapixels),
            "doubt": doubt(p.size),
        }
        for p in looked if p.state not in (ASIDE, DONE)
    ]  # fmt: skip


def _as_json(out: Path, found: Found, looked: list[ItemProgress], expected: Forecast) -> None:
    refused = [{"uri": masked(p.item.source), **(p.error or {})} for p in looked if p.state == ASIDE]
    done = sum(p.state == DONE for p in looked)
    more = {
        "refused": refused,
        "done": done,
        "items": _todo(looked),
        "hints": list(found.hints),
        "keys": list(found.keys),
    }
    click.echo(json.dumps({**asdict(expected), **more}))


def _as_text(out: Path, found: Found, looked: list[ItemProgress], expected: Forecast) -> None:
    files, pixels, todo = expected.files, expected.megapixels, _todo(looked)
    for item in todo[:LISTED]:
        took = "" if item["hours"] is None else f", {lasting(item['hours'])}"
        say(f"{item['source']} -> {item['out']}: {area(item['megapixels'])}{took}")
    if len(todo) > LISTED:
        say(f"and {counted(len(todo) - LISTED, 'more file')}; --progress json lists all")
    for item in todo:
        if item["doubt"]:
            say(f"doubtful: {item['source']}: {item['doubt']}", err=True)
    for remark in (*found.remarks, *found.hints[:HINTS], *few(keys_of(found), "--progress json")):
        say(f"note: {remark}", err=True)
    if len(found.hints) > HINTS:
        say(f"note: {counted(len(found.hints) - HINTS, 'more folder')} with numbered pictures", err=True)
    if expected.fetched:
        say(f"{expected.fetched / 1e6:,.0f} MB lie in stores; what is in them is guessed until they are fetched")
    frames, sizes = counted(expected.frames, "frame"), {kind: area(pixels[kind]) for kind in files}
    say(f"{counted(files['reel'], 'reel')}, {frames}, {sizes['reel']}")
    say(f"{counted(files['scan'], 'scan')}, {sizes['scan']}")
    if done := sum(p.state == DONE for p in looked):
        say(f"{counted(done, 'file')} done already")
    if passed := passed_over(found):
        say(f"passed over:{passed}")
    if expected.hours is None:
        say(f"time: not known for this device yet ({expected.device}); the first run will measure it")
    else:
        say(f"time: {lasting(expected.hours)} of one worker on this device ({expected.device}), by earlier runs")
    say(f"disk: about {sized(expected.disk)} needed, {sized(expected.free)} free")
    if expected.disk > expected.free:
        say(short_of_disk(out, expected), err=True)
    for progress in looked:
        if progress.state == ASIDE:
            say(f"cannot work: {(progress.error or {}).get('error')}", err=True)
