"""What a package gives at its root, loaded when it is asked for: `import colorizer` alone loads no torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

VERSION = "__version__"


def version() -> str:
    """Of the installed program; "unknown" where its files were only copied."""
    from importlib import metadata  # here, since it takes a third of the time until a command listens to Ctrl-C

    try:
        return metadata.version("chromatheque")
    except metadata.PackageNotFoundError:
        return "unknown"


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package's root (PEP 562). homes: the module of each name."""

    def get(name: str) -> Any:
        if name != VERSION and name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = version() if name == VERSION else getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(sys.modules[package]), *homes, VERSION})
