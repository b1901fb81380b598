"""The morning report: what is read, what is flagged, what is escaped, and that it stays light."""

import json
import re
import shlex
import shutil
import time
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import av
import imagecodecs
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.storage.lock import alone
from pipeline.values.events import Silent
from pipeline.values.remarks import COLORED, NEGATIVE, TWICE
from tests.endtoend import color
from tests.reports import HOSTILE, KEYS, ODD, colored, item, scan, summary, with_plan, write_report
from tests.synthetic import tiny_weights, write_reel
from workflows.commands.cli import cli
from workflows.report import glimpses, report_pictures
from workflows.report.flags import FLAGS, GRAY, illustrated
from workflows.report.page import duration, large, page
from workflows.report.reading import link, read
from workflows.report.values import Collection, File, FlagKind, Part, Picture, shown

NOW = datetime(2026, 11, 26, 8, 0).astimezone()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Tiny weights."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def night(tmp_path_factory, tiny):
    """The collection, colored once for all tests that read it."""
    return colored(tmp_path_factory.mktemp("night"), tiny)


class Page(HTMLParser):
    """What a browser makes of the markup: links, pictures, scripts, handlers and text."""

    def __init__(self, text):
        super().__init__()
        self.urls, self.tags, self.handlers, self.text, self.ids = [], [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        self.urls += [value for name, value in attributes if name in ("src", "href")]
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_data(self, data):
        self.text += data


def by_key(collection):
    """Files by key."""
    return {file.key: file for file in collection.files}


# --- what is read


def test_what_the_night_did_is_read(night):
    """Totals, outcomes, shots with times and scene tags, findings and losses are those of state and sidecars."""
    found = read(night)
    assert [found.count(group) for group in ("done", "set-aside", "waiting")] == [3, 0, 0]
    assert (found.frames, found.busy, found.workers, found.running) == (40, 0.93, 2, False)
    assert found.megapixels == pytest.approx((2 * 90 * 120 + 40 * 64 * 48) / 1e6)
    files = by_key(found)
    assert [part.span for part in files[KEYS[2]].parts] == [
        "0:00.0 to 0:00.9, 22 frames",
        "0:00.9 to 0:01.7, 18 frames",
    ]
    assert all(name in ("barn", "beach", "street") for part in files[KEYS[2]].parts for name, _ in part.scenes)
    assert [len(part.pieces) for part in files[KEYS[2]].parts] == [2, 2]
    assert files[KEYS[0]].parts[0].span == "120 x 90 pixels"
    assert files[KEYS[0]].parts[0].orientation == 6
    assert files[KEYS[1]].lost == ("tag 700: <b>broken</b>",)
    assert all(holds for file in found.files for _, holds, _ in file.findings)
    assert all(file.findings for file in found.files)


def test_a_small_picture_has_a_size(night):
    """In pixels where megapixels would be none."""
    text = Page(write_report(night).read_text(encoding="utf-8")).text
    assert "10,800 pixels" in text
    assert "0.0 megapixels" not in text


def test_what_needs_a_person_comes_first(tmp_path):
    """Set aside before done before waiting, and plate 9 before plate 10."""
    summary(tmp_path)
    for number, state in enumerate(("waiting", "set-aside", "set-aside", "painting")):
        item(tmp_path, f"{number:016x}", state=state, source=f"plate {11 - number}.tif", out=f"{number}.tif")
    names = [file.name for file in read(tmp_path).files]
    assert names == ["plate 9.tif", "plate 10.tif", "plate 8.tif", "plate 11.tif"]


def test_a_folder_without_a_collection_is_refused(tmp_path):
    """One line says what to give instead."""
    with pytest.raises(ColorizeError, match="no collection here"):
        write_report(tmp_path)


GARBAGE = [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"7", b'{"state": 7, "units": [], "size": "x", "attempts": {}}',
    b'{"state": "done", "kind": ["reel"], "out": "../../etc/passwd", "source": {}}',
    b'{"state": "done", "kind": "reel", "out": "/etc/passwd", "source": "x\\u0000y", "seconds": {"paint": NaN}}',
    b'{"state": "set-aside", "error": "text", "attempts": [1, {"stage": null}], "out": "a\\u0000b"}',
    b'{"state": "done", "kind": "scan", "out": "x\\ud800.tif", "source": "x\\ud800.tif", "size": {"frames": 1e999}}',
]  # fmt: skip
STORIES = [
    b'{"shots": [7, {"seconds": ["x"]}], "chroma": "x", "verified": [[]], "damage": {"damaged_frames": {"1": 7}}}',
    b'{"pages": [{}, {"height": -1, "rows": 0, "scenes": [[1]]}], "chroma": [1e999], "tracks": [{"index": 1}]}',
]


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_does_not_hide_the_rest(tmp_path, data):
    """An item's state that is cut, empty or nonsense is shown as such; it names no file outside the folder."""
    item(tmp_path, KEYS[0], state="waiting")
    (tmp_path / ".chromatheque" / "items" / f"{KEYS[1]}.json").write_bytes(data)
    (tmp_path / ".chromatheque" / "collection.json").write_bytes(data)
    text = write_report(tmp_path).read_text(encoding="utf-8")
    assert len([i for i in Page(text).ids if i.startswith("f0")]) == 2
    assert "etc/passwd" not in "".join(Page(text).urls)


@pytest.mark.parametrize("data", [None, *GARBAGE, *STORIES])
@pytest.mark.parametrize("kind", ["reel", "scan"])
def test_a_done_file_without_a_readable_story_is_shown(tmp_path, kind, data):
    """Whatever lies in place of the sidecar or the output, the file has its place on the page."""
    name = "a.tif" if kind == "scan" else "a.mkv"
    item(tmp_path, KEYS[0], kind=kind, out=name, source=name)
    if data is not None:
        (tmp_path / name).write_bytes(data)
        (tmp_path / f"{name}.json").write_bytes(data)
    text = write_report(tmp_path).read_text(encoding="utf-8")
    assert name in Page(text).text
    assert read(tmp_path).files[0].state == "done"


def test_a_damaged_output_costs_only_its_pictures(night, tmp_path):
    """An output that cannot be decoded is told of, with its story and no pictures."""
    sidecar = (night / "c.mkv.json").read_bytes()
    (tmp_path / "c.mkv").write_bytes(b"no film")
    (tmp_path / "c.mkv.json").write_bytes(sidecar)
    item(tmp_path, KEYS[0], kind="reel", out="c.mkv", source="c.mkv")
    text = Page(write_report(tmp_path).read_text(encoding="utf-8"))
    assert "no pictures:" in text.text
    assert "img" not in text.tags


def test_a_running_night_can_be_read(tmp_path):
    """While the job runs, files waiting, surveyed and half painted are shown as such, with how far they are."""
    summary(tmp_path, running=True)
    item(tmp_path, KEYS[0], state="painting", units={"done": 3, "of": 10})
    item(tmp_path, KEYS[1], state="surveyed")
    with alone(tmp_path / ".chromatheque"):
        text = Page(write_report(tmp_path).read_text(encoding="utf-8")).text
    assert "last sign of life" in text
    assert (
        "last sign of life" not in Page(write_report(tmp_path).read_text(encoding="utf-8")).text
    )  # the run was killed
    assert "painting 3 of 10" in text
    assert "surveyed" in text


def test_a_file_set_aside_says_why(tmp_path):
    """Stage, reason and every attempt with what a developer needs are on the page."""
    error = {"stage": "paint", "error": "worker died three times", "attempts": 3}
    tries = [
        {"stage": "paint", "unit": f"segment {n}", "attempt": n, "error": "died", "trace": "Trace: x"} for n in (1, 2)
    ]
    item(tmp_path, KEYS[0], state="set-aside", error=error, attempts=tries)
    text = Page(write_report(tmp_path).read_text(encoding="utf-8")).text
    for words in (
        "while it was painted, after 3 attempts",
        "worker died three times",
        "segment 2, attempt 2",
        "Trace: x",
    ):
        assert words in text


def test_a_kept_plan_is_linked(night):
    """The plan that a person may edit is linked while it exists."""
    plan = night / ".chromatheque" / "jobs" / KEYS[2] / "plan.json"
    plan.parent.mkdir(parents=True)
    plan.write_text("{}")
    try:
        assert by_key(read(night))[KEYS[2]].plan == f".chromatheque/jobs/{KEYS[2]}/plan.json"
    finally:
        plan.unlink()
    assert by_key(read(night))[KEYS[2]].plan == ""


# --- what can be edited


@pytest.fixture
def editable(night, tmp_path):
    """The colored collection with plans for its reel and for the scan with a hostile name."""
    shutil.copytree(night, tmp_path / "out")
    for key in (KEYS[0], KEYS[2]):
        with_plan(tmp_path / "out", key, pieces=key == KEYS[2])
    return tmp_path / "out"


def test_the_page_says_how_shots_are_edited(editable):
    """Each file with a plan has commands that can be pasted, whatever it is called, and each shot one of its own.

    The commands name the file as `plan` finds it, and the shot as the page does. A file without a plan has none.
    """
    text = write_report(editable).read_text(encoding="utf-8")
    commands = re.findall(r"^(?:<pre>)?(chromatheque plan .*?)(?:</pre>)?$", text, re.MULTILINE)
    words = [shlex.split(unescape(command)) for command in commands]
    reel, hostile = str(editable / "c.mkv"), str(editable / "box 1" / HOSTILE)
    assert [w[2:] for w in words if w[3] == reel] == [
        ["show", reel], ["merge", reel, "1..2"], ["split", reel, "1", "--at", "0:00.5"],
        ["look", reel, "2", "--of", "1"], ["undo", reel],
    ]  # fmt: skip
    assert [w[2:] for w in words if w[3] == hostile] == [
        ["show", hostile], ["look", hostile, "0", "--picture", "FILE"], ["undo", hostile],
    ]  # fmt: skip
    assert len(words) == 8
    found = re.findall(r'<button class=b value="([^"]*)" aria-label="([^"]*)"', text)
    assert {(value, unescape(name).rpartition(":")[0]) for value, name in found} == {
        ("0 --picture FILE", f"{HOSTILE}, Page 0"), ("1 --of 2", "c.mkv, Shot 1"), ("2 --of 1", "c.mkv, Shot 2"),
    }  # fmt: skip
    told = Page(text).text
    assert told.count("only what an edit touches is painted again") == 1
    assert told.count("its pieces were not kept") == 1
    assert Page(text).handlers == []


def test_an_edited_plan_is_told(editable):
    """Until the next run the page says that its numbers are the output's, not the plan's; by what the run remembers."""
    job = editable / ".chromatheque" / "jobs" / KEYS[2]
    stat = (job / "plan.json").stat()
    for seen, edited in (
        ([[1, 1], [2, 2], [stat.st_size, stat.st_mtime_ns]], False),
        ([[1, 1], [2, 2], [stat.st_size + 1, stat.st_mtime_ns]], True),
        ([], False),
        ("x", False),
    ):
        item(editable, KEYS[2], kind="reel", source="src/c.mkv", out="c.mkv", seen=seen)
        assert by_key(read(editable))[KEYS[2]].edited == edited
        assert ("Its plan was edited since" in write_report(editable).read_text()) == edited


def test_a_borrowed_look_is_told(night, tmp_path):
    """Beside the shot or page stands whose look it has; what cannot be read costs nothing else."""
    said = json.loads((night / "c.mkv.json").read_text())
    looks = [
        ([{"frames": [22, 40]}], "Look of shot 2"), ([{"frames": [3, 4]}], "Look of frames 3 to 3"),
        ([{"picture": "<b>.jpg", "sha256": "ab" * 32}], "Look of <b>.jpg (sha256 abababababab)"),
        ([{"frames": "x"}], "Look of something that cannot be read"), (7, "Look of something that cannot be read"),
    ]  # fmt: skip
    for look, told in looks:
        said["shots"][0]["look_from"] = look
        (tmp_path / "c.mkv.json").write_text(json.dumps(said))
        (tmp_path / "c.mkv").touch()
        item(tmp_path, KEYS[0], kind="reel", source="src/c.mkv", out="c.mkv")
        text = Page(write_report(tmp_path).read_text()).text
        assert told in text
        assert text.count("Look of") == 1


# --- what is flagged


def shots(*parts, kind="reel"):
    """Flags of the parts, given as (scene, its probability, chroma, pieces, picture)."""
    made = [
        Part(i, "", "", ((scene, share),), chroma, pieces) for i, (scene, share, chroma, pieces, _) in enumerate(parts)
    ]
    pictures = {i: p for i, (*_, p) in enumerate(parts) if p is not None}
    file = illustrated(File("k", kind, "done", "n", source="s", output="o", parts=tuple(made)), pictures)
    return [[flag.kind for flag in part.flags] for part in file.parts]


def looks(colorfulness=30.0, cb=0.0, cr=0.0, hue=(0.0, 0.0)):
    """A picture with these measures."""
    return Picture("b", "a", 4, 3, colorfulness, cb, cr, hue=hue)


def test_gray_and_pale_results_are_flagged():
    """Gray by the chroma of receipts, also without a picture; pale by the picture; never both."""
    flags = shots(("a", 0.5, 1.9, (), None), ("b", 0.5, 1.9, (), looks(1)), ("c", 0.5, 2.1, (), looks(7.4)),
                  ("d", 0.5, 2.1, (), looks(7.6)), ("e", 0.5, None, (), None))  # fmt: skip
    assert flags == [["gray"], ["gray"], ["low color"], [], []]


def test_a_source_in_color_is_flagged():
    """What the slider shows as gray is its luminance, and not what came in."""
    for notes in ((), (COLORED,)):
        file = illustrated(
            File("k", "reel", "done", "n", source="s", output="o", parts=(Part(0, "a", "b"),), notes=notes), {}
        )
        assert [flag.kind for flag in file.flags] == ["had color"] * len(notes)


def test_one_hue_over_all_is_flagged():
    """A strong one, over nearly all that is lit: a veil, as over magenta asphalt."""
    flags = shots(*(("a", 0.5, 9.0, (), looks(hue=hue)) for hue in ((0.95, 15.0), (0.89, 15.0), (0.95, 11.0))))
    assert flags == [["one hue"], [], []]


def test_a_color_jump_needs_the_same_scene_in_neighboring_shots():
    """Mean colors far apart are flagged between neighbors of one tag only, and never between pages."""
    far = looks(cb=8, cr=8)
    pair = (("street", 0.5, 9.0, (), looks()), ("street", 0.5, 9.0, (), far))
    assert shots(*pair) == [[], ["color jump"]]
    assert shots(*pair, kind="scan") == [[], []]
    assert shots(pair[0], ("beach", 0.5, 9.0, (), far)) == [[], []]
    assert shots(pair[0], ("street", 0.5, 9.0, (), looks(cb=6, cr=6))) == [[], []]
    assert shots(pair[0], ("street", 0.5, 9.0, (), None), pair[1]) == [[], [], []]


def test_unsure_scenes_and_unsteady_shots_are_flagged():
    """A low top probability, and chroma that steps within a shot; a small or slow change is none."""
    flags = shots(("a", 0.09, 9.0, (), None), ("b", 0.11, 9.0, (9.0, 15.0), None), ("c", 0.5, 9.0, (9, 11, 13), None),
                  ("d", 0.5, 3.0, (3.0, 5.0), None))  # fmt: skip
    assert flags == [["unsure"], ["unsteady"], [], []]


def test_damage_failed_checks_and_missing_outputs_are_flagged():
    """Each is a flag of the file, and every kind of flag is in the legend."""
    file = File("k", "reel", "done", "n", source="s", damage=("1 damaged frame",), findings=(("luma", False, "off"),))
    found = illustrated(file, {}).flag_counts
    assert list(found) == ["damage", "check", "missing"]
    assert list(FLAGS) == list(FlagKind)


def test_what_looks_like_a_negative_is_flagged(tmp_path):
    """Pages by their numbers, a reel as a whole; turned around it is said the other way round."""
    pages = [{"number": n, "looks_negative": n == 2} for n in range(3)]
    stories = (
        ({"pages": pages, "settings": {"invert": True}}, f"page 2: {TWICE}"),
        ({"pages": [*pages, pages[2]], "settings": None}, f"pages 2, 2: {NEGATIVE}"),
        ({"pages": pages[2:], "settings": {"invert": False}}, NEGATIVE),
        ({"pages": pages[:2]}, ""),
        ({"pages": "many"}, ""),
        ({"pages": [{"looks_negative": "yes"}]}, ""),
        ({"notes": ["a note", NEGATIVE]}, NEGATIVE),
        ({"notes": [TWICE]}, TWICE),
        ({"notes": ["a note", 3]}, ""),
    )
    for number, (story, message) in enumerate(stories):
        item(tmp_path, KEYS[0], kind="scan" if "pages" in story else "reel", out="a.tif")
        (tmp_path / "a.tif.json").write_text(json.dumps(story))
        [file] = read(tmp_path).files
        flags = [flag.why for flag in illustrated(file, {}).flags if flag.kind == "negative"]
        assert flags == [message] * bool(message), number


def test_frames_without_times_are_no_damage(tmp_path):
    """Damaged frames and packets are told and flagged; frames that only got new times are a note."""
    damage = {"frames": 1, "damaged_frames": {"7": "corrupt"}, "packet_errors": {"EOF": 2}, "retimed_frames": 3}
    for key, told in ((KEYS[0], damage), (KEYS[1], {"retimed_frames": 3})):
        item(tmp_path, key, kind="reel", out=f"{key}.mkv")
        (tmp_path / f"{key}.mkv.json").write_text(json.dumps({"damage": told}))
    files = by_key(read(tmp_path))
    assert files[KEYS[0]].damage == ("1 damaged frame", "2 packets give EOF", "frame 7: corrupt")
    assert files[KEYS[1]].damage == ()
    assert files[KEYS[1]].notes == ("3 frames had no usable time of their own",)
    assert "damage" in illustrated(files[KEYS[0]], {}).flag_counts
    assert "damage" not in illustrated(files[KEYS[1]], {}).flag_counts


def test_the_tiny_networks_strong_colors_are_not_called_gray(night):
    """The real outputs are neither gray nor pale, by receipts and by their pictures."""
    write_report(night)
    for file in read(night).files:
        told = illustrated(file, report_pictures.kept(night, file))
        assert not {"gray", "low color", "missing", "check", "damage"} & set(told.flag_counts)
        assert all(part.chroma > GRAY and part.picture for part in told.parts)


# --- the pictures


def decoded(out, name):
    """A thumbnail's samples."""
    return imagecodecs.jpeg8_decode((out / unquote(name)).read_bytes())


def test_pictures_are_the_outputs_turned_and_stretched(night):
    """A rotated reel of wide samples and a turned scan are shown as a player and a viewer show them; before is gray."""
    write_report(night)
    files = by_key(read(night))
    reel = report_pictures.kept(night, files[KEYS[2]])
    assert [(p.width, p.height) for p in reel.values()] == [(48, 128)] * 2
    turned = report_pictures.kept(night, files[KEYS[0]])[0]
    assert (turned.width, turned.height) == (90, 120)
    before, after = decoded(night, turned.before), decoded(night, turned.after)
    assert before.shape == (120, 90)
    assert after.shape == (120, 90, 3)
    assert before[:, -20:].mean() < before[:, :20].mean() - 50  # stored rows from dark to bright run to the left now
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(after @ weights - before).mean() < 4  # the luma of the same picture, but for JPEG
    assert after.astype(int).std(axis=2).mean() > 3


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (60, 90)), (6, (90, 60))])
def test_a_scan_is_pictured_with_its_pixels_shape(tmp_path, tiny, suffix, orientation, size):
    """A scanner that steps half as fine as it samples gives pixels twice as high as wide; thumbnails show that."""
    luma = np.random.default_rng(1).integers(0, 255, (90, 120), np.uint8)
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(
        tmp_path / "in.tif", luma, photometric="minisblack", metadata=None, resolution=(300, 150), extratags=tags
    )
    asked = ScanChoices(weights=str(tiny), working_size=32, precision="fp32")
    ScanJob(str(tmp_path / "in.tif"), tmp_path / f"out{suffix}", asked, None, Silent()).color()
    item(tmp_path, KEYS[0], out=f"out{suffix}")
    pictures, why = report_pictures.pictures(tmp_path, read(tmp_path).files[0])
    assert why == ""
    assert (pictures[0].width, pictures[0].height) == size


