"""Every test starts from the same random state and leaves the caller's untouched."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from colorizer.networks import bins


@pytest.fixture(autouse=True)
def _random_state() -> Iterator[None]:
    numbers = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    np.random.set_state(numbers)


@pytest.fixture(scope="session")
def centers() -> torch.Tensor:
    """The 313 bin centers; finding them takes seconds."""
    return bins.bin_centers()
