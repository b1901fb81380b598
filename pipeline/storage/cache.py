"""The cache: the folder of what can be made again, such as measured speeds, fetched files and converted pictures."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """In $XDG_CACHE_HOME, else in ~/.cache; it need not exist. A path that is not absolute is not believed (XDG)."""
    asked = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (asked if asked.is_absolute() else Path.home() / ".cache") / "chromatheque"
