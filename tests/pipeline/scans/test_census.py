"""A scan's proof walks its source anew: what no output holds is declared, or a failure."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

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


def transparent(path, kind):
    """A picture that something shows through."""
    gray, alpha = noise((40, 40), "u1"), noise((40, 40), "u1", 1)
    if path.suffix == ".tif":
        samples = np.dstack([gray, gray, gray, alpha])
        tifffile.imwrite(path, samples, photometric="rgb", metadata=None, extrasamples=["unassalpha"])
    elif kind == "one code":
        Image.fromarray(gray).save(path, transparency=3)
    else:
        samples = np.dstack([gray] * (1 if kind == "LA" else 3) + [alpha])
        Image.fromarray(samples, kind).save(path, **({"lossless": True} if path.suffix == ".webp" else {}))


SEEN_THROUGH = [("a.tif", "RGBA"), ("a.png", "RGBA"), ("a.png", "LA"), ("a.png", "one code"), ("a.webp", "RGBA"),
                ("a.jp2", "RGBA")]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), SEEN_THROUGH)
@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_lost_transparency_is_named(studio, tmp_path, name, kind, suffix):
    """Whatever the file: it is a loss, not a note alone, in the result, in the sidecar and for `verify`."""
    source, out = tmp_path / name, tmp_path / f"out{suffix}"
    transparent(source, kind)
    choices = ScanChoices(weights=str(studio.weights), working_size=32, precision="fp32", tile=64)
    lost = ScanJob(str(source), out, choices, None, Silent()).color().lost
    assert "transparency (no output has it)" in lost
    assert json.loads(sidecar_of(out).read_text())["not_carried_over"] == list(lost)
    found = verify_scan(str(source), out)
    assert all(finding.right for finding in found)
    assert [f.what for f in found if not f.holds].count("transparency") == 1
