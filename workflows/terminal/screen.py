"""Screen: rich's console, whose own commands reach the terminal and nobody else's."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from workflows.terminal.plain import bare, plain


class Screen(Console):
    """See the module docstring."""

    def __init__(self, stderr: bool = False, **how: Any) -> None:
        how.setdefault("file", bare(sys.stderr if stderr else sys.stdout))  # bars put streams of theirs before both
        super().__init__(**how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich does it, made plain."""
        for part in super().render(renderable, options):
            yield part if part.control else Segment(plain(part.text), part.style)
