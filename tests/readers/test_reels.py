"""Every profile's output in the words of readers that are none of ours: they say of it what they say of the source, or
its sidecar names what is other."""

import json

import pytest

from pipeline.containers.profiles import PROFILES
from tests.outputs import FRAMES, RATE, SHAPE, SIZE, maker, pal_reel
from tests.readers.programs import exiftool, ffprobe, mediaconch, mediainfo, needs

CORE = [("archive", ".mkv"), ("mezzanine", ".mov"), ("access", ".mp4")]
PAIRS = [
    pytest.param(p.name, c.suffix, marks=[] if (p.name, c.suffix) in CORE else [pytest.mark.slow])
    for p in PROFILES.values()
    for c in p.containers
]
CODECS = {"libdav1d": "av1"}
"""What FFprobe calls a codec where that is not its decoder."""
TAGS = {"title": "Harbor", "artist": "Pathé", "location": "Dépôt 14"}
SAME = {"deu": "ger", "unknown": "progressive"}
"""Two words for one thing: ISO 639-2's codes, and no word on fields."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reels")


@pytest.fixture(scope="module")
def source(folder):
    """PAL with everything that a reel has."""
    return pal_reel(folder / "in.mkv", subtitles=1, metadata=TAGS, attachment=b"catalog card")


@pytest.fixture(scope="module")
def made(folder, source, tiny):
    """Outputs, made when they are first asked for, and all that their run named."""
    outputs = maker(folder, source, tiny)

    def make(name, suffix):
        out, result = outputs(name, suffix)
        tracks = json.loads(out.with_name(f"{out.name}.json").read_text())["tracks"]
        return out, " ".join([*result.lost, *(f"{t['kind']} {t['why']}" for t in tracks)])

    return make


def facts(path):
    """What FFprobe says of a file: a value, and what it is named as where an output has another one."""
    found = ffprobe(path)
    streams = [s for s in found["streams"] if s["codec_type"] != "data"]
    picture = next(s for s in streams if s["codec_type"] == "video")
    sounds = [s for s in streams if s["codec_type"] == "audio"]
    values = list(found["format"]["tags"].values())
    codes = [v for s in found["streams"] for k, v in s.get("tags", {}).items() if k.lower() == "timecode"]
    yield "size", "size", (picture["width"], picture["height"])
    yield "frames", "frames", int(picture["nb_read_frames"])
    yield "rate", "rate", picture["r_frame_rate"]
    yield "aspect", "sample aspect", picture["sample_aspect_ratio"]
    yield "fields", "fields", SAME.get(order := picture.get("field_order", "unknown"), order)
    for what in ("color_range", "color_primaries", "color_space"):
        yield what, what.replace("_", " "), picture.get(what)
    yield "time code", "time code", sorted({*codes, *(v for v in values if v == "10:00:00:00")})
    yield "sound", "audio", [(s["channels"], int(s["sample_rate"])) for s in sounds]
    languages = [s.get("tags", {}).get("language", "") for s in sounds]
    yield "languages", "language", [SAME.get(language, language) for language in languages]
    yield "subtitles", "subtitle", sum(s["codec_type"] == "subtitle" for s in streams)
    yield "attachments", "attachment", sum(s["codec_type"] == "attachment" for s in streams)
    yield "chapters", "chapters", [(c["tags"]["title"], float(c["start_time"])) for c in found["chapters"]]
    yield "tags", "metadata", [v for v in TAGS.values() if v in values]


@needs("ffprobe")
@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_ffprobe_says_the_same(source, made, name, suffix):
    """Debian's FFmpeg, years older and built by others, decodes every frame and complains of nothing. Whatever it says
    otherwise than of the source is named."""
    out, told = made(name, suffix)
    differing = [
        (what, was, now)
        for (what, word, was), (_, _, now) in zip(facts(source), facts(out), strict=True)
        if was != now and word not in told
    ]
    assert differing == []
    picture = next(s for s in ffprobe(out)["streams"] if s["codec_type"] == "video")
    assert picture["codec_name"] == CODECS.get(PROFILES[name].codec.decoder, PROFILES[name].codec.decoder)
    if (name, suffix) in (("hevc", ".mp4"), ("hevc", ".mov")):
        assert picture["codec_tag_string"] == "hvc1"  # what Apple's players ask for


@needs("mediainfo")
@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_mediainfo_agrees(made, name, suffix):
    """MediaInfo, which shares no code with FFmpeg: frames, rate, shape, colors, time code, sound, tags, chapters."""
    out, told = made(name, suffix)
    tracks = mediainfo(out)
    [picture] = [t for t in tracks if t["@type"] == "Video"]
    assert int(picture["FrameCount"]) == FRAMES
    assert float(picture["FrameRate"]) == float(RATE)
    assert (int(picture["Width"]), int(picture["Height"])) == SIZE
    assert float(picture["DisplayAspectRatio"]) == pytest.approx(SIZE[0] / SIZE[1] * float(SHAPE), abs=0.01)
    assert picture["colour_primaries"] == "BT.601 PAL"
    assert picture["matrix_coefficients"] in ("BT.470 System B/G", "BT.601")
    assert any(t.get("TimeCode_FirstFrame", "").startswith("10:00:00:00") for t in tracks)
    sounds = [t for t in tracks if t["@type"] == "Audio"]
    assert [int(t["Channels"]) for t in sounds] == [1, 1]
    if "language" not in told:
        assert [t["Language"] for t in sounds] == ["en", "de"]
    if suffix != ".mxf":  # FFmpeg alone reads the comments of an MXF package
        assert all(value in json.dumps(tracks, ensure_ascii=False) for value in TAGS.values())
    if "chapters" not in told:
        assert all(f"Part {n}" in json.dumps(tracks) for n in (1, 2))


@needs("mediaconch")
@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_mediaconch_finds_the_format_right(made, name, suffix):
    """The implementation check passes: Matroska and FFV1 by their standards; of MP4 it has none."""
    out, _ = made(name, suffix)
    told = mediaconch(out)
    assert told.startswith("N/A!" if suffix == ".mp4" else "pass!"), told


@needs("exiftool")
@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_exiftool_reads_it(made, name, suffix):
    """Size and title, and no complaint but of what it was not asked to look into."""
    out, _ = made(name, suffix)
    found = exiftool(out, "-a", "-ee")
    said = {key.partition(":")[2]: value for key, value in found.items()}
    assert [v for k, v in said.items() if k in ("Error", "Warning")] == []
    assert said["ImageSize"] == "256x128"
    assert said.get("Title", "") == ("" if suffix == ".mxf" else "Harbor")
