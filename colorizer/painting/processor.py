"""The processor: its name, and what it has in hardware for networks. Loads no library, so that a doctor may ask."""

from __future__ import annotations

import platform
from pathlib import Path

INFO = Path("/proc/cpuinfo")
"""Where Linux tells it; elsewhere nothing but a name is known."""

BF16 = ("amx_bf16", "avx512_bf16")
"""Flags of a processor that multiplies bfloat16."""


def processor_name() -> str:
    """What the maker calls it."""
    return _facts().get("model name") or platform.processor() or platform.machine()


def bf16_flags() -> list[str]:
    """Those of BF16 that the processor has."""
    return [flag for flag in BF16 if flag in _flags()]


def has_avx512() -> bool:
    """Whether it is known to have AVX-512."""
    return "avx512f" in _flags()


def _flags() -> list[str]:
    return _facts().get("flags", "").split()


def _facts() -> dict[str, str]:
    """The last core's lines; all are alike."""
    try:
        lines = INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
