"""Remarks that several places make or look for, each in one wording."""

from __future__ import annotations

COLORED = "the source has color already; its luminance is used, its color is not"
INVERTED = "a negative, as asked: its positive is colored and written; color of its own is not kept"
NEGATIVE = "it looks like a negative, and is colored as it is; if it is one, color it with --invert"
TWICE = "turned around it looks like a negative; if it was none, color it without --invert"
ALPHA = "the source's transparency is not kept"


def assumed(what: str) -> str:
    """Of a fact that a file does not tell."""
    return f"the file does not say, so assumed: {what}"
