"""What another instruction set changes: chroma, by a code, in few samples; never luma.

The sets are those of this processor, each in a process of its own. docs/proof.md states the bounds.
"""

import json

import numpy as np
import pytest

from tests.instruction_sets import GOLDEN, HERE, digests, here, paint

FRACTION = {"fp32": 0.003, "bf16": 0.04}
"""Of the chroma of a reel and the samples of a scan: how many may differ between two sets, by one code."""


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """With every set that there is."""
    return paint(tmp_path_factory.mktemp("sets"))


@pytest.mark.slow
@pytest.mark.skipif(len(HERE) < 2, reason="the processor has one instruction set")
@pytest.mark.parametrize("kind", ["reel", "scan"])
@pytest.mark.parametrize("precision", list(FRACTION))
@pytest.mark.parametrize("name", HERE[1:])
def test_chroma_moves_by_a_code_at_most(painted, kind, precision, name):
    """Against the plainest set: luma is the same in every sample, of the rest few differ, by one code."""
    (luma, color), (other_luma, other) = painted[precision, "default", kind], painted[precision, name, kind]
    assert np.array_equal(luma, other_luma)
    apart = np.abs(color.astype(int) - other)
    print(f"{precision} {name} {kind}: {(apart > 0).sum()} of {apart.size} samples, by up to {apart.max()}")
    assert apart.max() <= 1
    assert (apart > 0).mean() <= FRACTION[precision]


@pytest.mark.slow
def test_the_same_processor_paints_the_same(painted):
    """The digests that are kept, where processor and torch are those that they were made with."""
    kept = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if {name: kept.get(name) for name in here()} != here():
        pytest.skip(f"kept of {kept['processor']} with torch {kept['torch']}; this is {here()}")
    found = digests(painted)
    assert {name: kept["digests"].get(name) for name in found} == found, "python -m tests.instruction_sets keeps them"
