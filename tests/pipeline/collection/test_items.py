"""What a collection consists of, and where its outputs go: every file once, nothing outside the output folder."""

import csv
import os
import re
import unicodedata
from fractions import Fraction
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.atomic import scratch_of
from colorizer.basis.errors import ColorizeError
from pipeline.collection.items import find
from pipeline.collection.names import Wish, named
from pipeline.values.sequence import pattern_of


def tree(home, *names):
    """Empty files."""
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    return home


def outs(found):
    """Outputs by source, relative."""
    return {item.source: item.out for item in found.items}


def walked(home, out=None, include=(), exclude=(), **options):
    """The items of a folder."""
    return find(home, out or home.parent / "out", options, include, exclude)


def test_the_tree_is_mirrored(tmp_path):
    """Reels become the profile's format, scans TIFF; other files are counted, hidden ones are not seen."""
    home = tree(
        tmp_path / "src", "a.mov", "box 1/b.TIF", "box 1/ü/c.jpeg", "notes.txt", "more.txt", "README", ".hidden.tif",
        ".cache/d.tif",
    )  # fmt: skip
    found = walked(home)
    assert sorted(outs(found).values()) == ["a.mkv", "box 1/b.tif", "box 1/ü/c.tif"]
    assert found.passed == {".txt": 2, "without suffix": 1}
    assert {item.kind for item in found.items if item.out.endswith(".mkv")} == {"reel"}
    assert sorted(walked(home, profile="access", scans=".png").items, key=lambda i: i.out)[0].out == "a.mp4"


def test_names_that_would_meet_keep_their_suffix(tmp_path):
    """Two sources that differ in nothing but their suffix, or in case, have two outputs."""
    found = walked(tree(tmp_path / "src", "a.mov", "a.avi", "b.tif", "b.jpg", "c.tif"))
    assert sorted(outs(found).values()) == ["a.avi.mkv", "a.mov.mkv", "b.jpg.tif", "b.tif.tif", "c.tif"]
    assert len({item.key for item in found.items}) == 5


def test_numbered_dpx_files_are_a_reel(tmp_path):
    """From ten on; fewer are scans, and so are numbered TIFF files, which may be plates."""
    home = tree(tmp_path / "src", *(f"reel/scan_{n:05d}.dpx" for n in range(12)))
    tree(home, *(f"few/{n:03d}.dpx" for n in range(3)))
    tree(home, *(f"plates/p{n:03d}.tif" for n in range(20)))
    found = walked(home)
    reels = [item for item in found.items if item.kind == "reel"]
    assert [Path(item.source).name for item in reels] == ["scan_%05d.dpx"]
    assert [item.out for item in reels] == ["reel/scan.mkv"]
    assert len(found.items) == 1 + 3 + 20


def test_include_and_exclude(tmp_path):
    """Patterns match a path below the folder, or a name."""
    home = tree(tmp_path / "src", "a.mov", "box1/b.tif", "box2/c.tif", "box2/d.jpg")
    assert set(outs(walked(home, include=["*.tif"])).values()) == {"box1/b.tif", "box2/c.tif"}
    assert set(outs(walked(home, include=["box2/*"])).values()) == {"box2/c.tif", "box2/d.tif"}
    assert set(outs(walked(home, exclude=["*.tif", "a.*"])).values()) == {"box2/d.tif"}


def test_an_output_folder_inside_the_source_is_refused(tmp_path):
    """It would be colored again the next night."""
    home = tree(tmp_path / "src", "a.mov")
    for out in (home, home / "out", home / "x" / ".." / "out"):
        with pytest.raises(ColorizeError, match="lies inside"):
            walked(home, out)


def listed(tmp_path, text, **options):
    """The items of a manifest."""
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return find(path, tmp_path / "out", options, (), ()).items


