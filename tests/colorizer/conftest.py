"""Every test starts from the same random state and leaves the caller's untouched."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import settings

from colorizer.networks import bins

settings.register_profile("chromatheque", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("chromatheque")


@pytest.fixture(autouse=True)
def _random_state() -> Iterator[None]:
    numbers, threads = np.random.get_state(), torch.get_num_threads()
    torch.set_num_threads(1)  # threads that wait for a busy core cost more than they bring
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    np.random.set_state(numbers)
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def centers() -> torch.Tensor:
    """The 313 bin centers; finding them takes seconds."""
    return bins.bin_centers()
