"""The script that changes lines of the product: what it changes, and that it would see it."""

import ast

import pytest

from tests.checkout import ROOT, WINGS
from tests.mutants import changed, drawn, mutants, of_wing, suite


@pytest.mark.parametrize("wing", WINGS)
def test_every_wing_has_tests_to_run(wing):
    """A wing that nobody tests would have survivors only; the changed file's own tests come first."""
    found = suite(wing)
    assert found
    assert all((ROOT / path).exists() for path in found)


def test_a_files_own_tests_come_first():
    """Most mutants die there."""
    assert suite("pipeline.storage", "pipeline/storage/ledger.py")[0] == "tests/pipeline/storage/test_ledger.py"


def test_a_mutant_is_one_line_of_a_function():
    """Each is Python, differs in one line, and leaves docstrings, annotations and messages alone."""
    chosen = drawn(of_wing("pipeline.storage"), 20, 3)
    assert len({m.operator for m in chosen}) >= 5
    for mutant in chosen:
        before = (ROOT / mutant.path).read_text(encoding="utf-8")
        after = changed(mutant, before)
        lines = enumerate(zip(before.splitlines(), after.splitlines(), strict=True), 1)
        assert [number for number, (a, b) in lines if a != b] == [mutant.line]
        ast.parse(after)


def test_a_seed_draws_the_same_mutants():
    """A survivor can be looked at again."""
    found = of_wing("colorizer.basis")
    assert drawn(found, 6, 1) == drawn(found, 6, 1) != drawn(found, 6, 2)


SMALL = '''
LIMIT = 4

def clip(value: int = 3, low: float = 0.5) -> int:
    """Not 7."""
    if value and not low:
        raise ValueError(f"{value + 1} is more than 9")
    note(value)
    return min(value, 10) if value <= LIMIT else value + 1
'''


def test_what_is_changed(tmp_path, monkeypatch):
    """Every operator once, in code alone."""
    monkeypatch.setattr("tests.mutants.ROOT", tmp_path)
    (tmp_path / "a.py").write_text(SMALL)
    assert {(m.operator, m.now.strip()) for m in mutants("a.py")} == {
        ("and, or", "if value or not low:"), ("not dropped", "if value and low:"),
        ("negation", "if not (value and not low):"), ("call dropped", "pass"),
        ("min, max", "return max(value, 10) if value <= LIMIT else value + 1"),
        ("off by one", "return min(value, 11) if value <= LIMIT else value + 1"),
        ("comparison", "return min(value, 10) if value < LIMIT else value + 1"),
        ("arithmetic", "return min(value, 10) if value <= LIMIT else value - 1"),
        ("off by one", "return min(value, 10) if value <= LIMIT else value + 2"),
    }  # fmt: skip
