"""The token that a Ray cluster wants of who joins it: found where Ray looks for it, and looked at before Ray does.

Ray warns in several lines of a token that is missing, and its C++ side ends the process, if it does not like one.
"""

from __future__ import annotations

import os
from pathlib import Path

from colorizer.basis.errors import ColorizeError

SET_TOKEN = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH to the file that holds it (or RAY_AUTH_TOKEN to the token)"


def wanted(address: str) -> ColorizeError:
    """The cluster at `address` wants a token, and this process has none or another."""
    return ColorizeError(f"Ray at {address} wants its token: {SET_TOKEN}")


def check_token(address: str) -> None:
    """Whether this process has a token that can be sent, if its environment says that it sends one.

    Raises ColorizeError, which says where the token was looked for and never what it is.
    """
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        return
    token = os.environ.get("RAY_AUTH_TOKEN", "").strip() or _in_file(address)
    if not token:
        raise wanted(address)
    if not (token.isascii() and token.isprintable()):
        raise ColorizeError(f"the token for Ray at {address} is not plain text; {SET_TOKEN}")


def _in_file(address: str) -> str:
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return Path(path or "~/.ray/auth_token").expanduser().read_text("utf-8", "replace").strip()
    except OSError as error:
        if not path:
            return ""
        why = error.strerror or type(error).__name__
        raise ColorizeError(f"no token for Ray at {address} in {path}: {why}; {SET_TOKEN}") from error
