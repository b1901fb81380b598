"""A terminal shows ten lines of what is lost, and says how many more there are."""

from workflows.terminal.few import few


def test_ten_lines_are_shown():
    """All of ten; of more, nine and a count."""
    lost = [f"element {n}" for n in range(25)]
    assert few(lost[:10], "a.json") == lost[:10]
    assert few(lost, "a.json") == [*lost[:9], "16 more, all in a.json"]
    assert few([], "a.json") == []
