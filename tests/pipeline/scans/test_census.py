"""A scan's proof walks its source anew: what no output holds is declared, or a failure."""

import json

import tifffile

from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.jobs.scan_proof import verify_scan
from pipeline.storage.job_folder import sidecar_of
from pipeline.values.events import Silent
from tests.tiffs import noise


def test_what_is_not_declared_is_a_failure(studio, tmp_path):
    """An unknown tag that the sidecar names is accepted; one that it does not name is found in the source."""
    tags = [(60000 + n, "B", 5, b"12345", True) for n in range(2)]
    source, out = tmp_path / "a.tif", tmp_path / "out.tif"
    tifffile.imwrite(source, noise((40, 40), "u1"), photometric="minisblack", metadata=None, extratags=tags)
    choices = ScanChoices(weights=str(studio.weights), working_size=32, precision="fp32", tile=64, pyramid=False)
    ScanJob(str(source), out, choices, None, Silent()).color()
    assert all(finding.right for finding in verify_scan(str(source), out))
    story = json.loads(sidecar_of(out).read_text())
    story["not_carried_over"].remove("tag 60001 (5 bytes)")
    sidecar_of(out).write_text(json.dumps(story))
    assert [f.what for f in verify_scan(str(source), out) if not f.right] == ["tag 60001, page 0"]