def test_a_shot_is_pictured_by_its_own_middle(night):
    """The reel's thumbnails are of the frames in the middle of its shots."""
    write_report(night)
    files = by_key(read(night))
    with av.open(str(night / "c.mkv")) as film:
        frames = [frame.to_ndarray()[:48].astype(float) for frame in film.decode(video=0)]
    for part in files[KEYS[2]].parts:
        shown = decoded(night, f"report/{KEYS[2]}-{part.number}b.jpg").astype(float)
        upright = np.rot90(shown, -1)
        small = (upright[:, ::2] + upright[:, 1::2]) / 2
        apart = [np.abs((frame[16:, :64] - 16) * 255 / 219 - small[16:]).mean() for frame in frames]
        middle = (11, 31)[part.number]
        assert min(apart[middle - 1 : middle + 2]) == min(apart)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_those_of_tiff(orientation):
    """The corner that TIFF 6.0 names for the first stored sample is where it is shown."""
    stored = np.zeros((2, 3, 3), np.uint8)
    stored[0, 0] = 255
    stored[0, 1] = 100
    shown = glimpses.turned(stored, orientation)[..., 0]
    row, column = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}[
        orientation
    ]
    assert shown.shape == ((2, 3) if orientation < 5 else (3, 2))
    assert shown[row, column] == 255
    assert 100 in (shown[row] if orientation < 5 else shown[:, column])


