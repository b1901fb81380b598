"""Edits of plans: whatever is merged, split and borrowed, the shots cover the reel and untouched work stays done."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.jobs.edits import borrowed, merged, relooked, split
from pipeline.reels.plan import Plan
from pipeline.values.look_source import LookSource, in_words, united
from tests.plans import SETTINGS, ids, look, plan_of

PICTURE = LookSource(picture="meadow.jpg", sha256="ab" * 32)
lengths = st.lists(st.integers(1, 30), min_size=1, max_size=7)


def draw_edit(data, plan):
    """A random edit that is possible: its name, the frames it touches, and the edited plan."""
    count = len(plan.shots)
    long = [n for n, s in enumerate(plan.shots) if s.stop - s.start > 1]
    names = ["borrow", "picture", *(["merge"] if count > 1 else []), *(["split"] if long else [])]
    name = data.draw(st.sampled_from(names))
    if name == "merge":
        first = data.draw(st.integers(0, count - 2))
        last = data.draw(st.integers(first + 1, count - 1))
        return name, range(plan.shots[first].start, plan.shots[last].stop), merged(plan, first, last)
    if name == "split":
        shot = plan.shots[number := data.draw(st.sampled_from(long))]
        frame = data.draw(st.integers(shot.start + 1, shot.stop - 1))
        return name, range(shot.start, shot.stop), split(plan, number, frame)
    number = data.draw(st.integers(0, count - 1))
    touched = range(plan.shots[number].start, plan.shots[number].stop)
    if name == "picture":
        return name, touched, relooked(plan, [number], look(data.draw(st.integers(50, 60))), (PICTURE,))
    return name, touched, borrowed(plan, [number], data.draw(st.integers(0, count - 1)))


@settings(max_examples=80)
@given(lengths, st.data())
def test_edits_keep_the_reel_whole(lengths, data):
    """After any edits the shots follow each other over all frames (or Plan refuses), and frames and digests stay.

    Segments outside the frames that an edit touches keep their ids; and the plan survives its JSON.
    """
    plan = plan_of(lengths, replace(SETTINGS, segment_frames=10))
    for _ in range(data.draw(st.integers(1, 5))):
        _, touched, edited = draw_edit(data, plan)
        assert (edited.pts, edited.digests) == (plan.pts, plan.digests)
        assert [f for s in edited.shots for f in range(s.start, s.stop)] == list(range(len(plan.pts)))
        kept = set(ids(edited))
        assert all(s.id in kept for s in plan.units() if s.start not in touched)
        again = Plan.from_json(json.loads(json.dumps(edited.to_json())))
        assert again.to_json() == edited.to_json()
        plan = edited


@given(lengths.filter(lambda x: max(x) > 1), st.data())
def test_merging_undoes_splitting(lengths, data):
    """merge(split(x)) is x, bit for bit, whatever look the shot had and wherever it was split."""
    plan = plan_of(lengths)
    if data.draw(st.booleans()):
        _, _, plan = draw_edit(data, plan)
    long = [n for n, s in enumerate(plan.shots) if s.stop - s.start > 1]
    if not long:
        return
    number = data.draw(st.sampled_from(long))
    shot = plan.shots[number]
    parts = split(plan, number, data.draw(st.integers(shot.start + 1, shot.stop - 1)))
    assert len(parts.shots) == len(plan.shots) + 1
    assert merged(parts, number, number + 1).to_json() == plan.to_json()


@given(lengths.filter(lambda x: max(x) > 1), st.data())
def test_both_parts_of_a_split_keep_the_look(lengths, data):
    """Law 3: a split alone changes no color; where the look was computed is remembered."""
    plan = plan_of(lengths)
    long = [n for n, s in enumerate(plan.shots) if s.stop - s.start > 1]
    number = data.draw(st.sampled_from(long))
    shot = plan.shots[number]
    parts = split(plan, number, data.draw(st.integers(shot.start + 1, shot.stop - 1)))
    for part in parts.shots[number : number + 2]:
        assert part.look.tobytes() == shot.look.tobytes()
        assert part.scenes == shot.scenes
        assert part.look_from == (LookSource(frames=(shot.start, shot.stop)),)


@given(lengths.filter(lambda x: len(x) > 1))
def test_a_merged_look_is_the_mean_by_frames(lengths):
    """Longer shots weigh more; merging step by step or at once is the same but for rounding; it is the shot's own."""
    plan = plan_of(lengths)
    whole = merged(plan, 0, len(lengths) - 1)
    expected = sum(s.look.astype(float) * n for s, n in zip(plan.shots, lengths, strict=True)) / sum(lengths)
    assert np.allclose(whole.shots[0].look, expected, rtol=0, atol=1e-6)
    assert whole.shots[0].look_from == ()
    steps = plan
    while len(steps.shots) > 1:
        steps = merged(steps, 0, 1)
    assert np.allclose(steps.shots[0].look, expected, rtol=0, atol=1e-5)


