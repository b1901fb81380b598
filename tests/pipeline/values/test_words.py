"""Words: numbers with their nouns, in the singular too, and damage as a person reads it."""

import pytest

from pipeline.values.words import HARM, counted, harm


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (0.3, "0.3 frames"), (12345, "12,345 frames")]
)
def test_a_number_has_its_noun(count, text):
    """One is one."""
    assert counted(count, "frame") == text


@pytest.mark.parametrize("name", [*HARM, "SomethingNew"])
def test_damage_is_a_sentence(name):
    """In the singular and in the plural; no class of errors is left that has words."""
    one, many = harm({name: 1}), harm({name: 331})
    assert one.startswith("1 packet ")
    assert many.startswith("331 packets ")
    verb, verbs = one.split()[2], many.split()[2]
    assert (verb, verbs) == ("cannot", "cannot") or verb in (f"{verbs}s", f"{verbs}es")
    assert (name in one) == (name not in HARM)
