"""One job on a terminal: its bars while it runs, one line when it is over or was stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from pipeline.jobs.job import Job
from pipeline.storage import standing
from pipeline.storage.stores import masked
from pipeline.values.events import (
    Checking,
    Event,
    Finished,
    Joining,
    Listener,
    Painted,
    ReelPlanned,
    ScanPlanned,
    Surveyed,
)
from workflows.terminal import stopping
from workflows.terminal.few import few
from workflows.terminal.listeners import listener_for
from workflows.terminal.plain import say


def color(
    source: str, job: Callable[[Listener], Job[Any, Any]], progress: str, summary: Callable[[Any], str]
) -> None:  # fmt: skip
    """Color a source. job: its own, given who listens; progress: of the option; summary: of its plan.

    Ctrl-C ends with status 130 and says what is safe; so do SIGTERM and SIGHUP, with theirs.
    """
    work: Job[Any, Any] | None = None
    try:
        with stopping.at_work(), listener_for(progress) as listener:
            standing.at(f"{masked(source)}, while it was opened")
            work = job(partial(_pass_on, masked(source), listener))
            result = work.color()
    except KeyboardInterrupt:
        done, total = work.progress() if work is not None else (0, 0)
        safe = f"{done} of {total} {work.kind.unit}s are safe in {work.folder}. " if work is not None and total else ""
        stopping.say(f"Stopped. {safe}Run it again to continue.")
        raise click.exceptions.Exit(stopping.code()) from None
    out = work.out
    if progress == "json":
        listener(Finished(str(out), result.already, result.painted, result.verdict, tuple(result.lost)))
    elif result.plan is None:
        known = f", {result.verdict}, which {out}.json names" * bool(result.lost)
        say(f"{out} is finished already{known}; nothing to do.")
    else:
        for line in few(result.lost, f"{out}.json"):
            say(f"lost: {line}", err=True)
        say(f"{out}: {summary(result.plan)}, {result.verdict}; details are in {out}.json")


def _pass_on(source: str, listener: Listener, event: Event) -> None:
    """Tell of an event, and where it says that the job is."""
    if isinstance(event, Surveyed):
        standing.at(f"{source}, while it was surveyed, at {event.done} {event.unit}")
    elif isinstance(event, ReelPlanned | ScanPlanned):
        standing.at(f"{source}, while it was colored")
    elif isinstance(event, Painted):
        standing.at(f"{source}, while it was colored, at {event.done} of {event.of}")
    elif isinstance(event, Joining):
        standing.at(f"{source}, while its output was joined")
    elif isinstance(event, Checking):
        standing.at(f"{source}, while its output was checked")
    listener(event)
