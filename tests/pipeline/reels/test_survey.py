"""The survey: cuts, looks, times, pieces, damage and remarks of a reel, out of one decode."""

from fractions import Fraction

import av.logging
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import DamagedSource, SourceError
from pipeline.reels.frames import luma_digest
from pipeline.reels.plan import Plan
from pipeline.reels.reel import probe
from pipeline.reels.survey import CANDIDATES, LOOK_FRAMES, Candidates, survey, survey_shots
from tests.synthetic import read_stamp, stamped, write_reel, write_sequence

FRAMES, CUTS = 30, (10, 19)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("survey")


@pytest.fixture(scope="module")
def cut_reel(folder):
    """Three shots of 10, 9 and 11 frames."""
    return write_reel(folder / "cuts.mkv", FRAMES, cuts=CUTS)


@pytest.fixture(scope="module")
def plan(studio, cut_reel):
    return studio.plan(cut_reel)


def test_cuts_are_found(plan):
    """Each stamped cut is the first frame of a shot, and no other frame is."""
    assert tuple(s.start for s in plan.shots) == (0, *CUTS)
    assert plan.shots[-1].stop == FRAMES


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "gray"])
def test_cuts_survive_coding(studio, folder, codec):
    """Lossy coding and full range move no cut."""
    how = {"pix_fmt": "gray"} if codec == "gray" else {"codec": codec, "options": {"b": "4M"}}
    path = write_reel(folder / f"cuts-{codec}.mkv", FRAMES, cuts=CUTS, **how)
    assert tuple(s.start for s in studio.plan(path).shots) == (0, *CUTS)


def test_a_plan_knows_every_frame(plan, cut_reel):
    """Times and luma digests of all frames, in order; the file's own times are trusted."""
    assert plan.digests == tuple(luma_digest(stamped(i, shot=sum(c <= i for c in CUTS))) for i in range(FRAMES))
    assert [p * plan.reel.time_base for p in plan.pts] == pytest.approx([i / 24 for i in range(FRAMES)], abs=0.0006)
    assert (plan.seekable, plan.retimed, plan.skip, plan.colored_source) == (True, 0, 0, False)
    assert plan.source["bytes"] == cut_reel.stat().st_size


def test_a_look_is_the_mean_of_its_shot(plan, studio):
    """A shot's look is the average of frames of that shot; the shots' looks differ; scenes are the classifier's."""
    reel, looks = plan.reel, [s.look for s in plan.shots]
    for number, shot in enumerate(plan.shots):
        pictures = [
            studio.colorizer.whole(stamped(i, shot=number), reel.coding, reel.geometry)
            for i in range(shot.start, shot.stop)
        ]
        each, _ = studio.colorizer.look(np.stack(pictures))
        assert (shot.look >= each.min(0) - 1e-5).all()
        assert (shot.look <= each.max(0) + 1e-5).all()
        assert {name for name, _ in shot.scenes} == {"barn", "beach", "street"}
        assert sum(p for _, p in shot.scenes) == pytest.approx(1, abs=0.01)
    assert min(np.abs(looks[a] - looks[b]).max() for a, b in ((0, 1), (1, 2), (0, 2))) > 1e-3


def test_the_survey_is_repeatable(plan, studio, cut_reel):
    """Twice the same reel, twice the same plan."""
    assert studio.plan(cut_reel).to_json() == plan.to_json()


def test_the_reader_is_told_of_progress(studio, cut_reel):
    """report counts frames, each once."""
    told = []
    survey(probe(str(cut_reel)), {"sha256": ""}, studio.settings(), studio.colorizer, told.append)
    assert told == list(range(1, FRAMES + 1))


PIECES = [("0.25", "0.75", 6, 18), ("", "0.5", 0, 12), ("0.5", "", 12, 30), ("00:00:00:10", "00:00:00:11", 10, 11)]


