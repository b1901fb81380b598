"""Layout: what lies where below a collection's output folder, by names that only this file spells.

Places are relative to the output folder, with forward slashes, so that they are good in stores too.

    PLACE                              an output, PLACE.json its sidecar, PLACE.framemd5 its frames' digests,
                                       PLACE.scc captions that its source's frames carry
    set-aside.jsonl                    what was given up
    .chromatheque/collection.json      how the run as a whole stands
    .chromatheque/items/KEY.json       how far an item is
    .chromatheque/begun/KEY-*.json     what a run is at, for as long as it is
    .chromatheque/jobs/KEY/            an item's job folder (see storage/job_folder.py)
    .chromatheque/lease.json           who is at work, where the output folder is in a store
    .chromatheque/fetched.json         what was brought for the report
    .chromatheque/looked.json          what was brought of the items, where somebody looked on
    .chromatheque/orphans.json         outputs of no source any more
    .chromatheque/keys.json            keys of objects in the source's store that no path can hold
    .chromatheque/preserved            empty: digests and manifest are kept, whoever asks for them
"""

from __future__ import annotations

from pathlib import PurePosixPath

from pipeline.storage import job_folder

STATE = ".chromatheque"
ITEMS = f"{STATE}/items"
JOBS = f"{STATE}/jobs"
BEGUN = f"{STATE}/begun"
SUMMARY = f"{STATE}/collection.json"
LEASE = f"{STATE}/lease.json"
FETCHED = f"{STATE}/fetched.json"
LOOKED = f"{STATE}/looked.json"
ORPHANS = f"{STATE}/orphans.json"
KEYS = f"{STATE}/keys.json"
PRESERVED = f"{STATE}/preserved"
SET_ASIDE = "set-aside.jsonl"


def item(key: str) -> str:
    """How far an item is."""
    return f"{ITEMS}/{key}.json"


def job(key: str) -> str:
    """An item's job folder."""
    return f"{JOBS}/{key}"


def plan(key: str) -> str:
    """An item's plan."""
    return f"{job(key)}/{job_folder.PLAN}"


def ledger(key: str) -> str:
    """The receipts of an item's units."""
    return f"{job(key)}/{job_folder.LEDGER}"


def receipt(key: str, unit: str) -> str:
    """The receipt of a unit."""
    return f"{ledger(key)}/{unit}.json"


def piece(key: str, name: str) -> str:
    """A painted piece by its name in a receipt."""
    return f"{job(key)}/{name}"


def sidecar(out: str) -> str:
    """An output's story."""
    return f"{out}{job_folder.SIDECAR}"


def digests(out: str) -> str:
    """Digests of an output's frames."""
    return f"{out}{job_folder.DIGESTS}"


def is_below(place: str) -> bool:
    """Whether a place is one below the output folder."""
    path = PurePosixPath(place)
    return bool(path.name) and not path.is_absolute() and ".." not in path.parts and "\0" not in place


def captions(out: str) -> str:
    """Captions of an output, of a source that has some in its frames."""
    return f"{out}{job_folder.CAPTIONS}"


def beside(out: str) -> tuple[str, str, str]:
    """All that may lie beside an output."""
    return sidecar(out), digests(out), captions(out)
