"""A file's name as FFmpeg takes it."""

from __future__ import annotations

from pathlib import Path


def local(path: str | Path) -> str:
    """Literally: it reads `reel 2: the sea.mkv` as an unknown protocol."""
    return f"file:{path}"
