"""A small collection, and its nights: in this process, as the command, killed."""

from __future__ import annotations

import subprocess

from pipeline.collection.items import find
from pipeline.collection.layout import STATE
from pipeline.collection.run import Wishes, color
from pipeline.collection.schedule import Schedule, ready
from pipeline.collection.state import State
from pipeline.values.events import Silent
from tests.endtoend import command_line, environment, hear_interrupts
from tests.plates import plate
from tests.synthetic import write_reel

OPTIONS = {"working_size": 32, "precision": "fp32", "pyramid": True}
OUTS = ["films/a.mkv", "films/b.mkv", "plates/album.tif", "plates/one.tif"]


def make_collection(home):
    """Two reels of two shots each, a plate, an album of three pages, and a text."""
    (home / "films").mkdir(parents=True)
    (home / "plates").mkdir()
    write_reel(home / "films" / "a.mkv", 30, (96, 64), cuts=(15,), audio=1)
    write_reel(home / "films" / "b.mov", 24, (64, 48), cuts=(12,))
    plate(home / "plates" / "one.tif", 300, 200)
    plate(home / "plates" / "album.tif", 100, 150, pages=3)
    (home / "plates" / "notes.txt").write_text("about the plates")
    return home


def items_of(source, out, tiny, **more):
    """The items of a folder or manifest."""
    return find(source, out, {**OPTIONS, "weights": str(tiny), **more}, (), ()).items


def night(source, out, tiny, listener=None, **wishes):
    """Color a collection in this process."""
    return color(out, items_of(source, out, tiny), Wishes(**wishes), listener or Silent())


def outputs(out, growing=True):
    """Bytes of all outputs and sidecars, by their place. growing: and of what has no final name yet."""
    found = {}
    for path in sorted(out.rglob("*")):
        below = path.relative_to(out)
        mine = below.parts[0] not in (STATE, "report", "report.html", "set-aside.jsonl")
        if path.is_file() and mine and (growing or not below.name.startswith(".")):
            found[below.as_posix()] = path.read_bytes()
    return found


def command(source, out, tiny, *more):
    """The archive command's words."""
    return ["archive", source, out, "--weights", tiny, "--working-size", 32, "--precision", "fp32", "--pyramid", *more]


def scheduled(source, out, tiny, pool, listener=None, **options):
    """A run over a pool of the test's own."""
    state = State(out)
    found = ready(state, items_of(source, out, tiny), False)
    return Schedule(state, found, pool, listener or Silent(), **options).run(), found


def start(words, **more):
    """The command in a process group of its own."""
    return subprocess.Popen(
        command_line(*words), env=environment(**more), text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=hear_interrupts, start_new_session=True,
    )  # fmt: skip