def test_a_manifest(tmp_path):
    """Ids and options per row; a row has the last word over the command's options; a BOM does not matter."""
    items = listed(
        tmp_path,
        "\ufefffile,id,profile,out,working_size,page\n"
        "films/a.mov,F-1,access,,256,\n"
        "plates/b.tif,P-7,,boxes/seven.png,native,2\n"
        "frames/%06d.tif,,,,,\n",
        working_size=192, precision="fp32", pyramid=True,
    )  # fmt: skip
    assert [(i.id, i.kind, i.out) for i in items] == [
        ("F-1", "reel", "films/a.mp4"), ("P-7", "scan", "boxes/seven.png"), ("", "reel", "frames.mkv"),
    ]  # fmt: skip
    assert dict(items[0].options)["working_size"] == 256
    assert dict(items[1].options) == {"page": 2, "precision": "fp32", "pyramid": True, "working_size": 0}
    assert items[0].source == str(tmp_path / "films/a.mov")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column 'file'"), ("name,id\na,b\n", "no column 'file'; it has 'name', 'id'"),
        ("file,File\na.tif,b.tif\n", "two columns are called 'file'"),
        ("file,out\na.tif,../b.tif\n", "row 2, column 'out': '../b.tif' leads out"),
        ("file,out\na.tif,/b.tif\n", "leads out"),
        ("file,out\na.tif,c:/b.tif\n", "leads out"), ("file,out\na.tif,x\\..\\..\\b.tif\n", "leads out"),
        ("file,profile\na.mov,best\n", "'best' is not one of archive, mezzanine"),
        ("file,rate\na.mov,fast\n", "row 2, column 'rate': 'fast' is not a rate"),
        ("file,page\na.tif,two\n", "column 'page': 'two' is not a whole number"),
        ("file,kind\na.tif,photo\n", "'photo' is not one of reel, scan"),
        ("file\na.tif,b\n", "more fields than columns"), ("file,id\n\n,x\n", "row 3, column 'file': no file is named"),
        ("file,working_size\na.tif,999999999\n", "row 2, column 'working_size': '999999999' is neither"),
        ("file,working_size\na.tif,-5\n", "column 'working_size': '-5'"),
        ("file,page\na.tif,-1\n", "column 'page': '-1'"), ("file,start\na.mov,-1\n", "column 'start': '-1' is before"),
        ("file,stop\na.mov,1e99999999\n", "column 'stop': '1e99999999' is not a time"),
        ("file,rate\na.mov,1e99999999\n", "column 'rate': '1e99999999' is not a rate"),
        ("file,rate\na.mov,1/0\n", "column 'rate': '1/0' is not a rate"),
        ("file,compression\na.tif,zip\n", "column 'compression': 'zip' is not one of deflate"),
        ("file\na\0b.tif\n", "row 2, column 'file': holds a NUL"),
        (f"file,out\na.tif,{'x' * 296}.tif\n", "column 'out': has a name of 300 bytes"),
        ("file,out\na.tif,.chromatheque/x.tif\n", "column 'out': '.chromatheque/x.tif' lies in .chromatheque"),
        ("file,out\na.tif,./.Chromatheque/items/x.tif\n", "lies in .chromatheque"),
    ],
)  # fmt: skip
def test_a_manifest_with_a_mistake_is_one_line(tmp_path, text, told):
    """What, in which row and column, and what is allowed."""
    with pytest.raises(ColorizeError) as error:
        listed(tmp_path, text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_table(tmp_path):
    """A file in another encoding, one that is gone, and one that is no list."""
    (tmp_path / "list.csv").write_bytes(b"file\n\x81\xfe.tif\n")
    with pytest.raises(ColorizeError, match="save it as CSV in UTF-8"):
        find(tmp_path / "list.csv", tmp_path / "out", {}, (), ())
    with pytest.raises(ColorizeError, match="chromatheque scan IN OUT"):
        find(tree(tmp_path, "a.tif") / "a.tif", tmp_path / "out", {}, (), ())


SHEET = [
    ["File", "Catalog No.", "ID", "Working Size", "Titel", "OUT"],
    ["reels\\Köln.mov", "17", "F-1", "", "Der Umzug; 1936", ""],
    ["", "", "", "", "", ""],
    ["plates\\b.tif", "18", "P-7", "NATIVE", 'a "plate",\nin two lines', "boxes\\sieben.png"],
]
"""As a spreadsheet holds it."""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_manifest_as_spreadsheets_write_it(tmp_path, encoding, separator, end):
    """Whatever separates fields, lines and letters: the same items, with other columns as their notes."""
    with (tmp_path / "list.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator, lineterminator=end).writerows(SHEET)
    found = find(tmp_path / "list.csv", tmp_path / "out", {}, (), ())
    assert [(i.id, i.source, i.out) for i in found.items] == [
        ("F-1", str(tmp_path / "reels/Köln.mov"), "reels/Köln.mkv"),
        ("P-7", str(tmp_path / "plates/b.tif"), "boxes/sieben.png"),
    ]
    assert dict(found.items[1].options) == {"working_size": 0}
    assert dict(found.items[0].catalog) == {"Catalog No.": "17", "Titel": "Der Umzug; 1936"}
    assert dict(found.items[1].catalog)["Titel"] == 'a "plate",\nin two lines'
    guessed, notes = [r for r in found.remarks if "1252" in r], [r for r in found.remarks if "notes" in r]
    assert len(guessed) == (encoding == "cp1252")
    assert len(notes) == 1
    assert "'Catalog No.', 'Titel'" in notes[0]


def test_what_spreadsheets_add_to_a_manifest(tmp_path):
    """A line that names the separator, columns without a name, rows longer by empty fields, decimal commas."""
    items = listed(tmp_path, "sep=;\nfile;rate;;\nf/%04d.dpx;23,976;;;;\n;;\nb.tif;;lent;\n")
    assert dict(items[0].options)["rate"] == Fraction("23.976")
    assert items[1].catalog == (("column 3", "lent"),)


def test_blanks_before_quotes(tmp_path):
    """As people type them after a comma: the quotes are none of the name."""
    [item] = listed(tmp_path, 'file, id\n"a, b.tif",  "P-1"\n')
    assert (item.source, item.id) == (str(tmp_path / "a, b.tif"), "P-1")


def test_a_path_with_a_backslash_in_its_name(tmp_path):
    """Is that file where there is one; everywhere else a backslash is a slash."""
    tree(tmp_path, "a\\b.tif")
    assert [i.source for i in listed(tmp_path, "file\na\\b.tif\nc\\d.tif\n")] == [
        str(tmp_path / "a\\b.tif"), str(tmp_path / "c/d.tif"),
    ]  # fmt: skip


def test_one_id_twice_is_told(tmp_path):
    """With both rows; both are colored."""
    (tmp_path / "list.csv").write_text("file,id\na.tif,P-1\n\nb.tif,P-1\nc.tif,P-2\n")
    found = find(tmp_path / "list.csv", tmp_path / "out", {}, (), ())
    [remark] = found.remarks
    assert "the id 'P-1' is in rows 2 and 4" in remark
    assert len(found.items) == 3


def test_rows_that_ask_for_the_same_are_one(tmp_path):
    """It is colored once, and a line names the rows."""
    (tmp_path / "list.csv").write_text("file,out\na.tif,x.tif\nb.tif,\na.tif,x.tif\nb.tif,\n")
    found = find(tmp_path / "list.csv", tmp_path / "out", {}, (), ())
    assert [item.out for item in found.items] == ["x.tif", "b.tif"]
    assert ["rows 2 and 4" in found.remarks[0], "rows 3 and 5" in found.remarks[1]] == [True, True]


def test_two_rows_of_one_output_are_at_fault(tmp_path):
    """Neither is colored over the other, nor one into the other's name as a folder; each names the other's row. Who
    was colored under the name before keeps it."""
    (tmp_path / "list.csv").write_text("file,out\na.tif,x.tif\nb.tif,X.tif\nc.tif,c.tif\nd.tif,x.tif/d.tif\n")
    found = find(tmp_path / "list.csv", tmp_path / "out", {}, (), ())
    faults = [item.fault for item in found.items]
    assert "that of row 3;" in faults[0]
    assert "that of row 2;" in faults[1]
    assert faults[2] == ""
    assert "that of rows 2 and 3;" in faults[3]
    assert len({item.out.casefold() for item in found.items} | {"x.tif"}) == 5
    known = {"x.tif": str(tmp_path / "a.tif")}
    again = find(tmp_path / "list.csv", tmp_path / "out", {}, (), (), known)
    assert [bool(item.fault) for item in again.items] == [False, True, False, True]
    assert again.items[0].out == "x.tif"


@settings(max_examples=300)
@given(st.lists(st.text(st.sampled_from("ab./\\: %\u00fc'\"<>"), min_size=1, max_size=12), min_size=1, max_size=4))
def test_no_manifest_leads_out_of_the_output_folder(tmp_path_factory, names):
    """Whatever files and outputs it names: refused, or below the folder, and every output only once."""
    home = tmp_path_factory.mktemp("list")
    path = home / "list.csv"
    quoted = [name.replace('"', '""') for name in names]
    path.write_text("file,out\n" + "".join(f'"{n}.tif","{n}"\n' for n in quoted), encoding="utf-8")
    try:
        items = find(path, home / "out", {}, (), ()).items
    except ColorizeError:
        return
    places = [PurePosixPath(item.out) for item in items]
    assert len({str(place).lower() for place in places}) == len(places)
    for place in places:
        assert not place.is_absolute()
        assert ".." not in place.parts
        assert (home / "out" / place).resolve().is_relative_to((home / "out").resolve())


def again(home, out, known, **options):
    """The items when earlier runs gave names: by output, the sources."""
    return find(home, out, options, (), (), known)


def test_a_name_once_given_stays(tmp_path):
    """What comes later beside it gets the longer one; what was moved with its collection keeps its own."""
    home, out = tree(tmp_path / "src", "a.jpg"), tmp_path / "out"
    first = walked(home)
    known = {item.out: item.source for item in first.items}
    assert list(known) == ["a.tif"]
    tree(home, "a.png", "A.webp")
    found = outs(again(home, out, known))
    assert found[str(home / "a.jpg")] == "a.tif"
    assert sorted(found.values()) == ["A.webp.tif", "a.png.tif", "a.tif"]
    home.rename(tmp_path / "moved")
    assert outs(again(tmp_path / "moved", out, known))[str(tmp_path / "moved" / "a.jpg")] == "a.tif"


@pytest.mark.parametrize(
    "names",
    [
        ("Plate.tif", "plate.tif"), ("e\u0301.tif", "\u00e9.tif"), ("a.mov", "a.mkv/b.tif"),
        ("a.jpg.tif", "a.jpg", "a.png"),
        tuple(f"{stem}{n:04d}.dpx" for stem in ("reel_", "reel-") for n in range(12)),
        tuple(f"reel_{n:04d}.{suffix}" for suffix in ("dpx", "DPX") for n in range(12)),
        tuple(f"film_{n}.{suffix}" for suffix in ("dpx", "DPX") for n in range(9988, 10012)),
    ],
)  # fmt: skip
def test_no_clash_refuses_a_tree(tmp_path, names):
    """Each file has a name, also on file systems that ignore case, whatever order they come in."""
    found = walked(tree(tmp_path / "src", *names))
    folded = {unicodedata.normalize("NFC", item.out).casefold() for item in found.items}
    assert len(folded) == len(found.items) > 1
    assert not folded & {str(parent) for out in folded for parent in PurePosixPath(out).parents}


@given(st.permutations(["Plate.tif", "plate.tif", "a.jpg", "a.png", "a.jpg.tif", "b.mov"]))
def test_names_know_no_order(names):
    """The same sources have the same names."""
    wishes = [Wish(n, (f"{n[:-4]}.tif", f"{n}.tif", f"{n}.{ord(n[0])}.tif")) for n in names]
    assert dict(zip(names, named(wishes, {}), strict=True)) == {
        "Plate.tif": "Plate.tif.80.tif", "plate.tif": "plate.tif.112.tif", "a.jpg": "a.jpg.97.tif",
        "a.png": "a.png.tif",
        "a.jpg.tif": "a.jpg.tif", "b.mov": "b.tif",
    }  # fmt: skip


def test_outputs_of_no_source_are_named(tmp_path):
    """Those whose source is gone, and that are there."""
    home, out = tree(tmp_path / "src", "a.jpg"), tree(tmp_path / "out", "a.tif", "b.tif", "d.tif")
    known = {
        place: str(home / source) for place, source in (("a.tif", "a.jpg"), ("b.tif", "b.jpg"), ("c.tif", "c.jpg"))
    }
    assert again(home, out, known).orphans == ("b.tif",)
    tree(home, "b.png")  # the name stays with what was made under it
    assert outs(again(home, out, known))[str(home / "b.png")] == "b.png.tif"


VOBS = [f"VTS_01_{n}.VOB" for n in (1, 2)]
DPXS = [f"reel_{n:04d}.dpx" for n in range(9)]


@pytest.mark.parametrize(
    ("before", "more", "taken_in"),
    [
        (VOBS[1:], VOBS[:1], VOBS[1:]),
        (DPXS, ["reel_0009.dpx"], DPXS),
        ([*DPXS, "reel_0009.dpx"], [], ["reel_%04d.dpx"]),
    ],
)
@pytest.mark.parametrize("folder", ["", "deeper"])
def test_outputs_of_sources_that_are_read_with_another_are_named(tmp_path, before, more, taken_in, folder):
    """A part whose title's first file has come, pictures that are a sequence by now, a sequence that is none any more:
    what was made of them is no source's output, though their files are there."""
    home, out = tmp_path / "src", tmp_path / "out"
    tree(home / folder, *before, "other.jpg")
    known = {place: source for source, place in outs(again(home, out, {})).items()}
    tree(out, *known)
    assert again(home, out, known).orphans == ()
    tree(home / folder, *more)
    if not more:
        (home / folder / before[0]).unlink()
    left = again(home, out, known)
    assert sorted(known[place] for place in left.orphans) == [str(home / folder / name) for name in taken_in]
    assert find(home, out, {}, (), ("*.VOB", "*.dpx"), known).orphans == left.orphans  # whatever is left out now


def test_an_earlier_output_folder_is_no_source(tmp_path):
    """Refused in a line; inside a source it is passed over and counted."""
    home = tree(tmp_path / "src", "a.jpg", "colored/a.tif", "colored/.chromatheque/items/0.json", "colored/b/c.tif")
    with pytest.raises(ColorizeError, match="the output folder of an earlier run"):
        walked(home / "colored", tmp_path / "out")
    found = walked(home)
    assert list(outs(found).values()) == ["a.tif"]
    assert found.passed == {"in outputs of earlier runs": 1}


def test_what_stands_beside_an_output_that_is_gone_is_told(tmp_path):
    """Its source went, and somebody removed the output: sidecar, digests and captions of nothing lay there for ever,
    and nobody said so. Of a source that is there they are made anew."""
    home, out = tree(tmp_path / "src", "a.mov", "b.mov"), tmp_path / "out"
    known = {place: source for source, place in outs(again(home, out, {})).items()}
    tree(out, "a.mkv", "a.mkv.json", "b.mkv.json", "b.mkv.scc", "other.json")
    assert again(home, out, known).orphans == ()
    (home / "b.mov").unlink()
    assert again(home, out, known).orphans == ("b.mkv.json", "b.mkv.scc")
    tree(out, "b.mkv")
    assert again(home, out, known).orphans == ("b.mkv",)


def test_a_report_about_one_output_is_no_source(tmp_path):
    """Its pictures are not photographs; a folder that is only called so is one of the source's."""
    home = tree(tmp_path / "src", "a.jpg", "a.tif.report/report.html", "a.tif.report/report/output-0a.jpg")
    assert list(outs(walked(home)).values()) == ["a.tif"]
    mine = tree(tmp_path / "mine", "a.jpg", "annual.report/b.jpg")
    assert list(outs(walked(mine)).values()) == ["a.tif", "annual.report/b.tif"]


@pytest.mark.parametrize("name", ["a" * 251 + ".tif", "\u6f22" * 79 + ".png", "b" * 250 + ".mov"])
def test_a_name_of_any_length_has_an_output(tmp_path, name):
    """With room for what is written beside it; two that begin alike stay apart."""
    [item] = walked(tree(tmp_path / "src", name)).items
    assert len(os.fsencode(f"{item.out}.framemd5")) <= 255
    longest = os.fsencode(scratch_of(PurePosixPath(item.out), "01234567").name + ".json")
    assert len(longest) <= 255
    other = name[:-5] + "x" + name[-4:]
    assert len({i.out for i in walked(tree(tmp_path / "src", other)).items}) == 2


@pytest.mark.parametrize("suffix", [".m2v", ".pva", ".wtv", ".mts", ".m2t", ".qt", ".y4m", ".mjpeg", ".MTS"])
def test_films_of_cameras_recorders_and_encoders_are_seen(tmp_path, suffix):
    """What `reel` reads is not passed over for its name."""
    [item] = walked(tree(tmp_path / "src", f"a{suffix}")).items
    assert item.kind == "reel"


def test_scans_in_jpeg_xl_are_seen(tmp_path):
    """As all stills that `scan` reads."""
    [item] = walked(tree(tmp_path / "src", "a.jxl")).items
    assert item.kind == "scan"


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        ([f"frame{n}.dpx" for n in range(95, 113)], "frame%d.dpx"),
        ([f"film_{n}.dpx" for n in range(9988, 10012)], "film_%d.dpx"),
        ([f"{n}.dpx" for n in range(12)], "%d.dpx"),
        ([f"{n:04d}.dpx" for n in range(9995, 10012)], "%d.dpx"),
        ([f"a{n:04d}.dpx" for n in (*range(990, 1012),)], "a%04d.dpx"),
        ([f"a{n:03d}.dpx" for n in (*range(990, 1012),)], "a%d.dpx"),
        ([f"100%_{n:03d}.dpx" for n in range(12)], "100%%_%03d.dpx"),
    ],
)
def test_numbers_with_and_without_zeros_are_one_reel(tmp_path, names, pattern):
    """In the order of their numbers, whatever digits they have."""
    [item] = walked(tree(tmp_path / "src", *names)).items
    assert Path(item.source).name == pattern
    found = pattern_of(pattern)
    assert found is not None
    assert {found.number(name) for name in names} == set(map(int, (re.findall(r"(\d+)\.", n)[0] for n in names)))
    assert item.out in ("frame.mkv", "film.mkv", "reel.mkv", "a.mkv", "100%.mkv")


