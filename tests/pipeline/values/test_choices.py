"""What people type, read in one place; options and manifests are tried end to end elsewhere."""

import pytest

from pipeline.values.choices import bytes_of, yes_or_no


@pytest.mark.parametrize(
    ("text", "wanted"), [("0", 0), ("1", 1), ("800M", 800 << 20), ("0.5G", 1 << 29), ("2g", 2 << 30)]
)
def test_numbers_of_bytes(text, wanted):
    """With a unit or without."""
    assert bytes_of(text) == wanted


@pytest.mark.parametrize("text", ["0.1", "0.9", "-1", "many", ""])
def test_what_is_no_number_of_bytes(text):
    """A part of a byte is not rounded down to 0, which is no limit."""
    with pytest.raises(ValueError, match="write 800M or 2G"):
        bytes_of(text)


@pytest.mark.parametrize(("text", "wanted"), [("yes", True), (" TRUE", True), ("1", True), ("No", False), ("0", False)])
def test_yes_and_no(text, wanted):
    """As spreadsheets write them."""
    assert yes_or_no(text) is wanted


@pytest.mark.parametrize("text", ["perhaps", "2", "-", ""])
def test_what_is_neither_yes_nor_no(text):
    """It is not guessed."""
    with pytest.raises(ValueError, match="neither yes nor no"):
        yes_or_no(text)
