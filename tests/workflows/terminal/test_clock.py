"""Times and numbers in words."""

import pytest

from pipeline.values.words import counted
from workflows.terminal.clock import clock, lasting


@pytest.mark.parametrize(("seconds", "wanted"), [(4.2, "0:04.2"), (59.96, "1:00.0"), (3723, "1:02:03.0")])
def test_a_time_is_a_players(seconds, wanted):
    """Tenths are rounded before minutes are counted."""
    assert clock(seconds) == wanted


@pytest.mark.parametrize(
    ("hours", "wanted"),
    [(0, "less than a minute"), (1 / 60, "about 1 minute"), (0.3, "about 18 minutes"), (1.48, "about 89 minutes"),
     (1.5, "about 1.5 hours"), (12, "about 12.0 hours")],
)  # fmt: skip
def test_a_duration_has_the_unit_a_person_would_choose(hours, wanted):
    """Minutes up to an hour and a half, then hours; never 0.0 hours."""
    assert lasting(hours) == wanted


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (0, "0 reels"),
        (1, "1 reel"),
        (1.0, "1 reel"),
        (0.26, "0.3 reels"),
        (9.96, "10.0 reels"),
        (12345, "12,345 reels"),
    ],
)
def test_a_number_agrees_with_its_noun(count, wanted):
    """One reel, any other number of reels; tenths below ten."""
    assert counted(count, "reel") == wanted