def test_other_pictures_are_a_reel_where_that_is_asked_for(tmp_path):
    """TIFF and PNG may be plates, JPEG a camera's photographs: a hint says what they could be."""
    photographs = (f"r/IMG_{n:04d}.JPG" for n in range(20, 31))
    plates = (f"p{n}.tif" for n in range(1, 15)), (f"q/{n:04d}.PNG" for n in range(3, 15))
    home = tree(tmp_path / "src", *plates[0], *plates[1], *photographs)
    found = walked(home)
    assert {item.kind for item in found.items} == {"scan"}
    assert [hint.split(": ")[1] for hint in found.hints] == [
        "14 numbered pictures, taken for scans; with --sequences all they are one reel",
        "12 numbered pictures, taken for scans; with --sequences all they are one reel",
        "11 numbered pictures, taken for scans; with --sequences all they are one reel",
    ]
    every = find(home, tmp_path / "out", {}, (), (), every=True)
    assert sorted(item.out for item in every.items) == ["p.mkv", "q.mkv", "r/IMG.mkv"]
    assert not every.hints


def test_folders_behind_links_are_counted_and_taken_in_once(tmp_path):
    """Links in a circle, back into the tree, to a folder above it, and two to one folder."""
    home, away = tree(tmp_path / "src", "a.mov", "in/b.mov"), tree(tmp_path / "away", "c.mov", "deep/d.mov")
    for name, target in {
        "one": away, "two": away, "three": away / "deep", "again": home / "in", "up": tmp_path, "in/self": home,
    }.items():  # fmt: skip
        (home / name).symlink_to(target)
    (away / "deep" / "back").symlink_to(away)
    found = walked(home)
    assert sorted(outs(found).values()) == ["a.mkv", "in/b.mkv"]
    assert found.linked == 4
    followed = find(home, tmp_path / "out", {}, (), (), follow=True)
    assert sorted(outs(followed).values()) == ["a.mkv", "in/b.mkv", "one/c.mkv", "one/deep/d.mkv"]
    assert followed.linked == 1


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    """One too deep for the system does not end the run, and none is passed over in silence."""
    home = tree(tmp_path / "src", "a.tif")
    monkeypatch.chdir(home)
    for _ in range(25):
        name = "d" * 200
        os.mkdir(name)  # noqa: PTH102 - a path as long as this has no other way
        os.chdir(name)
    found = walked(home)
    assert [item.out for item in found.items] == ["a.tif"]
    [told] = found.remarks
    assert "not looked at, since it cannot be read (File name too long)" in told
