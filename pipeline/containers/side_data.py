"""FFmpeg's kinds of side data, those among them for which PyAV 18.1 has no name.

PyAV asks its enumeration of kinds for each of a frame's before it gives any: one that is missing, such as Exif's, takes
the frame's captions, HDR metadata and display matrix with it. Whoever has `Type` from here meets a member for each.
"""

from __future__ import annotations

from typing import Any

from av.sidedata.sidedata import Type

__all__ = ["NEW", "UNKNOWN", "Type"]

NEW = {28: "LCEVC", 29: "VIEW_ID", 30: "REFERENCE_DISPLAYS_3D", 31: "EXIF"}
"""By FFmpeg's numbers (libavutil/frame.h, 8.1)."""


UNKNOWN = "KIND_"


def _member(kinds: Any, number: object) -> Any:
    """A kind by its number, under FFmpeg's name or UNKNOWN and the number."""
    if not isinstance(number, int):
        return None
    made = object.__new__(kinds)
    made._name_, made._value_ = NEW.get(number, f"{UNKNOWN}{number}"), number
    return made


_extended: Any = Type
_extended._missing_ = classmethod(_member)
