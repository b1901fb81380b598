"""Joining: any segments make the one reel, with everything the source had around its picture."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError
from pipeline.containers.profiles import PROFILES
from pipeline.jobs.reel_job import identity
from pipeline.reels.decode import Reader
from pipeline.reels.encode import Encoder, Painted
from pipeline.reels.join import join, shift_of
from pipeline.reels.painter import SegmentPainter
from pipeline.reels.plan import Plan, Shot
from pipeline.reels.reel import probe
from pipeline.reels.target import target_for
from pipeline.storage.ledger import Ledger, Receipt
from tests.synthetic import read_stamps, write_reel

OUTPUTS = {name: profile.suffix for name, profile in PROFILES.items()}
LARGE = (256, 128)
"""DNxHR takes no smaller pictures than 256 x 120."""
FRAMES = 14
UNEVEN = [0, 25, 50, 125, 126, *(200 + 37 * i for i in range(FRAMES - 5))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("join")


@pytest.fixture(scope="module")
def plans(studio, folder):
    """A steady and an uneven reel, with sound, planned for each profile."""
    made = {}
    for name, how in {
        "steady.mov": {"time_base": Fraction(1, 24000)},
        "uneven.mp4": {"time_base": Fraction(1, 600), "pts": UNEVEN},
        "uneven.mkv": {"time_base": Fraction(1, 1000), "pts": UNEVEN},
    }.items():
        pix_fmt = "yuv422p10le" if name.endswith("mov") else "yuv420p"
        small = write_reel(folder / name, FRAMES, size=(32, 24), pix_fmt=pix_fmt, audio=["aac"], **how)
        large = write_reel(folder / f"large-{name}", FRAMES, size=LARGE, pix_fmt=pix_fmt, audio=["aac"], **how)
        for profile in PROFILES:
            made[name, profile] = studio.plan(large if profile == "dnxhr" else small, profile)
    return made


def quick(plan, edges, job):
    """Receipts of segments cut at `edges`, with gray chroma: what a painter makes, without the network."""
    reel, profile = plan.reel, PROFILES[plan.settings.profile]
    target = target_for(reel, profile)
    shots = tuple(Shot(a, b, plan.shots[0].look) for a, b in zip([0, *edges], [*edges, len(plan.pts)], strict=True))
    plan = replace(plan, shots=shots)
    with Reader(reel) as reader:
        frames = [f.luma for f in reader]
    gray = np.full(
        (-(-reel.height // target.step_y), -(-reel.width // target.step_x)), target.coding.neutral,
        np.uint8 if target.coding.bits == 8 else np.uint16,
    )  # fmt: skip
    receipts = []
    for segment in plan.units():
        encoder, packets = Encoder(reel, profile, target), []
        for i, (pts, duration) in enumerate(zip(segment.pts, segment.durations, strict=True), segment.start):
            packets += encoder.encode(Painted(pts, duration, target.luma(frames[i]), gray, gray))
        packets += encoder.flush()
        receipts.append(receipt_of(segment.id, packets, encoder, job))
    return plan, receipts


def receipt_of(unit, packets, encoder, job):
    import hashlib

    data = b"".join(p.data for p in packets)
    (job / f"{unit}.1.packets").write_bytes(data)
    rows = tuple((p.pts, p.dts, p.duration, p.key, len(p.data)) for p in packets)
    digest = hashlib.sha256(data).hexdigest()
    return Receipt(unit, 1, f"{unit}.1.packets", len(data), digest, encoder.extradata.hex(), 0.0, rows)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("source", ["steady.mov", "uneven.mp4", "uneven.mkv"])
@settings(max_examples=5)
@given(edges=st.sets(st.integers(1, FRAMES - 1), max_size=6))
def test_any_partition_joins_to_the_same_reel(plans, tmp_path_factory, source, profile, edges):
    """However the frames are cut into segments: every frame once, in order, at its own time; each can be decoded."""
    job = tmp_path_factory.mktemp("job")
    plan, receipts = quick(plans[source, profile], sorted(edges), job)
    out = job / f"out{OUTPUTS[profile]}"
    join(plan, receipts, Ledger(job), out)
    assert read_stamps(out) == list(range(FRAMES))
    reel = probe(str(out))
    with Reader(reel) as reader:
        times = [f.pts * reel.time_base for f in reader]
    exact = OUTPUTS[profile] != ".mkv"  # Matroska counts milliseconds
    for a, b in zip(plan.pts, times, strict=True):
        error = abs((a - plan.pts[0]) * plan.reel.time_base - (b - times[0]))
        assert error == 0 if exact else error <= Fraction(1, 1000)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_last_frame_keeps_its_duration(plans, folder, profile):
    """The file is as long as the plan says: the last frame is shown for a nominal frame."""
    job = folder / f"last-{profile}"
    job.mkdir()
    plan, receipts = quick(plans["uneven.mp4", profile], [5], job)
    out = job / f"out{OUTPUTS[profile]}"
    join(plan, receipts, Ledger(job), out)
    wanted = (plan.next_pts(FRAMES) - plan.pts[0]) * plan.reel.time_base
    with av.open(str(out)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        last = packets[-1]
        shown = (last.pts + last.duration - packets[0].pts) * last.time_base
    assert abs(shown - wanted) <= Fraction(2, 1000)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_joined_file_is_repeatable(plans, folder, profile):
    """The same receipts give the same bytes: no date, no random number."""
    job = folder / f"twice-{profile}"
    job.mkdir()
    plan, receipts = quick(plans["steady.mov", profile], [3, 9], job)
    files = [job / f"{name}{OUTPUTS[profile]}" for name in "ab"]
    for file in files:
        join(plan, receipts, Ledger(job), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_damage_between_painting_and_joining_is_noticed(plans, folder):
    """Packets changed on disk, segments of another encoder or in the wrong order are refused in words."""
    job = folder / "damage"
    job.mkdir()
    plan, receipts = quick(plans["steady.mov", "archive"], [6], job)
    out = job / "out.mkv"
    with pytest.raises(JoinError, match="another version of the encoder"):
        join(plan, [replace(receipts[0], extradata="00"), receipts[1]], Ledger(job), out)
    with pytest.raises(JoinError, match="begins before its predecessor ends"):
        join(plan, receipts[::-1], Ledger(job), out)
    path = job / receipts[1].file
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(JoinError, match="damaged since they were written"):
        join(plan, receipts, Ledger(job), out)


EVERYTHING = {
    "sar": Fraction(16, 15), "rotation": 90, "timecode": "01:02:03:04", "chapters": 2,
    "metadata": {"title": "Harvest", "accession": "1931/7 ü", "comment": "nitrate, shrunk"}, "colors": (5, 16, 6),
}  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("suffix", "pix_fmt"), [(".mkv", "yuv420p"), (".mov", "yuv422p10le"), (".mp4", "yuv420p")])
def test_everything_around_the_picture_survives(studio, folder, suffix, pix_fmt, profile):
    """Aspect, fields, rotation, time code, chapters, tags and catalog data of any source, in any output."""
    fields = None if PROFILES[profile].codec.fields == "none" else "tff"
    source = write_reel(folder / f"all{suffix}", 8, LARGE, pix_fmt=pix_fmt, interlaced=fields, **EVERYTHING)
    reel, out = probe(str(source)), folder / f"{profile}-from-{suffix[1:]}{OUTPUTS[profile]}"
    result = studio.color(source, out, profile=profile)
    assert all(f.right for f in result.findings.values())
    made = result.out
    assert (made.aspect, made.rotation, made.timecode) == (Fraction(16, 15), 90, "01:02:03:04")
    assert made.fields == (fields or "progressive")
    assert made.tags[1:] == (5, 16, 6)
    assert abs(made.rate / reel.rate - 1) < Fraction(1, 100)  # milliseconds of Matroska averaged
    with av.open(str(out)) as container:
        tags = {k.lower(): v for k, v in container.metadata.items()}
        assert [c["metadata"]["title"] for c in container.chapters()] == ["Part 1", "Part 2"]
    assert (tags["title"], tags["accession"]) == ("Harvest", "1931/7 ü")
    assert tags["comment"].startswith("nitrate, shrunk | Color added")
    assert "compositeWithTrainedAlgorithmicMedia" in tags["digital_source_type"]
    assert tags["source_sha256"] == identity(reel)["sha256"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_broadcasts_sound_that_begins_first_stays_in_front(studio, folder, profile):
    """A transport stream's clock starts anywhere and its sound often before its picture: the output begins at zero
    with the sound, and the picture as much later as it was."""
    source = write_reel(folder / "late.ts", 12, audio=["mp2"], pts=[round((i + 6) * 3750) for i in range(12)],
                        time_base=Fraction(1, 90000))  # fmt: skip
    out = folder / f"late{OUTPUTS[profile]}"
    result = studio.color(source, out)
    assert all(f.right for f in result.findings.values())
    begins = {}
    for name, path in (("source", source), ("out", out)):
        with av.open(str(path)) as container:
            streams = [*container.streams.video, *container.streams.audio]
            first = [min(p.pts * p.time_base for p in container.demux(s) if p.size) for s in streams[:1]]
        with av.open(str(path)) as container:
            first += [min(p.pts * p.time_base for p in container.demux(audio=0) if p.size)]
        begins[name] = first
    picture, sound = begins["out"]
    assert abs(sound) < Fraction(1, 20)
    assert abs((picture - sound) - (begins["source"][0] - begins["source"][1])) < Fraction(1, 20)
    assert picture - sound > Fraction(1, 5)


@given(picture=st.integers(0, 10**7), container=st.integers(1, 10**8))
def test_no_time_of_a_broadcast_falls_below_zero(plans, picture, container):
    """What is taken off every time is the earliest of all, of the picture or of whatever begins before it."""
    plan = plans["steady.mov", "archive"]
    plan = replace(plan, reel=replace(plan.reel, format="mpegts"), pts=tuple(picture + i for i in range(FRAMES)))
    begins = picture * plan.reel.time_base, Fraction(container, 1_000_000)
    assert shift_of(plan, SimpleNamespace(start_time=container)) == min(begins)


@pytest.mark.parametrize("profile", PROFILES)
def test_an_output_can_be_colored_again(studio, folder, profile):
    """From every format into every other, with each file's own marks; those of the first source stay in front."""
    source = write_reel(folder / f"first-for-{profile}.mkv", 4, LARGE, metadata={"comment": "nitrate"})
    once = folder / f"{profile}-once{OUTPUTS[profile]}"
    studio.color(source, once, profile=profile)
    for suffix in (".mkv", ".mov", ".mp4"):
        result = studio.color(once, folder / f"twice-from-{profile}{suffix}")
        assert all(f.right for f in result.findings.values()), suffix
        with av.open(str(result.out.uri)) as container:
            tags = {k.lower(): v for k, v in container.metadata.items()}
        first, second = identity(probe(str(source)))["sha256"], identity(probe(str(once)))["sha256"]
        assert tags["source_sha256"] == f"{first} | {second}"
        assert tags["digital_source_type"].count("compositeWithTrainedAlgorithmicMedia") == 1
        assert tags["comment"].startswith("nitrate | Color added")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_piece_of_a_reel_with_chapters(studio, folder, profile):
    """A piece keeps the chapters it touches, cut to it and counted from its first frame."""
    source = write_reel(folder / "parts.mkv", 24, LARGE, chapters=3, audio=["flac"], timecode="01:00:00:00")
    out = folder / f"{profile}-part{OUTPUTS[profile]}"
    result = studio.color(source, out, profile=profile, start="0.25", stop="0.75")
    assert all(f.right for f in result.findings.values())
    assert read_stamps(out) == list(range(6, 18))
    with av.open(str(out)) as container:
        kept = [
            (c["metadata"]["title"], c["start"] * c["time_base"], c["end"] * c["time_base"])
            for c in container.chapters()
        ]
    wanted = [("Part 1", 0, 0.083), ("Part 2", 0.083, 0.416), ("Part 3", 0.416, 0.5)]
    assert [title for title, *_ in kept] == [title for title, *_ in wanted]
    assert all(
        float(a) == pytest.approx(b, abs=0.002)
        for x, y in zip(kept, wanted, strict=True)
        for a, b in zip(x[1:], y[1:], strict=True)
    )


def test_a_painter_makes_what_a_joiner_takes(studio, folder):
    """The real painter's receipts: packets on disk with their digest, color in them, stamps after joining."""
    source = write_reel(folder / "painted.mkv", 12, cuts=(6,))
    plan: Plan = studio.plan(source)
    job = folder / "painted"
    job.mkdir()
    told: list[int] = []
    painter = SegmentPainter(studio.colorizer, job)
    receipts = [painter.paint(segment, 1, told.append) for segment in plan.units()]
    painter.close()
    assert told == [1] * 12
    assert all(r.chroma > 2 for r in receipts)
    assert sorted(p.name for p in job.iterdir()) == sorted(r.file for r in receipts)
    join(plan, receipts, Ledger(job), folder / "painted-out.mkv")
    assert read_stamps(folder / "painted-out.mkv") == list(range(12))
