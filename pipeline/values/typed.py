"""Typed: whether values that were read from a file are what their classes say, before anything is made of them.

A plan or a receipt may have been edited, cut short or written by another program: a frame's time that is a text, a NaN
or a number that no container holds would end a night where it is used, far from the file that is to blame.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

WIDEST = 2**62
"""Integers are nearer to zero: two of them may be added, and containers hold them."""


def checked(value: Any) -> Any:
    """The dataclass, if all of its fields hold what its annotations say, and theirs. Raises ValueError."""
    owner: Any = type(value)
    for name, hint in _hints(owner).items():
        if not _fits(getattr(value, name), hint):
            raise ValueError(f"{name} holds what it cannot")
    return value


def fits(owner: Any, name: str, value: Any) -> bool:
    """Whether a value may stand in a field of a class."""
    return _fits(value, _hints(owner)[name])


@cache
def _hints(owner: Any) -> dict[str, Any]:
    hints = get_type_hints(owner)
    return {field.name: hints[field.name] for field in fields(owner)}


def _fits(value: Any, hint: Any) -> bool:
    if hint is int:
        return isinstance(value, int) and abs(value) < WIDEST
    if hint is float:
        return type(value) in (int, float) and isfinite(value)
    if hint is Any:
        return True
    if hint is None or hint is NoneType:
        return value is None
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if origin is tuple and args[-1] is not Ellipsis:
        return isinstance(value, tuple) and len(value) == len(args) and all(map(_fits, value, args))
    if origin in (tuple, list):
        return isinstance(value, origin) and all(_fits(one, args[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(k, args[0]) and _fits(v, args[1]) for k, v in value.items())
    if not isinstance(hint, type):
        return True
    return isinstance(value, hint) and (not is_dataclass(hint) or checked(value) is value)
