"""Progress of a run elsewhere, from the JSON lines that it has printed: how much is done, and how long it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.values.loss import verdict
from pipeline.values.stages import DONE
from pipeline.values.words import counted
from workflows.terminal.clock import lasting

STAGES = {"survey": "looking at the source", "joining": "putting it together", "checking": "checking it"}
"""What a job is at where nothing is counted."""
TELLING = {"total", "frame", "rows", "looking", "finished", *STAGES}
"""Events that tell how far a run is."""


def progress_of(log: str, seconds: float | None) -> dict[str, Any]:
    """What is done of a run: percent, files, left (seconds, guessed) and text; nothing where its log does not say.

    log: all that was printed. seconds: it has run for so long.
    """
    last: dict[str, Any] = {}
    resumed = False
    for event in _events(log.splitlines()):
        last = event if event["event"] in TELLING else last
        resumed = resumed or (event["event"] == "planned" and _number(event.get("done")) > 0)
    if not last:
        return {}
    share = _share(last)
    found: dict[str, Any] = {"percent": None if share is None else round(100 * share, 1)}
    if isinstance(items := last.get("items"), Mapping):
        found["files"] = {"done": int(_number(items.get(DONE))), "of": int(sum(map(_number, items.values())))}
    if share and not resumed and seconds and last["event"] != "finished":
        found["left"] = round(seconds * (1 - share) / share)
    return {**found, "text": _text(last, found)}


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.startswith("{"):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            yield event


def _share(event: Mapping[str, Any]) -> float | None:
    """What part is done, from 0 to 1; None where it is not said."""
    if event["event"] == "finished":
        done, left = _number(event.get("done")), _number(event.get("aside")) + _number(event.get("left"))
        return done / (done + left) if left else 1.0
    done, of = _number(event.get("done", event.get("frames", event.get("rows")))), _number(event.get("of"))
    if event["event"] in ("survey", "looking"):
        return 0.0
    return min(1.0, done / of) if of else None


def _text(event: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if event["event"] in STAGES:
        return STAGES[event["event"]]
    if event["event"] == "finished":
        return _outcome(event)
    parts = [f"{found['percent']:.0f} %"] if found["percent"] is not None else []
    if files := found.get("files"):
        parts.append(f"{files['done']} of {counted(files['of'], 'file')}")
    if "left" in found:
        parts.append(f"{lasting(found['left'] / 3600)} left")
    return ", ".join(parts) or event["event"]


def _outcome(event: Mapping[str, Any]) -> str:
    """The last words: of one output its verdict; of a collection its counts, and where its report is."""
    if "verdict" in event:
        return f"{event.get('out')}: {event['verdict']}"
    parts = [f"{int(_number(event.get('done')))} done"]
    parts[0] += f", {verdict(lost)}" if (lost := int(_number(event.get("losses")))) else ""
    parts += [
        f"{int(n)} {word}" for key, word in (("aside", "set aside"), ("left", "left")) if (n := _number(event.get(key)))
    ]
    return "; ".join([", ".join(parts), *([f"the report is in {event['report']}"] if event.get("report") else [])])


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value >= 0 else 0.0
