"""While libraries load nothing looks for garbage; afterwards it is looked for again, but not in what was loaded."""

import gc
from contextlib import suppress

import pytest

from workflows.terminal.loading import loading


@pytest.mark.parametrize("error", [None, ImportError("a library")])
def test_garbage_is_looked_for_again(error):
    """Also after an import that failed; what was loaded is passed over."""
    gc.unfreeze()
    try:
        with suppress(ImportError), loading("none"):
            assert not gc.isenabled()
            if error:
                raise error
        assert gc.isenabled()
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.enable()
