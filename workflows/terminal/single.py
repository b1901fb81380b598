"""One job on a terminal: its bars while it runs, one line when it is over or was stopped."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from pipeline.jobs.job import Job
from pipeline.jobs.speeds import calibration, device_name, hours_of, learn
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
from pipeline.values.words import area, counted
from workflows.terminal import stopping
from workflows.terminal.clock import lasting, sized
from workflows.terminal.doubts import doubt
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
            fresh, begun = not work.places.plan.exists(), time.monotonic()
            result = work.color()
            if fresh and 0 < result.painted == work.progress()[1] and work.choices.ray == "none":
                learn({work.kind.name: (time.monotonic() - begun, work.measure()["megapixels"])})
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


def dry_run(job: Job[Any, Any], progress: str) -> int:
    """Print what a job would take, and do nothing; 1 where the disk is too small. Raises ColorizeError."""
    job.settings  # noqa: B018 - what is wrong with names, formats and weights is told
    size, speeds = job.measure(), calibration().get(device_name(), {})
    hours = hours_of(speeds, job.kind.name, size["megapixels"])
    place = next(p for p in job.out.absolute().parents if p.is_dir())
    needed, free = 2 * size["bytes"], float(shutil.disk_usage(place).free)
    if progress == "json":
        told = {**size, "hours": hours, "device": device_name(), "disk": needed, "free": free, "doubt": doubt(size)}
        click.echo(json.dumps({"source": masked(job.uri), "out": str(job.out), **told}))
    else:
        frames = f"{counted(int(size['frames']), 'frame')}, " if "frames" in size else ""
        say(f"{masked(job.uri)} -> {job.out}: {frames}{area(size['megapixels'])}")
        if message := doubt(size):
            say(f"doubtful: {message}", err=True)
        where = f"of one worker on this device ({device_name()}), by earlier runs"
        unknown = f"not known for this device yet ({device_name()}); the first run will measure it"
        say(f"time: {unknown if hours is None else f'{lasting(hours)} {where}'}")
        say(f"disk: about {sized(needed)} needed, {sized(free)} free")
    return int(needed > free)


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
