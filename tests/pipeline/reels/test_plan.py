"""Plans: what a person may edit, what is refused, and which segments an edit touches."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.color.coding import Coding
from pipeline.containers.profiles import PROFILES
from pipeline.reels.plan import Plan, Shot, rising
from tests.plans import REEL, SETTINGS, ids, look, plan_of

stamps = st.lists(st.one_of(st.none(), st.integers(-5000, 5000)), max_size=40)


@given(stamps, st.integers(1, 100))
def test_times_rise_strictly(pts, step):
    """Whatever a file says, there is one time per frame, each later than the one before."""
    times, _ = rising(pts, step)
    assert len(times) == len(pts)
    assert all(a < b for a, b in pairwise(times))


@given(st.sets(st.integers(-5000, 5000)), st.integers(1, 100))
def test_good_times_are_kept(pts, step):
    """Times that rise already are not touched, and the second use changes nothing."""
    assert rising(sorted(pts), step) == (tuple(sorted(pts)), 0)


@given(stamps, st.integers(1, 100))
def test_changed_times_are_counted(pts, step):
    """The count is the number of frames whose time is not what the file said."""
    times, changed = rising(pts, step)
    assert changed == sum(a != b for a, b in zip(pts, times, strict=True))
    assert rising(list(times), step) == (times, 0)


@given(st.permutations(list(range(0, 200, 10))))
def test_times_on_the_wrong_frames_are_sorted(pts):
    """AVI and RealMedia hand out the right times in decoding order: all are kept, in order."""
    assert rising(list(pts), 10)[0] == tuple(range(0, 200, 10))


def test_missing_times_follow_their_predecessor():
    """One step after the frame before; a reel without any time starts at zero."""
    assert rising([None, None, None], 40) == ((0, 40, 80), 3)
    assert rising([100, None, 180], 40) == ((100, 140, 180), 1)
    assert rising([5, 5, 5], 40) == ((5, 6, 7), 2)


lengths = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@given(lengths, st.integers(1, 50), st.integers(0, 9))
def test_segments_partition_the_reel(lengths, longest, skip):
    """For any shots: every frame in exactly one segment, in order, none across a cut, none too long."""
    plan = plan_of(lengths, replace(SETTINGS, segment_frames=longest), skip=skip)
    segments = plan.units()
    assert [s.number for s in segments] == list(range(len(segments)))
    assert [i for s in segments for i in range(s.start, s.stop)] == list(range(len(plan.pts)))
    assert tuple(t for s in segments for t in s.pts) == plan.pts
    assert tuple(d for s in segments for d in s.digests) == plan.digests
    assert max(len(s.pts) for s in segments) <= longest
    assert all(s.offset == s.start + skip for s in segments)
    for segment in segments:
        [shot] = [s for s in plan.shots if s.start <= segment.start < s.stop]
        assert segment.stop <= shot.stop
        assert np.array_equal(segment.look, shot.look)
    pieces = [len(s.pts) for s in segments if s.start < plan.shots[0].stop]
    assert max(pieces) - min(pieces) <= 1


@given(lengths)
def test_durations_fill_the_time(lengths):
    """A frame lasts until the next one, the last for a nominal frame: no gap, no overlap."""
    plan = plan_of(lengths)
    shown = [(t, d) for s in plan.units() for t, d in zip(s.pts, s.durations, strict=True)]
    assert all(t + d == plan.next_pts(i + 1) for i, (t, d) in enumerate(shown))
    assert all(d > 0 for _, d in shown)


@given(lengths)
def test_ids_are_unique_and_repeatable(lengths):
    """No two segments share an id; the same plan gives the same ids, also after JSON."""
    plan = plan_of(lengths)
    assert len(set(ids(plan))) == len(ids(plan))
    assert ids(Plan.from_json(json.loads(json.dumps(plan.to_json())))) == ids(plan)


def changed(plan, **values):
    return replace(plan, **values)


def reel_with(**values):
    return lambda p: replace(p, reel=replace(p.reel, **values))


def settings_with(**values):
    return lambda p: replace(p, settings=replace(p.settings, **values))


TOUCHES = {
    "look": lambda p: replace(p, shots=tuple(replace(s, look=s.look + 1) for s in p.shots)),
    "digests": lambda p: replace(p, digests=tuple("f" + d[1:] for d in p.digests)),
    "times": lambda p: replace(p, pts=tuple(t + 1 for t in p.pts)),
    "skip": lambda p: replace(p, skip=3),
    "profile": settings_with(profile="access"),
    "weights": settings_with(weights_digest="cd" * 32),
    "working size": settings_with(working_size=256),
    "precision": settings_with(precision="bf16"),
    "looks": settings_with(looks="per-frame"),
    "batch": settings_with(batch=4),
    "range": reel_with(coding=Coding(8, False, "bt601", "smpte170m")),
    "primaries": reel_with(coding=Coding(8, True, "bt601", "bt470bg")),
    "tags": reel_with(tags=(1, 1, 1, 1)),
    "aspect": reel_with(aspect=Fraction(16, 15)),
    "rotation": reel_with(rotation=90),
    "fields": reel_with(fields="tff"),
    "rate": reel_with(rate=Fraction(25)),
    "time base": reel_with(time_base=Fraction(1, 90000)),
    "format": reel_with(pix_fmt="gray10le"),
}
SPARES = {
    "name of the weights": settings_with(weights="/elsewhere/first.safetensors"),
    "place of the source": reel_with(uri="/other/reel.mkv"),
    "promised frames": reel_with(header_frames=99),
    "scenes": lambda p: replace(p, shots=tuple(replace(s, scenes=(("beach", 0.1),)) for s in p.shots)),
    "notes": lambda p: replace(p, notes=("a remark",)),
    "source": lambda p: replace(p, source={"name": "renamed.mkv", "bytes": 1, "sha256": "00"}),
    "start and stop": settings_with(start="0", stop="999"),
}


@pytest.mark.parametrize("what", TOUCHES)
def test_what_changes_the_output_changes_every_id(what):
    """Each thing that changes packets makes every segment new work."""
    plan = plan_of([5, 7])
    assert not set(ids(plan)) & set(ids(TOUCHES[what](plan)))


@pytest.mark.parametrize(
    "changed",
    [
        {"options": (("level", "1"),)},
        {"threads": 1},
        {"environment": (("A", "1"),)},
        {"encoder": "huffyuv"},
        {"depths": (16,)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_how_the_encoder_is_set_changes_every_id(changed, monkeypatch):
    """A job begun before an encoder was set anew does not join packets of both."""
    plan = plan_of([5, 7])
    before, profile = set(ids(plan)), PROFILES[plan.settings.profile]
    monkeypatch.setitem(PROFILES, profile.name, replace(profile, codec=replace(profile.codec, **changed)))
    assert not before & set(ids(plan))


@pytest.mark.parametrize("what", SPARES)
def test_what_does_not_change_the_output_changes_no_id(what):
    """A moved source or renamed weights keep all work done."""
    plan = plan_of([5, 7])
    assert ids(SPARES[what](plan)) == ids(plan)


@settings(max_examples=30)
@given(st.lists(st.integers(2, 30), min_size=2, max_size=6), st.data())
def test_an_edited_shot_changes_its_own_segments_only(lengths, data):
    """Another look for one shot: its segments are new, all others are kept."""
    plan = plan_of(lengths, replace(SETTINGS, segment_frames=10))
    index = data.draw(st.integers(0, len(lengths) - 1))
    shots = list(plan.shots)
    shots[index] = replace(shots[index], look=look(99))
    edited = replace(plan, shots=tuple(shots))
    for a, b in zip(plan.units(), edited.units(), strict=True):
        inside = shots[index].start <= a.start < shots[index].stop
        assert (a.id != b.id) == inside


def test_merged_shots_keep_their_neighbors():
    """Merging two shots of three leaves the third one's work done."""
    plan = plan_of([6, 6, 6])
    first, second, third = plan.shots
    merged = replace(plan, shots=(replace(first, stop=second.stop), third))
    assert set(ids(plan)) & set(ids(merged)) == {plan.units()[2].id}


