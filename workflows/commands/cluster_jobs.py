"""`chromatheque jobs`, `status`, `logs` and `stop`: what was submitted to a Ray cluster."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from workflows.terminal.plain import uncolored
from workflows.terminal.run_progress import progress_of

if TYPE_CHECKING:
    from pipeline.spread.ray_jobs import Queue, Submission

COMMANDS = ("jobs", "status", "logs", "stop")

ENDING = 30.0
"""Seconds to wait for a job that was told to stop; Ray kills it after three."""


def default_address() -> str | None:
    """The dashboard that Ray's own variables name, if they name one: RAY_ADDRESS may be another port of the head."""
    for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        value = os.environ.get(name, "")
        if value.startswith(("http://", "https://")):
            return value
    return None


def check_address(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """Say what is missing, and where it can be written once for all."""
    if not value:
        raise click.UsageError(
            "which cluster? give --address http://HOST:8265 (its dashboard's), or set RAY_API_SERVER_ADDRESS", ctx
        )
    return value


address_option = click.option(
    "--address", default=default_address, callback=check_address, metavar="http://HOST:8265",
    help="The cluster's dashboard [RAY_API_SERVER_ADDRESS, RAY_ADDRESS].",
)  # fmt: skip


def open_queue(address: str) -> Queue:
    """The queue of a cluster; what is worth a look goes to stderr."""
    from pipeline.spread.ray_jobs import Queue

    return Queue(address, lambda note: click.echo(f"note: {note}", err=True))


def follow(queue: Queue, id: str) -> None:
    """Print a job's log until it is over, then exit as it did. Ctrl-C stops only the printing."""
    from colorizer.basis.errors import ColorizeError

    queue.job(id)  # one that is not there is told as such
    try:
        for text in queue.follow(id):
            sys.stdout.write(uncolored(text))
            sys.stdout.flush()
        done = queue.job(id)
    except KeyboardInterrupt:
        click.echo(
            f"Job {id} goes on. To stop it: chromatheque stop {id} --address {queue.address}; "
            f"to follow it again: chromatheque logs {id} --follow --address {queue.address}", err=True,
        )  # fmt: skip
        raise click.exceptions.Exit(130) from None
    except ColorizeError as error:
        raise ColorizeError(f"{error}; job {id} is left as it is") from error
    last = progress_of(queue.logs(id), done.seconds).get("text", "")
    message = " ".join(done.message.splitlines()[:1]) if done.status != "SUCCEEDED" else ""
    click.echo(f"Job {id} {done.status}: {'; '.join(filter(None, (last, message)))}", err=True)
    if done.status != "SUCCEEDED":
        raise click.exceptions.Exit(done.code if done.code and done.code > 0 else 1)


@click.command()
@address_option
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def jobs(address: str, as_json: bool) -> None:
    """List what was submitted to a cluster, the latest last.

    Example: chromatheque jobs --address http://head:8265
    """
    found = open_queue(address).jobs()
    if as_json:
        click.echo(json.dumps([facts(job) for job in found], indent=1))
        return
    rows = [("id", "status", "started", "duration", "command"), *map(row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


@click.command()
@click.argument("id", metavar="ID")
@address_option
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
def status(id: str, address: str, as_json: bool) -> None:
    """Tell how a submitted job is doing: its state, how much is done, and how long it will take.

    Example: chromatheque status raysubmit_4LamXRuQpYdSMg7J --address http://head:8265
    """
    queue = open_queue(address)
    job = queue.job(id)
    progress = progress_of(queue.logs(id), job.seconds) if job.started else {}
    if as_json:
        click.echo(json.dumps({**facts(job), "progress": progress}, indent=1))
        return
    for name, cell in zip(("id", "status", "started", "duration", "command"), row(job), strict=True):
        click.echo(f"{name:<10} {cell}")
    if progress:
        click.echo(f"{'progress':<10} {progress['text']}")
    if job.code is not None:
        click.echo(f"{'exit code':<10} {job.code}")
    if job.message:
        click.echo(f"{'message':<10} {job.message}")


@click.command()
@click.argument("id", metavar="ID")
@address_option
@click.option("--follow", "following", is_flag=True, help="Go on until the job ends; exit as it did.")
def logs(id: str, address: str, following: bool) -> None:
    """Print what a submitted job has printed: its progress as JSON lines, its notes and errors.

    Example: chromatheque logs raysubmit_4LamXRuQpYdSMg7J --follow --address http://head:8265
    """
    queue = open_queue(address)
    if following:
        follow(queue, id)
    else:
        click.echo(uncolored(queue.logs(id)), nl=False)


@click.command()
@click.argument("id", metavar="ID")
@address_option
def stop(id: str, address: str) -> None:
    """Stop a submitted job. What it has finished is kept; submit the command again to continue.

    Example: chromatheque stop raysubmit_4LamXRuQpYdSMg7J --address http://head:8265
    """
    queue = open_queue(address)
    asked = queue.stop(id)
    until = time.monotonic() + ENDING
    job = queue.job(id)
    while asked and not job.over and time.monotonic() < until:
        time.sleep(0.5)
        job = queue.job(id)
    if not job.over:
        click.echo(f"job {id} is told to stop and has not ended yet")
    else:
        click.echo(f"job {id}: {job.status}" if asked else f"job {id} was over already: {job.status}")


def row(job: Submission) -> tuple[str, str, str, str, str]:
    """A job as the cells of a table."""
    started = "" if job.started is None else datetime.fromtimestamp(job.started).strftime("%Y-%m-%d %H:%M:%S")
    lasted = "" if job.seconds is None else str(timedelta(seconds=int(job.seconds)))
    return job.id, job.status, started, lasted, as_typed(job.command)


def facts(job: Submission) -> dict[str, Any]:
    """A job as JSON."""
    return {**asdict(job), "command": as_typed(job.command), "seconds": job.seconds}


def as_typed(entrypoint: str) -> str:
    """A command as a person typed it."""
    return re.sub(r"^\S+ -m workflows[\w.]* ", "chromatheque ", " ".join(entrypoint.split()))
