"""Field word: what a finished file itself says of its picture's fields, read from its bytes and not by FFmpeg.

Matroska has FlagInterlaced and FieldOrder (RFC 9559, 5.1.4.1.28.1 and .2), QuickTime and MP4 the box `fiel`.
"""

from __future__ import annotations

import struct
from pathlib import Path

from pipeline.containers.crop import sample_entries
from pipeline.containers.matroska import FIRST_FIELDS, own_fields

PROGRESSIVE = "progressive"


def field_word(path: Path, track: int = 0) -> str:
    """ "tff", "bff", "progressive", or "" where it says nothing. track: of the picture among those of pictures.

    Never raises for a file.
    """
    try:
        with path.open("rb") as file:
            if said := own_fields(file, track):
                return said
            for kind, data in sample_entries(file):
                if kind == b"fiel" and len(data) >= 2:
                    return PROGRESSIVE if data[0] == 1 else FIRST_FIELDS.get(data[1], "")
    except (ValueError, OSError, struct.error):
        return ""
    return ""