def test_scene_tags_of_merged_shots_are_weighted():
    """Tags are averaged by frames, the likeliest come first, and there are no more than before."""
    plan = plan_of([1, 3])
    tags = ((("barn", 0.8), ("beach", 0.2)), (("street", 0.6), ("barn", 0.4)))
    plan = replace(plan, shots=tuple(replace(s, scenes=t) for s, t in zip(plan.shots, tags, strict=True)))
    assert merged(plan, 0, 1).shots[0].scenes == (("barn", 0.5), ("street", 0.45))


def test_a_look_remembers_where_it_really_is_from():
    """Borrowed of a shot that has it from a picture, it is the picture's; given back to its own shot, its own again."""
    plan = relooked(plan_of([4, 4, 4]), [0], look(99), (PICTURE,))
    plan = borrowed(plan, [1], 0)
    assert plan.shots[1].look_from == (PICTURE,)
    plan = borrowed(plan, [0], 2)
    assert plan.shots[0].look_from == (LookSource(frames=(8, 12)),)
    assert borrowed(plan, [2], 0).shots[2].look_from == ()
    both = merged(borrowed(plan, [0], 2), 0, 1)
    assert both.shots[0].look_from == (LookSource(frames=(8, 12)), PICTURE)


def test_spans_are_united():
    """Frames that touch become one span, each other source is named once."""
    sources = [LookSource(frames=(5, 9)), PICTURE, LookSource(frames=(0, 5)), PICTURE, LookSource(frames=(20, 21))]
    assert united(sources) == (LookSource(frames=(0, 9)), LookSource(frames=(20, 21)), PICTURE)


def test_sources_in_words():
    """Shots by the number they have now, else their frames; pictures by name and digest; pages."""
    spans = [(0, 10), (10, 20)]
    assert in_words((LookSource(frames=(10, 20)), PICTURE), spans) == "shot 2 and meadow.jpg (sha256 abababababab)"
    assert in_words((LookSource(frames=(10, 15)),), spans) == "frames 10 to 14"
    assert in_words((LookSource(page=3),), []) == "page 3"
    assert in_words((), spans) == ""


def test_a_plan_without_sources_is_as_it_was():
    """An unedited plan has no field for them, and one that was written before they were known loads."""
    plan = plan_of([4, 4])
    assert all("look_from" not in shot for shot in plan.to_json()["shots"])
    assert Plan.from_json(plan.to_json()).shots[0].look_from == ()


def test_sources_change_no_id():
    """Only the look itself changes what is painted."""
    plan = plan_of([4, 4])
    told = replace(plan, shots=tuple(replace(s, look_from=(PICTURE,)) for s in plan.shots))
    assert ids(told) == ids(plan)


@pytest.mark.parametrize(
    "values",
    [{}, {"frames": [3, 3]}, {"frames": [-1, 3]}, {"frames": [1]}, {"picture": "a.jpg"}, {"page": "first"}, 7, "x",
     {"picture": "a", "sha256": "x"}],
    ids=str,
)  # fmt: skip
def test_a_source_that_is_none_is_refused(values):
    """What a person may have typed into the plan by mistake is an error of the plan, not a bug."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        LookSource.from_json(values)