@pytest.mark.parametrize(("suffix", "pyramid"), [(".tif", False), (".tif", True), (".png", False), (".jpg", False)])
def test_large_scans_are_thinned(tmp_path, tiny, suffix, pyramid):
    """Whatever the format, a thumbnail is the whole scan at 320 pixels, dark above and bright below."""
    out = tmp_path / f"out{suffix}"
    scan(tmp_path / "in.tif", out, tiny, pyramid=pyramid, size=(2600, 200))
    item(tmp_path, KEYS[0], out=out.name)
    pictures, why = report_pictures.pictures(tmp_path, read(tmp_path).files[0])
    assert why == ""
    assert (pictures[0].width, pictures[0].height) in ((24, 320), (25, 320))
    luma = decoded(tmp_path, pictures[0].before).mean(axis=1)
    expected = np.linspace(20, 220, 320)
    assert np.abs(luma - expected).max() < 6


def test_pictures_are_made_once(night):
    """A second report reads no output; an output that changed, or a thumbnail that is gone, is made again."""
    write_report(night)
    path = night / "report" / f"{KEYS[0]}-0a.jpg"
    first = path.stat().st_mtime_ns
    write_report(night)
    assert path.stat().st_mtime_ns == first
    story = night / "box 1" / f"{HOSTILE}.json"
    told = json.loads(story.read_text(encoding="utf-8"))
    told["output"]["sha256"] = "0" * 64  # as a repainted output's story has another digest
    story.write_text(json.dumps(told), encoding="utf-8")
    write_report(night)
    second = path.stat().st_mtime_ns
    assert second != first
    (night / "report" / f"{KEYS[0]}-0b.jpg").unlink()
    write_report(night)
    assert path.stat().st_mtime_ns != second


