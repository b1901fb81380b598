"""Chapters and tags of Matroska files: read whole, written whole, cut, made flat; what is damaged is refused."""

import zlib
from dataclasses import replace
from fractions import Fraction
from io import BytesIO

import av
import pytest

from colorizer.basis.errors import JoinError
from pipeline.containers import editions, film_tags
from pipeline.containers.ebml import MAX_NODES, Node, element, elements, number, parse, size, tree, void
from pipeline.containers.film_tags import Targets
from pipeline.containers.words import (
    ATOM,
    CHAPTERS,
    EDITION,
    INFO,
    MASTERS,
    SEEK_HEAD,
    SIMPLE,
    TAG,
    TAGS,
    TRACKS,
    read_words,
    write_words,
)
from pipeline.values.ebml import CRC_32, SEGMENT
from tests import words as made
from tests.synthetic import write_reel


@pytest.fixture(scope="module")
def reel(tmp_path_factory):
    return write_reel(tmp_path_factory.mktemp("words") / "reel.mkv", 24, audio=["flac"], chapters=2)


@pytest.fixture
def file(tmp_path, reel):
    path = tmp_path / "reel.mkv"
    path.write_bytes(reel.read_bytes())
    return path


def top(data):
    """The elements of a file's segment, by kind, and the offset they count from."""
    segment = next(e for e in parse(data) if e.kind == SEGMENT)
    return {e.kind: e for e in elements(BytesIO(data), segment.body, segment.stop)}, segment


def test_what_is_written_is_read_again(file):
    """Every element comes back as it was, nothing of the picture changes, and FFmpeg shows what it can."""
    words = read_words(made.cataloged(file))
    assert words.chapters == made.EDITIONS
    assert {made.FILM, made.SHOT} <= set(words.tags)
    with av.open(str(file)) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["Erste Rolle", "Second reel", "Hidden note"]
        assert container.metadata["ACTOR-eng/CHARACTER"] == "Pilot"
        assert container.metadata["SHOT/TITLE-ger"] == "Pier, from the north"
        assert container.streams.audio[0].metadata["SOUND_ENGINEER"] == "B. Person"
        assert sum(1 for _ in container.decode(video=0)) == 24


@pytest.mark.parametrize("length", [1, 150, 40_000, 3_000_000])
def test_the_file_stays_in_order(file, length):
    """Of any size: the list at the beginning points to the new elements, checksums are right, the segment ends with
    the file, and what was there is empty room."""
    for n in range(3):  # again and again, as a file that was colored twice
        write_words(file, made.EDITIONS, (made.tag(made.simple(f"NOTE{n}", "x" * length)),))
    data = file.read_bytes()
    found, segment = top(data)
    assert segment.stop == len(data)
    head = tree(SEEK_HEAD, data[found[SEEK_HEAD].body : found[SEEK_HEAD].stop], frozenset((SEEK_HEAD, 0x4DBB)))
    listed = {int.from_bytes(e.inside[0].data, "big"): e.number(0x53AC) + segment.body for e in head.inside}
    assert {k: found[k].start for k in (CHAPTERS, TAGS, INFO, TRACKS)} == {
        k: listed[k] for k in (CHAPTERS, TAGS, INFO, TRACKS)
    }
    for kind in (SEEK_HEAD, CHAPTERS, TAGS):
        inside = data[found[kind].body : found[kind].stop]
        checksum, *_ = parse(inside)
        assert checksum.kind == CRC_32
        assert inside[checksum.body : checksum.stop] == zlib.crc32(inside[checksum.stop :]).to_bytes(4, "little")
    assert len([t for t in read_words(file).tags if t.of(SIMPLE)[0].text(film_tags.NAME).startswith("NOTE")]) == 3


def test_a_file_that_ffmpeg_did_not_write_is_left_alone(file, tmp_path):
    """Something behind the segment, or no Matroska file: a JoinError, the file untouched."""
    cases = {"behind": file.read_bytes() + void(20), "none": b"RIFF" + bytes(100)}
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(JoinError, match="cannot write chapters and tags"):
            write_words(path, made.EDITIONS, made.TAGS)
        assert path.read_bytes() == content


def test_live_recordings_and_broken_ends(tmp_path, file):
    """Of clusters without a size what lies before is read, and behind what the list names; of a file that was cut off
    what is there."""
    data = file.read_bytes()
    _, segment = top(data)
    endless = data[: segment.body - 8] + b"\x01" + b"\xff" * 7 + data[segment.body :]
    cluster = next(e for e in elements(BytesIO(data), segment.body, segment.stop) if e.kind == 0x1F43B675)
    live = tmp_path / "live.mkv"
    write_words(file, made.EDITIONS, made.TAGS)
    whole = bytearray(file.read_bytes())
    width = cluster.body - cluster.start - 4
    whole[cluster.start + 4 : cluster.body] = size((1 << 7 * width) - 1, width)
    live.write_bytes(whole)
    assert read_words(live).chapters == made.EDITIONS
    live.write_bytes(endless)
    assert len(read_words(live).chapters.of(EDITION)) == 1
    live.write_bytes(data[: cluster.body + 10])
    assert len(read_words(live).chapters.of(EDITION)) == 1


