"""Chapters and tags of a Matroska output as Matroska's own tools read them, and its implementation check."""

import re

import pytest

from tests.endtoend import color
from tests.readers.programs import mediaconch, needs, said
from tests.synthetic import write_reel
from tests.words import cataloged, in_languages


@pytest.fixture(scope="module")
def pair(tmp_path_factory, tiny):
    """A source that a cataloger has been at, and its output."""
    folder = tmp_path_factory.mktemp("matroska")
    source = cataloged(
        write_reel(folder / "in.mkv", 12, audio=["flac"], attachment=b"card", metadata={"title": "Pier"})
    )
    color(source, folder / "out.mkv", tiny)
    return source, folder / "out.mkv"


def tags(path):
    """mkvextract's tags as texts, one for each target, without the tracks' UIDs and what describes the file."""
    found = re.findall(r"<Tag>.*?</Tag>", said("mkvextract", path, "tags", "-"), re.DOTALL)
    plain = (re.sub(r"<TrackUID>\d+</TrackUID>", "", tag) for tag in found)
    own = r"\s*<Simple>\s*<Name>(DURATION|BPS|ENCODER|COMMENT|DIGITAL_SOURCE_TYPE|SOURCE_SHA256)<.*?</Simple>"
    return sorted(t for t in (re.sub(own, "", tag, flags=re.DOTALL) for tag in plain) if "<Name>" in t)


@needs("mkvextract", "mkvinfo")
def test_mkvextract_finds_the_same(pair):
    """Nested, hidden, in two languages: the same XML of source and output, and mkvinfo reads the file to its end."""
    source, out = pair
    chapters = [said("mkvextract", path, "chapters", "-") for path in pair]
    assert chapters[0] == chapters[1]
    assert chapters[0].count("<ChapterAtom>") == 4
    assert tags(source) == tags(out)
    assert len(tags(out)) == 3
    assert "Tags" in said("mkvinfo", "-a", out)


@needs("mediaconch")
def test_mediaconch_finds_what_was_written_behind_right(pair):
    """The elements at the end, the list at the beginning, checksums and empty room are as the standard wants them."""
    assert mediaconch(pair[1]).startswith("pass!")


@needs("mkvinfo")
def test_mkvinfo_finds_regions_of_languages(tmp_path, tiny):
    """By BCP 47 and by the old code, of each track that has them. MediaConch 23.03 takes every such file for wrong,
    mkvmerge's too (findings/mediaconch_mkvmerge_language.sh)."""
    plain = write_reel(tmp_path / "plain.mkv", 6, audio=["flac"])
    source = in_languages(plain, tmp_path / "in.mkv", {0: ("ger", "de-CH"), 1: ("por", "pt-BR")})
    color(source, tmp_path / "out.mkv", tiny)
    found = re.findall(r"Language(?: \(IETF BCP 47\))?: (\S+)", said("mkvinfo", tmp_path / "out.mkv"))
    assert found == ["ger", "de-CH", "por", "pt-BR"]
