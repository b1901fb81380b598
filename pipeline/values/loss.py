"""Loss: something of a source that an output does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pipeline.values.words import counted

TEXT = re.compile(r"(?:page (?P<page>\d+): )?(?P<name>.*?)(?: \((?P<why>.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Loss:
    """What, by the name that its format has for it, and why. page: of the output, from 1.

    Its text is what people read, and what sidecars keep: "page 2: MakerNote (it does not survive being moved)". A
    finding asks for the name, so that any word of the reason may change.
    """

    name: str
    why: str = ""
    page: int = 1

    def __str__(self) -> str:
        message = f"{self.name} ({self.why})" if self.why else self.name
        return message if self.page == 1 else f"page {self.page}: {message}"

    @classmethod
    def of(cls, text: str) -> Loss:
        """From a sidecar's text; of any text, what is shown again is that text."""
        found = TEXT.fullmatch(text)
        assert found is not None, "the pattern takes any text"
        read = cls(found["name"], found["why"] or "", int(found["page"] or 1))
        return read if str(read) == text else cls(text)


def is_declared(name: str, losses: Iterable[Loss]) -> bool:
    """Whether a name is among losses, on whichever page: by their texts, since a name may have parentheses of its own,
    and one that was read from a text ends before them."""
    texts = (str(replace(loss, page=1)) for loss in losses)
    return any(text == name or text.startswith(f"{name} (") for text in texts)


def declared_in(sidecar: dict[str, Any]) -> tuple[str, ...]:
    """What a sidecar's values name as lost, in their texts; what is no text is none."""
    texts = sidecar.get("not_carried_over", [])
    return tuple(text for text in texts if isinstance(text, str)) if isinstance(texts, list) else ()


def verdict(lost: int) -> str:
    """The last word on an output that has its name. lost: how many losses are named.

    "verified" alone is said only of one that holds all of its source.

    >>> verdict(0), verdict(1), verdict(3)
    ('verified', 'verified, but for 1 loss', 'verified, but for 3 losses')
    """
    return f"verified, but for {counted(lost, 'loss')}" if lost else "verified"