def test_a_header_allocates_nothing(tmp_path):
    """Sizes, depths and numbers that a header claims are refused before anything is made for them."""
    deep = b""
    for _ in range(100):
        deep = element(ATOM, deep)
    with pytest.raises(ValueError, match="nested too deep"):
        tree(CHAPTERS, element(EDITION, deep), MASTERS)
    with pytest.raises(ValueError, match="one of too many"):
        tree(CHAPTERS, element(EDITION, b"")[:3] * (MAX_NODES + 1), MASTERS)
    with pytest.raises(ValueError, match="reaches beyond"):
        tree(TAGS, TAG.to_bytes(2, "big") + size(1 << 40), MASTERS)
    path = tmp_path / "huge.mkv"
    write_reel(path, 2)
    data = path.read_bytes()
    with path.open("ab") as out:
        out.write(CHAPTERS.to_bytes(4, "big") + size(1 << 25, 8))
        out.flush()
        out.truncate(path.stat().st_size + (1 << 25))
    _, segment = top(data)
    with path.open("r+b") as out:
        out.seek(segment.start + 4)
        out.write(size(path.stat().st_size - segment.body, segment.body - segment.start - 4))
    with pytest.raises(ValueError, match="claims 33554432 bytes"):
        read_words(path)


def test_other_files_have_no_words(tmp_path):
    """None of a file that is no Matroska file; none in a Matroska file without chapters and tags."""
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(50))
    assert read_words(tmp_path / "a.mp4") is None
    write_reel(tmp_path / "b.mkv", 2, audio=1, attachment=b"card")
    found = read_words(tmp_path / "b.mkv")
    assert found.chapters is None
    assert found.attachments[0][0] == "catalog.txt"
    assert len(found.tracks) == 2


def titles(node):
    return [[a.of(editions.DISPLAY)[0].text(editions.STRING) for a in e.of(ATOM)] for e in node.of(EDITION)]


def test_a_piece_has_its_chapters(tmp_path):
    """Cut at both ends, moved, nested as they were; what lies outside is gone, and editions without any."""
    kept = editions.cut(made.EDITIONS, Fraction(3, 10), Fraction(6, 10), Fraction(3, 10))
    assert titles(kept) == [["First reel", "Second reel"]]
    first, second = kept.of(EDITION)[0].of(ATOM)
    assert [(a.number(editions.START), a.number(editions.STOP)) for a in (first, *first.of(ATOM))] == [
        (0, 200_000_000)
    ] * 2
    assert (second.number(editions.START), second.of(editions.STOP)) == (200_000_000, [])
    assert titles(editions.cut(made.EDITIONS, Fraction(8, 10), Fraction(1), Fraction(0))) == [
        ["Second reel"], ["Hidden note"],
    ]  # fmt: skip
    assert editions.cut(made.EDITIONS, Fraction(2), Fraction(3), Fraction(0)) is not None  # the last ones have no end
    assert editions.cut(None, Fraction(0), Fraction(1), Fraction(0)) is None


def test_flat_chapters_are_those_on_show():
    """The default edition's first titles, each until the next; hidden and disabled ones are named, not shown."""
    off = made.atom(9, 700, 800, {"eng": "Off"}).having(editions.ENABLED, 0)
    whole = made.EDITIONS.each(lambda e: replace(e, inside=(*e.inside, off)) if e is made.SHOWN else e)
    told = editions.flat(whole, Fraction(1))
    said = [
        (c["metadata"]["title"], float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"])) for c in told
    ]
    assert said == [("First reel", 0.0, 0.5), ("Second reel", 0.5, 0.7)]
    named = dict(editions.unheld(whole, ".mp4"))
    assert named["editions of chapters"].startswith("hidden edition of 1: 'Hidden note'")
    assert named["nested chapters"].startswith("'Nested' in 'First reel'")
    assert named["titles of chapters"].startswith("'Erste Rolle' (ger) of 'First reel'")
    assert named["hidden chapters"].startswith("'Off'")
    late = Node(CHAPTERS, inside=(Node(EDITION, inside=(made.atom(1, 2**63 // 10**6, None, {}),)),))
    assert editions.flat(late, Fraction(1))[0]["start"] < 2**63
    hidden = Node(CHAPTERS, inside=(made.HIDDEN,))
    assert editions.flat(hidden, Fraction(1)) == []


def test_tags_follow_what_they_are_about():
    """UIDs become the output's, tags of the old file's bytes go, and so do those of a track that is not there."""

    def describes(name, value, of_track):
        return name == "BPS"

    there = film_tags.carried(made.TAGS, Targets({2: 7}, {}, set()), describes)
    assert there[:2] == [made.FILM, made.SHOT]
    assert there[2].of(film_tags.TARGETS)[0].number(film_tags.TRACK) == 7
    assert [s.text(film_tags.NAME) for s in there[2].of(SIMPLE)] == ["SOUND_ENGINEER"]
    assert film_tags.carried(made.TAGS, Targets({}, {}, set()), describes) == [made.FILM, made.SHOT]
    everything = Node(
        TAG, inside=(Node(film_tags.TARGETS, inside=(number(film_tags.TRACK, 0),)), made.simple("A", "b"))
    )
    assert film_tags.carried([everything], Targets({}, {}, set()), describes) == [everything]


def test_lost_tags_are_named():
    """By path, value, target and language: of two of one name the one that is gone, and what is no text."""
    values = ["Steamships", "A. Person", "Pilot", "Pier, from the north"]
    gone = film_tags.gone([made.FILM, made.SHOT], values)
    assert gone == ["SUBJECT 'Harbors' (eng)", "SEAL '3 bytes'"]
    assert film_tags.flattened([made.FILM, made.SHOT]) == "SHOT, ACTOR/CHARACTER"
    assert film_tags.missing([made.FILM, made.SHOT], [made.FILM]) == ["TITLE 'Pier, from the north' (SHOT, ger)"]
