"""Installing what is missing: the command that works for how this program was installed, never by its bare name.

No project of this name is published, so whoever takes it there would be installed in its stead.
"""

from __future__ import annotations

import re
import shlex
import sys
from importlib import metadata
from pathlib import Path

PIP = f"{sys.executable} -m pip install"
CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder around the packages: a checkout, or where pip puts all of them."""


def install(extra: str) -> str:
    """The command that brings an extra: of the checkout, by its folder; else the extra's own packages, by name."""
    if is_checkout():
        return f"{PIP} -e {shlex.quote(f'{CHECKOUT}[{extra}]')}"
    needed = [line for line in requirements() if re.search(rf"extra == ['\"]{extra}['\"]", line)]
    if not needed:
        return f"{PIP} -e 'FOLDER[{extra}]'  (FOLDER: the checkout of chromatheque)"
    return " ".join([PIP, *(shlex.quote(line.partition(";")[0].strip()) for line in needed)])


def reinstall() -> str:
    """How to install this program again."""
    if is_checkout():
        return f"{PIP} -e {shlex.quote(str(CHECKOUT))}"
    return f"{PIP} --force-reinstall FOLDER  (the folder or wheel that chromatheque was installed from)"


def is_checkout() -> bool:
    """Whether the packages lie in a checkout."""
    return (CHECKOUT / "pyproject.toml").is_file()


def requirements() -> list[str]:
    """What the installed program states that it needs; nothing where it runs uninstalled."""
    try:
        return metadata.requires("chromatheque") or []
    except metadata.PackageNotFoundError:
        return []