def test_long_reels_are_pictured_evenly():
    """At most 40 shots are pictured, the first and the last among them."""
    parts = [Part(i, "", "") for i in range(1000)]
    numbers = [part.number for part in glimpses.chosen(parts)]
    assert len(numbers) == 40
    assert (numbers[0], numbers[-1]) == (0, 999)
    assert set(np.diff(numbers)) <= {25, 26}
    assert glimpses.chosen(parts[:3]) == parts[:3]
    assert glimpses.chosen([]) == []


def test_a_browser_shows_what_was_made(tmp_path):
    """Of a TIFF its picture in up to 1,200 pixels, the thumbnail beside it; of a reel of the archive a short H.264 film
    of its shots, in order."""
    tiny = tiny_weights(tmp_path / "tiny.safetensors")
    (tmp_path / "src").mkdir()
    scan(tmp_path / "src" / "a.tif", tmp_path / "a.tif", tiny, size=(1500, 300))
    write_reel(tmp_path / "src" / "c.mkv", 90, cuts=(30,))
    color(tmp_path / "src" / "c.mkv", tmp_path / "c.mkv", tiny)
    summary(tmp_path)
    item(tmp_path, KEYS[0], source="src/a.tif", out="a.tif")
    item(tmp_path, KEYS[2], kind="reel", source="src/c.mkv", out="c.mkv")
    page_ = Page(write_report(tmp_path).read_text(encoding="utf-8"))
    large = decoded(tmp_path, f"report/{KEYS[0]}-0la.jpg")
    assert large.shape[:2] == (1200, 240)
    assert decoded(tmp_path, f"report/{KEYS[0]}-0a.jpg").shape[:2] == (320, 64)
    assert {f"report/{KEYS[0]}-0la.jpg", f"report/{KEYS[2]}.mp4"} <= set(page_.urls)
    with av.open(str(tmp_path / "report" / f"{KEYS[2]}.mp4")) as film:
        assert film.streams.video[0].codec_context.name == "h264"
        frames = list(film.decode(video=0))
    assert 60 <= len(frames) <= 90
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames})