@given(lengths, st.text(max_size=9), st.dictionaries(st.integers(0, 99), st.text(max_size=5), max_size=3))
def test_a_plan_survives_json(lengths, note, damaged):
    """from_json of to_json is the same plan, through real JSON text, looks bit for bit."""
    plan = plan_of(lengths, notes=(note,), damaged_frames=damaged, damaged_packets={"x": 2}, seekable=False, retimed=2)
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again.to_json() == plan.to_json()
    assert again.units()[0].id == plan.units()[0].id
    assert [s.look.tobytes() for s in again.shots] == [s.look.tobytes() for s in plan.shots]
    assert again.damaged_frames == damaged
    assert again.reel == plan.reel
    assert again.settings == plan.settings


BROKEN = {
    "a digest too few": lambda p: replace(p, digests=p.digests[:-1]),
    "times that fall": lambda p: replace(p, pts=p.pts[::-1]),
    "equal times": lambda p: replace(p, pts=(p.pts[0], *p.pts[:-1])),
    "a hole between shots": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], start=7))),
    "overlapping shots": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], start=5))),
    "a shot too short": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], stop=11))),
    "a shot too long": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], stop=13))),
    "no shots": lambda p: replace(p, shots=()),
    "an empty shot": lambda p: replace(p, shots=(Shot(0, 0, look(1)), *p.shots)),
    "a shot backwards": lambda p: replace(p, shots=(Shot(0, 8, look(1)), Shot(8, 6, look(1)), Shot(6, 12, look(1)))),
    "an empty look": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], look=look(1)[:0]))),
    "looks of two lengths": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], look=look(1)[:5]))),
    "a look that is no number": lambda p: replace(p, shots=(p.shots[0], replace(p.shots[1], look=look(1) * np.nan))),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_impossible_plan_is_refused(what):
    """An edit that breaks the plan is noticed when it is read, not hours later."""
    plan = plan_of([6, 6])
    with pytest.raises(ValueError):
        BROKEN[what](plan)


