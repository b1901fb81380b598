"""The first law for negatives: what is stored is kept, its positive is what is seen, colored and written."""

import json

import av
import numpy as np
import pytest
import tifffile

from colorizer.basis.errors import JoinError
from colorizer.basis.light import luma_codes
from colorizer.color.coding import Coding
from colorizer.painting import polarity
from pipeline.collection.item import Item
from pipeline.jobs.calls import verify
from pipeline.jobs.scan_job import ScanChoices, ScanJob
from pipeline.scans import plan as scan_plan
from pipeline.scans.plan import ScanPlan
from pipeline.values.events import Silent
from pipeline.values.remarks import INVERTED, NEGATIVE, TWICE
from tests.endtoend import MEDIA, Heard, color, pictures, run_command, samples
from tests.synthetic import depth_of, frame_of, read_stamps, shot_of, stamped, texture
from workflows.report.flags import illustrated
from workflows.report.reading import published

SIZE = (64, 48)
BOTH = {("yuv420p", False): 251, ("yuv420p10le", False): 1004, ("gray", True): 255, ("gbrp10le", True): 1023}
"""Black and white together, by pixel format and whether its range is full."""


def film(path, pictures, pix_fmt="yuv420p", full=False, codec="ffv1"):
    """A reel of these luma planes."""
    bits = depth_of(pix_fmt)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], pix_fmt
        stream.codec_context.color_range = 2 if full else 1
        for index, picture in enumerate(pictures):
            frame = frame_of(picture, pix_fmt, bits)
            frame.pts, frame.color_range = index, 2 if full else 1
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def pair(folder, pix_fmt, full, count=12):
    """A reel of two shots and its negative."""
    bits = depth_of(pix_fmt)
    positive = [stamped(i, SIZE, bits, full, shot_of(i, (6,))) for i in range(count)]
    negative = [(BOTH[pix_fmt, full] - codes.astype(int)).astype(codes.dtype) for codes in positive]
    return [film(folder / f"{name}.mkv", codes, pix_fmt, full) for name, codes in
            (("positive", positive), ("negative", negative))]  # fmt: skip


def planes(path):
    """All samples, by frame and plane."""
    return [[samples(frame, plane) for plane in range(3)] for frame in pictures(path)]


def scan(source, out, tiny, listener=None, **choices):
    """A scan colored in this process."""
    asked = {"weights": str(tiny), "working_size": 32, "precision": "fp32", "tile": 64, **choices}
    return ScanJob(str(source), out, ScanChoices(**asked), None, listener or Silent()).color()


def story(out):
    """What lies beside an output."""
    return json.loads(out.with_name(f"{out.name}.json").read_text())


def doctored(out, change):
    """The output's sidecar, with its settings changed."""
    values = story(out)
    change(values["plan"]["settings"] if "plan" in values else values["settings"])
    out.with_name(f"{out.name}.json").write_text(json.dumps(values))


@pytest.mark.parametrize(("pix_fmt", "full"), BOTH)
@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_a_negative_reel_is_colored_as_its_positive_is(tmp_path, tiny, pix_fmt, full, suffix):
    """The same pictures to the last sample, in a lossless and in a lossy format; and its stamps can be read."""
    positive, negative = pair(tmp_path, pix_fmt, full)
    a = color(positive, tmp_path / f"a{suffix}", tiny)
    b = color(negative, tmp_path / f"b{suffix}", tiny, invert=True)
    assert all(finding.right for finding in (*a.findings, *b.findings))
    for one, other in zip(planes(a.out), planes(b.out), strict=True):
        assert all(map(np.array_equal, one, other))
    assert read_stamps(b.out) == list(range(12))
    assert b.plan.settings.invert
    assert not a.plan.settings.invert
    assert all(finding.right for finding in verify(negative, b.out))


