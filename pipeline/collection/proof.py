"""The proof, made anew, that each finished file of a collection keeps its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

from colorizer.basis.errors import ColorizeError, SourceError
from pipeline.collection.asked import check_collection
from pipeline.collection.state import records
from pipeline.jobs import calls
from pipeline.values.finding import Finding
from pipeline.values.stages import DONE


@dataclass(frozen=True, slots=True)
class Checked:
    """A file of a collection. out: its place in it. findings: as of `verify`. error: why it cannot be compared."""

    out: str
    source: str
    findings: tuple[Finding, ...] = ()
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether nothing is missing but what the sidecar names."""
        return not self.error and all(finding.right for finding in self.findings)


def verify_collection(source: Path, out: Path) -> Iterator[Checked]:
    """Compare every finished file of the collection in `out` with its source below `source`, one after the other.

    Sources are found by the end of the path that they had, so that a tree may have moved. Raises Mistyped if there
    is no collection.
    """
    check_collection(out, ", or a file")
    states = (state for state in records(out) if state["state"] == DONE)
    for state in sorted(states, key=lambda state: str(state["out"])):
        yield _checked(source, out, state)


def _checked(root: Path, out: Path, state: dict[str, Any]) -> Checked:
    place = str(state["out"])
    found = _found(root, str(state["source"]))
    try:
        if found is None:
            raise SourceError(str(state["source"]), f"not found below {root}")
        rate = state["options"].get("rate")
        findings = calls.verify(found, out / place, rate=Fraction(rate) if rate else None)
        return Checked(place, str(found), tuple(findings))
    except ColorizeError as error:
        return Checked(place, str(found or state["source"]), error=str(error))


def _found(root: Path, source: str) -> Path | None:
    """The file below a folder whose path ends as this one's, as long as can be; of a sequence its pattern."""
    words = [word for word in PurePath(source).parts if word not in ("/", "..")]
    for count in range(len(words), 0, -1):
        path = root.joinpath(*words[-count:])
        if path.is_file() or ("%" in path.name and path.parent.is_dir()):
            return path
    return None