@pytest.mark.parametrize(("start", "stop", "first", "end"), PIECES)
@pytest.mark.parametrize("suffix", [".mov", ".ts", "dpx"])
def test_a_piece_is_exactly_its_frames(studio, folder, suffix, start, stop, first, end):
    """start and stop count from the reel's first frame, whatever time its clock begins at; stop is exclusive."""
    if suffix == "dpx":
        source = write_sequence(folder / "dpx", "dpx", 10, frames=FRAMES, first=7)
    else:
        pix_fmt = "yuv422p10le" if suffix == ".mov" else "yuv420p"
        base = {"time_base": Fraction(1, 24000)} if suffix == ".mov" else {}
        source = write_reel(folder / f"piece{suffix}", FRAMES, pix_fmt=pix_fmt, **base)
    whole, piece = studio.plan(source), studio.plan(source, start=start, stop=stop)
    assert piece.skip == first
    assert piece.digests == whole.digests[first:end]
    assert piece.pts == whole.pts[first:end]
    assert piece.shots[-1].stop == end - first
    assert all(s.offset == s.start + first for s in piece.units())


def test_an_empty_piece_is_refused(studio, cut_reel):
    """A piece outside the reel names its ends."""
    with pytest.raises(SourceError, match="no frame between 5 and the end"):
        studio.plan(cut_reel, start="5")
    with pytest.raises(SourceError, match="no frame between 1 and 1"):
        studio.plan(cut_reel, start="1", stop="1")


