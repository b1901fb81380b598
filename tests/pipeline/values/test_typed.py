"""What was read from a file is what its class says, or it is refused before anything is made of it."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.typed import WIDEST, checked, fits


@dataclass(frozen=True)
class Inner:
    """In another one."""

    rate: Fraction
    name: str = ""


@dataclass(frozen=True)
class Held:
    """One field of each kind."""

    inner: Inner
    times: tuple[int, ...] = ()
    share: float = 0.0
    size: tuple[int, int] = (1, 2)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    where: str | None = None
    kind: Literal["a", "b"] = "a"
    whatever: Any = None


SOUND = Held(Inner(Fraction(24)))
WRONG = {
    "inner": [None, {}, Inner(24), Inner(Fraction(1), 3)],
    "times": [[1], (1.0,), ("1",), (None,), (10**30,), (float("nan"),), 3],
    "share": [float("nan"), float("inf"), "0", None],
    "size": [(1,), (1, 2, 3), [1, 2], (1, "2")],
    "notes": [("a",), [1], "a", None],
    "counts": [{1: 1}, {"a": "b"}, [], None],
    "where": [1, []],
    "kind": ["c", None, 1],
}


def test_what_is_sound_passes():
    """With every kind of value where it belongs; the same value comes back."""
    held = replace(SOUND, times=(1, True, -5), share=1, notes=["x"], counts={"a": 2}, where="here", whatever=object())
    assert checked(held) is held


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values], ids=repr
)
def test_what_is_not_is_named(name, value):
    """By its field."""
    with pytest.raises(ValueError, match=f"{name if name != 'inner' else ''}.* holds what it cannot"):
        checked(replace(SOUND, **{name: value}))


@given(st.integers() | st.floats() | st.none() | st.text())
def test_one_field_is_asked_alone(value):
    """As of a state that is read field by field."""
    assert fits(Held, "where", value) == (value is None or isinstance(value, str))
    assert fits(Inner, "name", value) == isinstance(value, str)
    assert fits(Held, "times", (value,)) == (isinstance(value, int) and abs(value) < WIDEST)