def test_the_last_run_and_all_runs_stand_apart(tmp_path):
    """What the last run did by itself, beside what stands there of all of them; nothing is said of it where an older
    version wrote nothing."""
    summary(tmp_path, finished={"files": 2, "frames": 100, "megapixels": 7.5})
    text = Page(write_report(tmp_path).read_text(encoding="utf-8")).text
    head = " ".join(text.split()).partition("All runs")
    assert "The last run done2 frames100 megapixels7.5 taken13.6 hours" in head[0]
    assert "of work" in head[2]
    summary(tmp_path)
    assert "The last run" not in Page(write_report(tmp_path).read_text(encoding="utf-8")).text


# --- what is escaped


def test_hostile_names_are_text(night):
    """Names, ids and losses with markup, quotes, percent signs and scripts are text; links lead to their files."""
    page_ = Page(write_report(night).read_text(encoding="utf-8"))
    assert page_.tags.count("script") == 1
    assert page_.handlers == []
    assert page_.tags.count("img") == 2 * 4
    for text in (HOSTILE, ODD, "javascript:alert(2)", "tag 700: <b>broken</b>"):
        assert text in page_.text
    local = [url for url in page_.urls if url != "data:,"]
    assert all(re.fullmatch(r"[A-Za-z0-9._~%/-]+", url) for url in local)
    assert all((night / unquote(url)).is_file() for url in local)
    assert {f"box 1/{HOSTILE}", ODD, f"report/{KEYS[1]}.html"} <= {unquote(url) for url in local}
    story = Page((night / f"report/{KEYS[1]}.html").read_text(encoding="utf-8"))
    assert "script" not in story.tags
    assert story.handlers == []
    assert [(night / "report" / unquote(url)).resolve() for url in story.urls] == [night / f"{ODD}.json"]


