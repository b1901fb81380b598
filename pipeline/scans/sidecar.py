"""The sidecar of a scan: everything about an output that a later reader may ask."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipeline.reels.sidecar import Notes, catalogued, versions
from pipeline.scans.join import mark_of
from pipeline.scans.plan import ScanPlan
from pipeline.storage.ledger import Receipt
from pipeline.values.finding import Finding, summary
from pipeline.values.formats import CENSUS
from pipeline.values.source_type import SOURCE_TYPE

SIDECAR_FORMAT = "chromatheque-scan-1"


def sidecar(
    plan: ScanPlan, receipts: list[Receipt], findings: list[Finding], output: dict[str, Any],
    id: str = "", catalog: Notes = (),
) -> dict[str, Any]:  # fmt: skip
    """The sidecar: the whole story of an output, without clock times, so that a repeated run writes the same bytes.

    id, catalog: the catalogue's, if there is one.
    """
    pages = []
    for page in plan.pages:
        values = page.to_json()
        pages.append({name: value for name, value in values.items() if not name.startswith(("lines", "scene_"))})
    chroma = [receipt.chroma for receipt in receipts]
    return {
        "format": SIDECAR_FORMAT, "census": CENSUS, **catalogued(id, catalog), "digital_source_type": SOURCE_TYPE,
        "software": versions(),
        "source": plan.source, "output": output, "settings": asdict(plan.settings), "pages": pages,
        **summary(findings),
        "notes": sorted({note for receipt in receipts for note in receipt.notes}),
        "verified": [finding.to_json() for finding in findings], "mark": mark_of(plan), "chroma": chroma,
    }  # fmt: skip
