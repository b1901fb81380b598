"""Secrets in texts: names and passwords in URIs, keys and tokens in their queries; nobody is shown them."""

from __future__ import annotations

import re

SECRET = re.compile(r"([?&][^=&\s]*(?:token|key|sig|secret|password|credential)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE)
"""What a query says that is nobody's business."""
HOLDER = re.compile(r"(?<=://)[^/\s'\"]*@")
"""Name and password before a host or a bucket."""


def without_secrets(text: str) -> str:
    """Any text, with the URIs in it masked.

    >>> without_secrets("s3://me:word@films/a.mov: no such file")
    's3://films/a.mov: no such file'
    """
    return SECRET.sub(r"\1***", HOLDER.sub("", text))
