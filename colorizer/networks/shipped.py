"""Shipped weights: which there are, and which are used when none are named.

On its own, because naming them must not load torch.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

DEFAULT_WEIGHTS = "fast"
"""A name among those in the folder `weights`."""


def shipped(name: str) -> Path | None:
    """The file of a shipped weights name, or None."""
    return _folder() / f"{name}.safetensors" if name in names() else None


def names() -> list[str]:
    """Names of the weights that ship with the program."""
    return sorted(p.stem for p in _folder().glob("*.safetensors"))


def _folder() -> Path:
    return Path(str(resources.files("colorizer"))) / "weights"
