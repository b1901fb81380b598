"""Which weights are used when none are named. On its own, because naming them must not load torch."""

DEFAULT_WEIGHTS = "fast"
"""A name among those in the folder `weights`."""
