"""Where a reel's own colors begin and end: at once, for a while, to the frame; a fade and a flicker are neither."""

from types import SimpleNamespace

import pytest

from pipeline.reels import own_colors
from pipeline.reels.own_colors import ASKED, Answers, Asker, Colors
from tests.films import MEDIA, needs_media

GRAY, COLOR, TINT = Colors(False, False), Colors(True, True, 20), Colors(True, False, 20)


@pytest.fixture
def asked(monkeypatch):
    """Answers of frames that are values; and which frames were asked."""
    numbers = []

    def answer(frame):
        numbers.append(frame.index)
        return frame.colors

    monkeypatch.setattr(own_colors, "colors_of", answer)

    def answers(colors):
        asker, every = Asker(), Answers()
        for index, value in enumerate(colors):
            every.add(asker.ask(index, SimpleNamespace(index=index, colors=value)))
        assert every.frames == sorted(numbers)
        return every

    answers.numbers = numbers
    return answers


@pytest.mark.parametrize("at", range(12, 20))
@pytest.mark.parametrize("kinds", [(GRAY, COLOR), (COLOR, GRAY)])
def test_color_begins_and_ends_to_the_frame(asked, at, kinds):
    """Wherever it falls between two frames that are asked anyway; few others are asked."""
    answers = asked([kinds[0]] * at + [kinds[1]] * (40 - at))
    assert answers.turns(0, 40) == [at]
    assert len(asked.numbers) <= 40 // ASKED + ASKED - 1
    assert answers.turns(at, 40) == answers.turns(0, at) == []


@pytest.mark.parametrize(
    "colors",
    [
        [GRAY] * 20 + [COLOR] * 4 + [GRAY] * 20,
        [COLOR] * 20 + [GRAY] * 4 + [COLOR] * 20,
        [GRAY] * 20 + [TINT] * 20,
        [TINT] * 20 + [COLOR] * 20,
        [GRAY] * 20 + [Colors(True, True, min(i, 20)) for i in range(1, 40)],
        [Colors(True, True, 40 - i) for i in range(40)] + [GRAY] * 20,
    ],
    ids=["flash of color", "flash of gray", "tint", "out of a tint", "fade in", "fade out"],
)
def test_what_is_no_beginning_of_color(asked, colors):
    """Too short, not several hues, or little by little."""
    assert asked(colors).turns(0, len(colors)) == []


@pytest.mark.media
@needs_media
def test_a_cut_where_only_color_begins(studio):
    """Twelve gray frames, then twelve in color: two shots, of which the second keeps its colors."""
    plan = studio.plan(MEDIA / "faults" / "gray_then_color_hard_cut.mkv")
    assert [(shot.start, shot.stop, shot.kept) for shot in plan.shots] == [(0, 12, False), (12, 24, True)]
