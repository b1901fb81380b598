"""What the tests that read the source share: where it lies, its wings, and a fresh interpreter."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "python-api.md"
ROOTS = ("colorizer", "pipeline", "workflows")
WINGS = (
    "colorizer.basis", "colorizer.color", "colorizer.networks", "colorizer.painting", "colorizer.training",
    "colorizer.measures",
    "pipeline.values", "pipeline.storage", "pipeline.spread", "pipeline.census", "pipeline.containers",
    "pipeline.metadata", "pipeline.stills", "pipeline.reels", "pipeline.pages", "pipeline.scans", "pipeline.jobs",
    "pipeline.collection",
    "workflows.terminal", "workflows.report", "workflows.sheets", "workflows.bench", "workflows.demo",
    "workflows.commands",
)  # fmt: skip
"""In order: a wing imports only itself and those before it. What each is for stands in its `__init__.py`."""


def files(*packages):
    """Paths of the packages' modules, relative to the root."""
    return [
        str(path.relative_to(ROOT)) for package in packages for path in sorted((ROOT / package).rglob("*.py"))
    ]  # fmt: skip


def fresh(code):
    """Run code in a new interpreter; what it printed."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env, cwd=ROOT)
    return done.stdout
