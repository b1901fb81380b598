"""Claims: words of a file about its own bytes. An output has other bytes, so that no claim may come along."""

from __future__ import annotations

import re

NAMES = re.compile(
    r"rawcooked|qctools|checksum|frame_?(md5|hash|crc)|(?<![a-z0-9])(md5|sha-?(1|256|512)|crc32)(sum)?s?(?![a-z0-9])",
    re.IGNORECASE,
)
"""In the name of a tag, in the name or kind of an attachment. A tool that believes it would restore the colored picture
as the scan, or find it damaged."""
VALUES = re.compile(
    r"\s*(#format: frame checksums.*|(md5|sha-?(1|256|512)|crc-?32|adler-?32)(sum)?[\s:=(]+(0x)?[0-9a-f]{8,128}\W*)",
    re.IGNORECASE | re.DOTALL,
)
"""A text that is a digest with its kind and nothing else, or a list of frames' digests. Of bare digits nobody knows
what they are of: many catalogs number things so."""


def claim(name: str, value: str = "") -> str:
    """The words by which a tag or an attachment speaks of the bytes that it came with; "" if it does not.

    >>> claim("MD5SUM", "d41d8cd98f00b204e9800998ecf8427e"), claim("list.framemd5"), claim("title", "Sum of parts")
    ('MD5SUM', 'framemd5', '')
    >>> claim("comment", "md5: d41d8cd98f00b204e9800998ecf8427e"), claim("comment", "see md5: 4 in the catalog")
    ('md5: d41d8cd98f00b204e9800998ecf8427e', '')
    """
    found = NAMES.search(name) or VALUES.fullmatch(value)
    return found[0].strip()[:80] if found else ""


def why_not(claimed: str) -> str:
    """Why it does not come along, in words. claimed: as `claim` gives it."""
    return f"it speaks of the source's own bytes ({claimed}), which are others here"
