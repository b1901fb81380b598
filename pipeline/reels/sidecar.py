"""Provenance: the marks inside an output that say a model added its color, and the sidecar that says everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.containers.film_tags import MARKS
from pipeline.reels.plan import Plan
from pipeline.reels.tracks import Carried
from pipeline.storage.atomic import read_json, writable, write_json
from pipeline.storage.ledger import Receipt
from pipeline.values.finding import Finding, summary
from pipeline.values.formats import CENSUS
from pipeline.values.look_source import LookSources, shot_of
from pipeline.values.source_type import SOURCE_TYPE

Notes = Sequence[tuple[str, str]]
"""What a catalogue says beside the id, by its own names."""

SIDECAR_FORMAT = "chromatheque-sidecar-1"


def versions() -> dict[str, str]:
    """Versions of what made the output."""
    return {name: metadata.version(name) for name in ("chromatheque", "torch", "av", "numpy")}


def marked(tags: Mapping[str, str], plan: Plan) -> dict[str, str]:
    """A source's container tags with this output's marks, under one spelling of a name (Matroska has COMMENT).

    What a source says under those names stays in front: a comment, and the marks of one that was colored before.
    """
    ours = marks(plan)
    former = {k.lower(): v for k, v in tags.items() if k.lower() in ours and v.strip()}
    ours |= {k: f"{v} | {ours[k]}" for k, v in former.items() if v != ours[k]}
    return {k: v for k, v in tags.items() if k.lower() not in ours} | ours


def marks(plan: Plan) -> dict[str, str]:
    """What an output's container says of how it was made."""
    inverted = ", inverted" * plan.settings.invert
    message = (
        f"Color added by a trained model (chromatheque {metadata.version('chromatheque')}, weights "
        f"{Path(plan.settings.weights).stem} {plan.settings.weights_digest[:16]}); luminance is the source's{inverted}."
    )
    return dict(zip(MARKS, (message, SOURCE_TYPE, str(plan.source.get("sha256", ""))), strict=True))


def catalogued(id: str, catalog: Notes = ()) -> dict[str, Any]:
    """A catalogue's id and its other words among a sidecar's values, where there are any."""
    return {**({"id": id} if id else {}), **({"catalog": dict(catalog)} if catalog else {})}


def relabel(path: Path, id: str, catalog: Notes = ()) -> None:
    """Write what the catalogue says, or that it says nothing, into a finished output's sidecar, if that says else."""
    values, new = read_json(path), catalogued(id, catalog)
    if {name: values[name] for name in ("id", "catalog") if name in values} != new:
        others = {name: value for name, value in values.items() if name not in ("id", "catalog")}
        with writable(path):
            write_json(path, {**others, **new}, 1)


def _look_from(sources: LookSources, spans: list[tuple[int, int]]) -> dict[str, Any]:
    """As in the plan, with the number of a shot that has just those frames."""
    messages = [{**s.to_json(), **({"shot": number} if (number := shot_of(s, spans)) else {})} for s in sources]
    return {"look_from": messages} if messages else {}


def sidecar(
    plan: Plan, receipts: list[Receipt], carried: list[Carried], findings: list[Finding], output: dict[str, Any],
    id: str = "", catalog: Notes = (),
) -> dict[str, Any]:  # fmt: skip
    """The whole story of an output, without clock times, so that a repeated run writes the same bytes.

    id, catalog: the catalogue's, if there is one.
    """
    spans = [(shot.start, shot.stop) for shot in plan.shots]
    shots: list[dict[str, Any]] = [
        {
            "start": shot.start, "stop": shot.stop, "seconds": [
                round(float((plan.pts[shot.start] - plan.pts[0]) * plan.reel.time_base), 3),
                round(float((plan.next_pts(shot.stop) - plan.pts[0]) * plan.reel.time_base), 3),
            ],
            "scenes": [list(s) for s in shot.scenes], "kept": shot.kept, "dissolve": shot.dissolve,
            **_look_from(shot.look_from, spans),
        }
        for shot in plan.shots
    ]  # fmt: skip
    damaged = len(plan.damaged_frames)
    story = plan.to_json()
    del story["kind"]  # the sidecar's format says it
    story["reel"]["uri"] = Path(plan.reel.uri).name  # wherever it lies, the same bytes
    return {
        "format": SIDECAR_FORMAT,
        "census": CENSUS,
        **catalogued(id, catalog),
        "digital_source_type": SOURCE_TYPE,
        "software": versions(),
        "source": plan.source,
        "output": output,
        "frames": len(plan.pts),
        "shots": shots,
        "source_had_color": plan.colored_source,
        "damage": {
            "frames": damaged,
            "damaged_frames": {str(k): v for k, v in plan.damaged_frames.items()},
            "packet_errors": plan.damaged_packets,
            "retimed_frames": plan.retimed,
        },
        "notes": [*plan.notes, *sorted({note for receipt in receipts for note in receipt.notes})],
        "tracks": [c.to_json() for c in carried],
        **summary(findings),
        "verified": [f.to_json() for f in findings],
        "chroma": [r.chroma for r in receipts],
        "plan": story,
    }
