"""What the pipeline's tests share: a tiny painter, plans and whole jobs of stamped reels."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from colorizer.networks import weights_file as weights
from colorizer.painting.colorizer import Colorizer
from pipeline.jobs.reel_job import ReelChoices, ReelJob, identity
from pipeline.reels.plan import Plan, Settings
from pipeline.reels.reel import probe
from pipeline.reels.survey import survey
from pipeline.spread import apart
from pipeline.values.events import Silent
from tests.synthetic import tiny_weights


class Studio:
    """Tiny weights on a CPU, and what is made with them."""

    def __init__(self, folder: Path) -> None:
        self.weights = tiny_weights(folder / "tiny.safetensors")
        self.loaded = weights.load(self.weights)
        self.colorizer = Colorizer(self.loaded)

    def settings(self, profile: str = "archive", **choices) -> Settings:
        """Settings of a quick job."""
        return Settings(profile, str(self.weights), self.loaded.digest, 32, "fp32", **choices)

    def plan(self, source: Path | str, profile: str = "archive", rate: Fraction | None = None, **choices) -> Plan:
        """The survey of a reel."""
        reel = probe(str(source), rate)
        return survey(reel, identity(reel), self.settings(profile, **choices), self.colorizer)

    def color(self, source: Path | str, out: Path, **choices) -> SimpleNamespace:
        """A whole job, checked and published; its findings by name."""
        asked = ReelChoices(**{"weights": str(self.weights), "working_size": 32, "precision": "fp32", **choices})
        result = ReelJob(str(source), out, asked, None, Silent()).color()
        return SimpleNamespace(
            plan=result.plan, findings={f.what: f for f in result.findings}, lost=result.lost, out=probe(str(out))
        )


@pytest.fixture(scope="session")
def studio(tmp_path_factory) -> Studio:
    """One tiny painter for all tests."""
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture
def apart_with(monkeypatch) -> Iterator[Callable[[str], None]]:
    """Puts a stand-in, by its module's name, into the process apart."""
    with ExitStack() as begun:

        def start(module: str) -> None:
            process = apart.Apart([module])
            begun.callback(process.close)
            monkeypatch.setattr(apart, "APART", process)

        yield start
