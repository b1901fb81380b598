"""Measures: what colors are worth, of stills and over time."""
