"""Shared by the tests with other readers: tiny weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.synthetic import tiny_weights


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that paint strong, arbitrary colors in no time."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
