"""Sequence: how a pattern names numbered pictures, as in frames/%06d.dpx."""

import re

NUMBERED = re.compile(r"%0(\d)d")
"""The number's place in a pattern, and how many digits it has at least."""
