"""Proof of a scan, made anew: its output held against its source and against what its sidecar says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from colorizer.basis.errors import UnsupportedSource
from pipeline.jobs.folder import identity
from pipeline.jobs.proof import ELSE, census_of, check_digests
from pipeline.scans.fidelity import Declared, check_scan
from pipeline.scans.outputs import lossless
from pipeline.scans.sidecar import SIDECAR_FORMAT
from pipeline.stills.opening import open_scan
from pipeline.storage.atomic import read_json
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.finding import Finding, named, promised
from pipeline.values.formats import CENSUS
from pipeline.values.loss import Loss


def verify_scan(source: str, out: Path) -> list[Finding]:
    """Everything about a colored scan that can be held against its source."""
    with open_scan(source):
        pass  # what cannot be opened at all is told before anything is read through
    path = sidecar_of(out)
    declared, digests = read_sidecar(path, out) if path.exists() else (_guessed(source, out), ("", ""))
    census, verified = census_of(read_json(path)) if path.exists() else (CENSUS, frozenset[str]())
    findings = check_digests(*digests, lambda: identity(Path(source)), out)
    findings += check_scan(source, out, declared, {})
    return promised(named(findings, declared.lost), census, verified)


def _guessed(source: str, out: Path) -> Declared:
    """Without a sidecar: all of the source's pages in their order, nothing declared as lost."""
    with open_scan(source) as reader:
        return Declared(range(reader.scan.pages), lossless(out))


def read_sidecar(path: Path, out: Path) -> tuple[Declared, tuple[str, str]]:
    """What a sidecar says, and the digests of source and output that it names.

    Raises UnsupportedSource for what is none of ours, LedgerError for what is not JSON.
    """
    values: Any = read_json(path)
    try:
        settings, mark = values["settings"], values["mark"]
        pages, lost = [page["number"] for page in values["pages"]], values["not_carried_over"]
        digests = values["source"]["sha256"], values["output"]["sha256"]
        texts = [*lost, *mark.values(), *digests]
        if values["format"] != SIDECAR_FORMAT or not pages:
            raise TypeError("another format, or no pages")
        if not all(type(text) is str for text in texts) or not all(type(n) is int and n >= 0 for n in pages):
            raise TypeError("a value of the wrong kind")
        "".join(texts).encode()
        inverted = settings.get("invert", False)
        if type(inverted) is not bool:
            raise TypeError("a value of the wrong kind")
        declared = Declared(pages, lossless(out), bool(settings["pyramid"]), list(map(Loss.of, lost)), mark, inverted)
    except KeyError as error:
        raise UnsupportedSource(str(path), f"not a sidecar of a scan (no {error}); {ELSE}") from error
    except (TypeError, AttributeError, UnicodeEncodeError) as error:
        raise UnsupportedSource(str(path), f"not a sidecar of a scan ({error}); {ELSE}") from error
    return declared, digests
