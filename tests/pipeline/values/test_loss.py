"""What an output does not hold: a value where it is found, words in a sidecar, and a value again where that is read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.values.loss import Loss

LOSSES = [
    (Loss("Halftone"), "Halftone"),
    (Loss("MakerNote", "it does not survive being moved"), "MakerNote (it does not survive being moved)"),
    (Loss("tag 50009", "no such numbers (of type 99)", 2), "page 2: tag 50009 (no such numbers (of type 99))"),
    (Loss("XMP beyond 64 KB", page=12), "page 12: XMP beyond 64 KB"),
]


@pytest.mark.parametrize(("loss", "text"), LOSSES)
def test_a_loss_survives_its_sidecar(loss, text):
    """Sidecars keep words: name, reason and page come back from them."""
    assert str(loss) == text
    assert Loss.of(text) == loss


@given(st.text())
@example("page 1: Halftone")
@example("page 02: Halftone")
@example("Halftone ()")
def test_whatever_a_sidecar_says_is_shown_as_it_is(text):
    """Sidecars of other versions and edited ones: no text is changed or refused."""
    assert str(Loss.of(text)) == text


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9 ]{0,20}[a-z]", fullmatch=True), st.text(min_size=1), st.integers(1, 999))
def test_any_reason_will_do(name, why, page):
    """Line ends and parentheses in a reason do not become part of the name."""
    assert Loss.of(str(Loss(name, why, page))) == Loss(name, why, page)
