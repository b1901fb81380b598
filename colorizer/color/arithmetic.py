"""Arithmetic: which numbers this version paints. What is painted in units goes by it, so that none mixes two."""

from __future__ import annotations

ARITHMETIC = 2
"""Grows whenever the same weights, look and luma give other codes, be it in the last place."""