def test_the_proof_turns_around_by_itself(tmp_path, tiny, monkeypatch):
    """A coloring that turns samples around wrongly is refused: the check has a reckoning of its own."""
    _, negative = pair(tmp_path, "yuv420p", False)
    tifffile.imwrite(tmp_path / "n.tif", (texture(0, 80, 70) * 65535).astype(np.uint16), metadata=None)
    monkeypatch.setattr(
        Coding, "inverted", lambda self, codes: (2**self.bits - 2 - codes.clip(0, 9)).astype(codes.dtype)
    )
    with pytest.raises(JoinError, match=r"not published.*luma"):
        color(negative, tmp_path / "out.mkv", tiny, invert=True)
    with pytest.raises(JoinError, match=r"not published.*luma"):
        scan(tmp_path / "n.tif", tmp_path / "out.tif", tiny, invert=True)


def test_codes_beyond_the_range_are_a_named_loss(tmp_path, tiny):
    """Limited range turned around has no room for 252 to 255: they become 0, counted, named, and no law hangs on it."""
    codes = [stamped(i, SIZE) for i in range(4)]
    codes[2][20:24, 10:20] = 254
    codes[3][20:24, 10:12], codes[3][24:28, 10:20] = 255, 251
    source = film(tmp_path / "n.mkv", codes)
    result = color(source, tmp_path / "out.mkv", tiny, invert=True)
    [lost] = result.lost
    assert lost.startswith("inversion (48 samples of 2 frames have codes above 251")
    assert [f.what for f in verify(source, result.out) if not f.holds] == ["inversion"]
    assert all(f.right for f in verify(source, result.out))
    assert planes(result.out)[2][0][20:24, 10:20].max() == 0


