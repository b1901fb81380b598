"""Spread: who works where. A pool knows units and nothing of what they are."""