def test_a_look_of_another_length_is_refused():
    """The network's own length passes; another one is named with its shot."""
    plan = plan_of([6, 6])
    plan.check_looks(16)
    with pytest.raises(ValueError, match="the shot at frame 0 has 16 numbers, the network wants 32"):
        plan.check_looks(32)


@pytest.mark.parametrize("name", ["profile", "working_size", "precision", "looks", "batch", "segment_frames"])
def test_a_survey_holds_for_other_settings(name):
    """What does not change frames or network does not ask for another survey."""
    plan = plan_of([6])
    assert plan.surveyed_like(REEL, "00", replace(SETTINGS, **{name: "other"}))


@pytest.mark.parametrize("name", ["weights_digest", "start", "stop"])
def test_a_survey_is_of_its_frames_and_weights(name):
    """Another piece, other weights or another source is another survey; a piece of pictures also at another rate."""
    plan = plan_of([6])
    assert not plan.surveyed_like(REEL, "00", replace(SETTINGS, **{name: "1"}))
    assert not plan.surveyed_like(REEL, "01", SETTINGS)
    piece, faster = replace(SETTINGS, start="1"), replace(REEL, rate=Fraction(18))
    assert plan.surveyed_like(faster, "00", SETTINGS)
    assert plan_of([6], piece).surveyed_like(faster, "00", piece), "its frames have times of their own"
    pictures = replace(plan_of([6], piece), reel=replace(REEL, count=6))
    assert not pictures.surveyed_like(replace(faster, count=6), "00", piece)


def test_another_format_is_refused():
    """A plan of another program version says which."""
    values = plan_of([3]).to_json()
    with pytest.raises(ValueError, match="format 99"):
        Plan.from_json({**values, "format": 99})


def test_a_plan_prints_without_its_numbers():
    """repr holds no looks, digests or times."""
    plan = plan_of([50])
    assert "0000" not in repr(plan.units()[0]).replace(plan.units()[0].id, "")
    assert "array" not in repr(plan)
