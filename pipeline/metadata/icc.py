"""The color profile that colored scans carry."""

from __future__ import annotations

import imagecodecs

DATE = slice(24, 36)
"""Where an ICC header holds its creation date (ICC.1:2022, 7.2)."""


def srgb_profile() -> bytes:
    """An sRGB display profile (IEC 61966-2-1), built by Little CMS, whose text says "No copyright, use freely".

    Its date is set to 2000-01-01, so that a repeated run writes the same bytes.
    """
    profile = bytearray(imagecodecs.cms_profile("srgb"))
    profile[DATE] = b"\x07\xd0\x00\x01\x00\x01\0\0\0\0\0\0"
    return bytes(profile)