def test_guesses_and_broken_promises_are_noted(studio, folder):
    """What the file leaves open, and a header that promises more than there is."""
    path = write_reel(folder / "promise.avi", 20)
    data = path.read_bytes()
    short = folder / "short.avi"
    short.write_bytes(data[: len(data) * 6 // 10])
    plan = studio.plan(short)
    assert any("assumed: matrix bt601" in note for note in plan.notes)
    packets = plan.account["packets"]
    assert any(f"promises 20 frames, the file has packets of {packets}" in note for note in plan.notes)
    whole = studio.plan(path)
    assert not any("promises" in note for note in whole.notes)


def damaged(path, target, places):
    """Flip a byte in the middle of these packets."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(video=0) if p.size]
    for i in places:
        at = data.find(packets[i])
        assert at >= 0
        data[at + len(packets[i]) // 2] ^= 0xFF
    target.write_bytes(data)
    return target


@pytest.fixture(scope="module")
def checked(folder):
    options = {"level": "3", "slicecrc": "1", "g": "1"}
    return write_reel(folder / "checked.mkv", 20, options=options)


def test_damaged_frames_are_named(studio, checked, folder):
    """A few frames with wrong checksums: the plan lists exactly those, and the run goes on."""
    plan = studio.plan(damaged(checked, folder / "few.mkv", (3, 12)))
    assert set(plan.damaged_frames) == {3, 12}
    assert len(plan.pts) == 20
    piece = studio.plan(folder / "few.mkv", start="0.25")  # frame 6 on
    assert set(piece.damaged_frames) == {12 - piece.skip}


def test_mostly_damaged_reels_are_refused(studio, checked, folder):
    """Two fifths of the frames wrong is still colored, one more is not."""
    assert len(studio.plan(damaged(checked, folder / "fifths.mkv", range(8))).damaged_frames) == 8
    with pytest.raises(DamagedSource, match="9 of 20 frames are corrupt"):
        studio.plan(damaged(checked, folder / "more.mkv", range(9)))


def test_the_log_level_is_restored(studio, cut_reel):
    """The survey listens to FFmpeg's log and leaves it as it was, also after an error."""
    before = av.logging.get_level()
    studio.plan(cut_reel)
    with pytest.raises(SourceError):
        studio.plan(cut_reel, start="99")
    assert av.logging.get_level() == before


def test_colored_sources_are_told(studio, folder, plan):
    """A reel with color of its own is marked so that a person hears of it."""
    source = write_reel(folder / "gray.mkv", 30, codec="ffv1", pix_fmt="yuv444p")
    assert not studio.plan(source).colored_source
    result = studio.color(source, folder / "colored.mkv")
    assert result.findings["luma"].holds
    assert studio.plan(folder / "colored.mkv").colored_source


def test_a_single_frame_is_a_reel(studio, folder):
    """One frame, one shot, one segment."""
    plan = studio.plan(write_reel(folder / "one.mkv", 1))
    assert [(s.start, s.stop) for s in plan.shots] == [(0, 1)]
    assert len(plan.units()) == 1
    assert isinstance(Plan.from_json(plan.to_json()), Plan)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_candidates_are_few_and_from_their_shot(lengths):
    """Memory is bounded; what is taken at a cut lies in the shot that ended, at most LOOK_FRAMES pictures."""
    candidates, start, index = Candidates(), 0, 0
    for length in lengths:
        stop = start + length
        while index < stop + 4:  # a cut is known a few frames late
            picture = np.full((4, 4), index % 251, np.float64) + np.eye(4)
            candidates.offer(index, lambda picture=picture, i=index: picture * 0 + i + np.eye(4))
            assert len(candidates.held) <= CANDIDATES
            index += 1
        taken = [round(float(p[0, 1])) for p in candidates.take(stop, stop).chosen()]
        assert len(taken) <= LOOK_FRAMES
        assert all(start <= i < stop for i in taken)
        assert taken == sorted(taken)
        start = stop


def test_black_frames_do_not_decide_a_look():
    """A fade's dark frames are left out as long as the shot has a picture."""
    candidates = Candidates()
    for i in range(40):
        flat = i < 12
        candidates.offer(i, lambda flat=flat, i=i: np.eye(8) * (0 if flat else 200) + i / 1000)
    taken = candidates.take(40, 40).chosen()
    assert len(taken) == LOOK_FRAMES
    assert all(p.std() > 10 for p in taken)


def test_stamps_are_read_through_the_whole_way(studio, folder):
    """The synthetic reel itself: stamps hold for every profile's codec."""
    for suffix, pix_fmt in ((".mkv", "gray10le"), (".mov", "yuv422p10le"), (".mp4", "yuv420p")):
        plan = studio.plan(write_reel(folder / f"stamps{suffix}", 5, pix_fmt=pix_fmt))
        assert len(set(plan.digests)) == 5
    assert [read_stamp(stamped(i, size=(175, 143))) for i in (0, 1, 4095)] == [0, 1, 4095]
    with pytest.raises(ValueError, match="no stamp"):
        read_stamp(np.full((48, 64), 100, np.uint8))


def test_a_shot_on_its_own_is_surveyed_as_a_piece_is(studio, cut_reel, plan):
    """Its look and tags, from its frames alone, are those that a survey of just these frames finds; others stay.

    Also in a piece, whose frames are counted from its own first one.
    """
    told = []
    alone = survey_shots(plan, [1, 2], studio.colorizer, told.append)
    assert told == list(range(1, 21))
    assert alone.shots[0] is plan.shots[0]
    for number, (start, stop) in ((1, (10, 19)), (2, (19, 30))):
        piece = studio.plan(cut_reel, start=f"00:00:00:{start}", stop=f"00:00:01:{stop - 24:02}" if stop > 24 else
                            f"00:00:00:{stop}")  # fmt: skip
        assert (piece.skip, len(piece.pts)) == (start, stop - start)
        assert alone.shots[number].look.tobytes() == piece.shots[0].look.tobytes()
        assert alone.shots[number].scenes == piece.shots[0].scenes
    late = studio.plan(cut_reel, start="00:00:00:10")
    assert survey_shots(late, [1], studio.colorizer).shots[1].look.tobytes() == alone.shots[2].look.tobytes()


def test_a_shot_of_a_changed_reel_is_not_surveyed(studio, folder, cut_reel):
    """What is no longer what the plan was made of gives no look; nor does what is gone."""
    import shutil

    path = folder / "changing.mkv"
    shutil.copy(cut_reel, path)
    plan = studio.plan(path)
    write_reel(path, FRAMES, cuts=(5, 19))
    with pytest.raises(SourceError, match="from what the survey saw"):
        survey_shots(plan, [0], studio.colorizer)
    path.unlink()
    with pytest.raises(SourceError, match="no such file"):
        survey_shots(plan, [0], studio.colorizer)
