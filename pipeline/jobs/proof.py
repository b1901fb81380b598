"""Proof: whether a sidecar lies beside the files that it names, which is asked of reels and of scans alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.storage.atomic import sha256
from pipeline.values.finding import Finding

ELSE = "move it away to verify without it"


def check_digests(source: str, output: str, found: Callable[[], dict[str, Any]], out: Path) -> list[Finding]:
    """Whether a sidecar that names its files by their digests lies beside those, and not beside others.

    source, output: the digests it names, "" for none. found: makes the source's identity, by reading all of it.
    """
    findings = []
    if source:
        same = found()["sha256"] == source
        message = (
            "the source is the one the sidecar names" if same else f"the sidecar belongs to another source: {ELSE}"
        )
        findings.append(Finding("source digest", same, message))
    if output:
        same = sha256(out) == output
        message = (
            "the output is the one the sidecar names" if same else "the output changed since the sidecar was written"
        )
        findings.append(Finding("output digest", same, message))
    return findings


def census_of(values: dict[str, Any]) -> tuple[int, frozenset[str]]:
    """The census of the version that wrote a sidecar, 0 where it knew of none, and all that it says was verified."""
    census, verified = values.get("census", 0), values.get("verified", [])
    found = {finding.get("what") for finding in verified if isinstance(finding, dict)}
    return census if type(census) is int else 0, frozenset(what for what in found if isinstance(what, str))