def test_color_of_a_negative_is_dropped(tmp_path, tiny):
    """Shots in color, which would keep what they have, are painted; and that is said."""
    with av.open(str(tmp_path / "n.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(32):
            planes = [texture(index, *SIZE, shot) * (index >= 16 or not shot) for shot in range(3)]
            rgb = np.stack(planes if index >= 16 else planes[:1] * 3, -1)
            frame = av.VideoFrame.from_ndarray((rgb * 255).astype(np.uint8), "rgb24").reformat(format="yuv420p")
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    kept = color(tmp_path / "n.mkv", tmp_path / "kept.mkv", tiny)
    assert any(shot.kept for shot in kept.plan.shots)
    result = color(tmp_path / "n.mkv", tmp_path / "out.mkv", tiny, invert=True)
    assert not any(shot.kept for shot in result.plan.shots)
    assert result.plan.settings.color_shots == "recolor"
    done = run_command("reel", tmp_path / "n.mkv", tmp_path / "said.mkv", "--invert", "--weights", tiny)
    assert INVERTED in done.stderr


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize(("name", "choices"), [("tif", {}), ("tif", {"pyramid": True}), ("png", {}), ("jpg", {})])
def test_a_negative_scan_is_colored_as_its_positive_is(tmp_path, tiny, kind, name, choices):
    """The same samples, and in lossless formats the luma is white less the stored code of every pixel."""
    white = 2 ** (8 * np.dtype(kind).itemsize) - 1
    positive = (texture(0, 150, 130) * white).astype(kind)
    tifffile.imwrite(tmp_path / "p.tif", positive, metadata=None)
    tifffile.imwrite(tmp_path / "n.tif", white - positive, metadata=None)
    a = scan(tmp_path / "p.tif", tmp_path / f"a.{name}", tiny, **choices)
    b = scan(tmp_path / "n.tif", tmp_path / f"b.{name}", tiny, invert=True, **choices)
    assert a.out.read_bytes() == b.out.read_bytes()
    assert all(finding.right for finding in verify(tmp_path / "n.tif", b.out))
    if name == "tif":
        luma = luma_codes(tifffile.imread(b.out))
        assert np.array_equal(luma, white - tifffile.imread(tmp_path / "n.tif"))


def test_native_size_and_a_scan_of_several_bands(tmp_path, tiny, monkeypatch):
    """Wherever rows are read, it is the positive."""
    monkeypatch.setattr(scan_plan, "NATIVE_BAND_PIXELS", 64 * 80)
    positive = (texture(0, 80, 150) * 255).astype(np.uint8)
    for name, codes in (("p", positive), ("n", 255 - positive)):
        tifffile.imwrite(tmp_path / f"{name}.tif", codes, metadata=None)
    a = scan(tmp_path / "p.tif", tmp_path / "a.tif", tiny, working_size=0)
    b = scan(tmp_path / "n.tif", tmp_path / "b.tif", tiny, working_size=0, invert=True)
    assert a.painted == b.painted == 3
    assert a.out.read_bytes() == b.out.read_bytes()


def test_a_file_whose_zero_is_white_is_no_negative(tmp_path, tiny):
    """Its polarity is in the file and is heeded as ever; what `--invert` turns around is what it shows."""
    shown = (texture(0, 90, 70) * 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / "p.tif", shown, metadata=None)
    tifffile.imwrite(tmp_path / "w.tif", 255 - shown, photometric="miniswhite", metadata=None)
    tifffile.imwrite(tmp_path / "n.tif", shown, photometric="miniswhite", metadata=None)
    first = scan(tmp_path / "p.tif", tmp_path / "a.tif", tiny)
    assert scan(tmp_path / "w.tif", tmp_path / "b.tif", tiny).out.read_bytes() == first.out.read_bytes()
    assert scan(tmp_path / "n.tif", tmp_path / "c.tif", tiny, invert=True).out.read_bytes() == first.out.read_bytes()


def test_a_doctored_sidecar_does_not_pass(tmp_path, tiny):
    """Whether an output shows the positive is part of what is proved."""
    _, negative = pair(tmp_path, "gray", True, 3)
    tifffile.imwrite(tmp_path / "n.tif", (texture(0, 80, 70) * 255).astype(np.uint8), metadata=None)
    outs = {negative: color(negative, tmp_path / "r.mkv", tiny, invert=True).out}
    outs[tmp_path / "n.tif"] = scan(tmp_path / "n.tif", tmp_path / "s.tif", tiny, invert=True).out
    for source, out in outs.items():
        plain = out.with_name(f"plain-{out.name}")
        (color if out.suffix == ".mkv" else scan)(source, plain, tiny)
        for path, invert in ((out, False), (plain, True)):
            assert all(finding.right for finding in verify(source, path))
            doctored(path, lambda settings, invert=invert: settings.update(invert=invert))
            wrong = [finding.what for finding in verify(source, path) if not finding.right]
            assert any(what.startswith("luma") for what in wrong)


def test_another_polarity_is_another_output(tmp_path, tiny):
    """Asked for with and without `--invert`, an output is not taken for finished, and its plan not for surveyed."""
    _, negative = pair(tmp_path, "yuv420p", False, 3)
    tifffile.imwrite(tmp_path / "n.tif", (texture(0, 80, 70) * 255).astype(np.uint8), metadata=None)
    for source, out, paint in ((negative, "r.mkv", color), (tmp_path / "n.tif", "s.tif", scan)):
        first = paint(source, tmp_path / out, tiny, invert=True).out.read_bytes()
        assert paint(source, tmp_path / out, tiny, invert=True).already
        assert paint(source, tmp_path / out, tiny, overwrite=True).out.read_bytes() != first
        assert paint(source, tmp_path / out, tiny, overwrite=True, invert=True).out.read_bytes() == first


def test_a_row_of_a_manifest_is_a_negative(tmp_path, tiny):
    """The column says it of one file, the option of all; a row has the last word."""
    white = tmp_path / "n.tif"
    tifffile.imwrite(white, (texture(0, 80, 70) * 255).astype(np.uint8), metadata=None)
    rows = ["file,out,invert", "n.tif,yes.tif,Yes", "n.tif,no.tif,no", "n.tif,open.tif,"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    for words, wanted in (((), [True, False, False]), (("--invert",), [True, False, True])):
        out = tmp_path / f"out{len(words)}"
        done = run_command("archive", tmp_path / "list.csv", out, "--weights", tiny, "--working-size", 32, *words)
        assert done.returncode == 0, done.stderr
        found = {name: story(out / name)["settings"]["invert"] for name in ("yes.tif", "no.tif", "open.tif")}
        assert list(found.values()) == wanted
        for name in found:
            assert all(finding.right for finding in verify(white, out / name))
    (tmp_path / "list.csv").write_text("file,invert\nn.tif,perhaps")
    done = run_command("archive", tmp_path / "list.csv", tmp_path / "bad", "--weights", tiny)
    assert done.returncode == 1
    assert "row 2, column 'invert': 'perhaps' is neither yes nor no" in done.stderr


@pytest.mark.parametrize("invert", [False, True])
def test_what_looks_like_a_negative_is_said_and_colored_as_it_is(tmp_path, tiny, monkeypatch, invert):
    """On the terminal and in the sidecar, of each page; the output is the one that would be made without."""
    source = tmp_path / "n.tif"
    tifffile.imwrite(source, (texture(0, 80, 70) * 255).astype(np.uint8), metadata=None)
    monkeypatch.setattr(polarity, "ENOUGH", np.inf)
    unsaid = scan(source, tmp_path / "unsaid.tif", tiny, invert=invert)
    monkeypatch.setattr(polarity, "ENOUGH", -np.inf)
    heard = Heard()
    said = scan(source, tmp_path / "said.tif", tiny, invert=invert, listener=heard)
    notes = [facts["text"] for event, facts in heard.events if event == "note"]
    assert (TWICE if invert else NEGATIVE) in notes
    assert said.out.read_bytes() == unsaid.out.read_bytes()
    assert [story(result.out)["pages"][0].get("looks_negative") for result in (said, unsaid)] == [True, None]
    assert ScanPlan.from_json(said.plan.to_json()).pages[0].looks_negative
    assert all(finding.right for finding in verify(source, said.out))


@pytest.mark.parametrize("invert", [False, True])
def test_a_reel_that_looks_like_a_negative_is_colored_as_it_is(tmp_path, tiny, monkeypatch, invert):
    """Said among its notes, on the terminal and in the sidecar; the output is the one that would be made without."""
    source, _ = pair(tmp_path, "yuv420p", False)
    monkeypatch.setattr(polarity, "ENOUGH", np.inf)
    unsaid = color(source, tmp_path / "unsaid.mkv", tiny, invert=invert)
    monkeypatch.setattr(polarity, "ENOUGH", -np.inf)
    heard = Heard()
    said = color(source, tmp_path / "said.mkv", tiny, invert=invert, listener=heard)
    message = TWICE if invert else NEGATIVE
    assert [facts["text"] for event, facts in heard.events if event == "note"].count(message) == 1
    assert [message in story(result.out)["plan"]["notes"] for result in (said, unsaid)] == [True, False]
    items = [Item("0" * 16, "", "reel", str(source), result.out.name, ()) for result in (said, unsaid)]
    flagged = [illustrated(published(tmp_path, item), {}).flags for item in items]
    assert [[flag.why for flag in flags if flag.kind == "negative"] for flags in flagged] == [[message], []]
    for one, other in zip(planes(said.out), planes(unsaid.out), strict=True):
        assert all(map(np.array_equal, one, other))
    assert all(finding.right for finding in verify(source, said.out))


def test_shots_decide_by_their_frames(tmp_path, tiny, monkeypatch):
    """A reel is said to look like a negative where most of its frames are in shots that do."""
    monkeypatch.setattr(polarity, "evidence", lambda pictures: 100.0 - pictures.mean((1, 2)))
    for dark, expected in ((30, True), (10, False)):
        codes = [stamped(i, SIZE, shot=int(i >= dark)) // 2 + (16 if i < dark else 100) for i in range(40)]
        source = film(tmp_path / f"{dark}.mkv", [c.astype(np.uint8) for c in codes])
        plan = color(source, tmp_path / f"out{dark}.mkv", tiny).plan
        assert [shot.start for shot in plan.shots] == [0, dark]
        assert (NEGATIVE in plan.notes) == expected


@pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no media at {MEDIA}")
def test_film_with_its_rebate_is_taken_for_a_negative(tmp_path, tiny):
    """Clear film, perforations and print around the picture; turned around it is none."""
    source = MEDIA / "faults" / "negative_with_film_rebate.tif"
    pages = [scan(source, tmp_path / f"{invert}.tif", tiny, invert=invert).plan.pages[0] for invert in (False, True)]
    assert [page.looks_negative for page in pages] == [True, False]
