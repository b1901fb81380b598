"""Whatever a file is called, its name fits the page that two processes share, and comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.standing import WORDS, Standing


@given(st.text(max_size=4096), st.booleans())
def test_what_is_said_is_read(where, again):
    """The beginning of it, at least."""
    page = Standing()
    page.say(where, again)
    assert page.said() == (where[: WORDS // 8], again)


@pytest.mark.parametrize("sign", ["\U0001f39e", "\x01", "\udcff", '"'])
def test_the_widest_signs_fit(sign):
    """Of four bytes, of six when they are escaped, and bytes of a name that are no text."""
    page = Standing()
    page.say(sign * 4096, again=True)
    assert page.said() == (sign * (WORDS // 8), True)