def test_only_its_own_script_may_run(night):
    """The policy allows nothing but pictures from beside the page, inline styles, and the one script by its hash."""
    text = write_report(night).read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy content="([^"]+)"', text)[1]
    assert policy.startswith(
        "default-src 'none'; img-src 'self' data: file:; style-src 'unsafe-inline'; script-src 'sha256-"
    )
    assert "http" not in text.replace("http-equiv", "")


def test_what_no_page_can_hold_is_replaced():
    """Control characters and halves of surrogate pairs become signs that can be read and saved."""
    assert shown("a\0b\x1b[31m\x85") == "a\ufffdb\ufffd[31m\ufffd"
    assert shown("x\udce9\ud800").encode()
    assert link("a b/ü#%?.tif") == "a%20b/%C3%BC%23%25%3F.tif"
    assert link("javascript:alert(1)") == "javascript%3Aalert%281%29"
    assert link("x\udce9") == "x%E9"
    assert link("x\ud800") == ""


# --- the page


def test_the_command_writes_the_report(night):
    """The command says where the page is; the page is whole, and nothing else is left beside it."""

    done = CliRunner().invoke(cli, ["report", str(night)], catch_exceptions=False)
    assert done.exit_code == 0
    assert str(night / "report.html") in done.output
    assert (night / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert not list(night.glob("*.part")) + list((night / "report").glob("*.part"))


@pytest.mark.slow
def test_two_thousand_files_are_light(tmp_path):
    """2,000 files with their stories: under ten seconds to read and render, under 6 MB, pictures loaded lazily."""
    summary(tmp_path, running=True)
    finding = {"what": "luma, page 0", "holds": True, "detail": "every sample is the source's"}
    scenes = [["mountain", 0.6], ["valley", 0.2], ["forest_path", 0.1]]
    for number in range(2000):
        kind, key = ("reel", "scan")[number % 10 > 0], f"{number:016x}"
        state = "set-aside" if number % 50 == 3 else "waiting" if number % 50 == 4 else "done"
        name = f"box {number // 100}/plate {number}.{'tif' if kind == 'scan' else 'mkv'}"
        error = {"stage": "survey", "error": "the file is damaged; take another copy", "attempts": 1}
        item(tmp_path, key, id=f"NL-HaNA 2.24.{number}", kind=kind, source=f"/archive/{name}", out=name, state=state,
             error=error if state == "set-aside" else None)  # fmt: skip
        if state != "done":
            continue
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        story = {"verified": [finding] * 9, "notes": [], "chroma": [9.0] * (5 if kind == "reel" else 1)}
        if kind == "scan":
            story["pages"] = [{"number": 0, "height": 9000, "width": 12000, "rows": 9000, "scenes": scenes}]
        else:
            story["shots"] = [
                {"start": i * 90, "stop": i * 90 + 90, "seconds": [i, i + 1], "scenes": scenes} for i in range(5)
            ]
        (tmp_path / f"{name}.json").write_text(json.dumps(story))
    began = time.process_time()
    collection = read(tmp_path)
    pictures = {
        n: Picture(f"report/{'0' * 16}-{n}b.jpg", f"report/{'0' * 16}-{n}a.jpg", 320, 240, 20, 1, 1) for n in range(5)
    }
    files = tuple(illustrated(f, {p.number: pictures[p.number] for p in f.parts}) for f in collection.files)
    text = page(Collection(files, "plates"), NOW)
    took = time.process_time() - began
    assert took < 10
    assert len(text.encode()) < 6_000_000
    found = Page(text)
    assert found.tags.count("article") == 2000
    assert found.tags.count("script") == 1
    assert text.count("<img loading=lazy") == found.tags.count("img") == 2 * sum(len(f.parts) for f in files)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (3600, "60 min"), (33840, "9.4 hours")]
)
def test_durations_are_said_as_people_do(seconds, said):
    """Seconds, minutes and hours, each where it is of use."""
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0"), (0.25, "0.2"), (7, "7"), (1234567, "1,234,567"), (432e6, "432 million")]
)
def test_large_numbers_can_be_read(number, said):
    """Thousands apart, and millions as such."""
    assert large(number) == said
