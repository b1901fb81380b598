"""What a collection consists of, and where its outputs go: every file once, nothing outside the output folder."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import ColorizeError
from pipeline.collection.items import find


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
        ("", "no column 'file'"), ("name,id\na,b\n", "unknown columns 'name'"),
        ("file,colour\na.tif,red\n", "'colour'"),
        ("file,out\na.tif,../b.tif\n", "line 2: out '../b.tif' leads out"), ("file,out\na.tif,/b.tif\n", "leads out"),
        ("file,out\na.tif,c:/b.tif\n", "leads out"), ("file,out\na.tif,x\\..\\..\\b.tif\n", "leads out"),
        ("file,profile\na.mov,best\n", "no profile is called 'best'"), ("file,rate\na.mov,fast\n", "rate 'fast'"),
        ("file,page\na.tif,two\n", "page 'two'"), ("file,kind\na.tif,photo\n", "neither reel nor scan"),
        ("file\na.tif,b\n", "more fields than columns"), ("file,id\n,x\n", "no file is named"),
        ("file,out\na.tif,x.tif\nb.tif,x.tif\n", "the same output"),
    ],
)  # fmt: skip
def test_a_manifest_with_a_mistake_is_one_line(tmp_path, text, told):
    """What, in which line, and what is allowed."""
    with pytest.raises(ColorizeError) as error:
        listed(tmp_path, text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_table(tmp_path):
    """A file in another encoding, one that is gone, and one that is no list."""
    (tmp_path / "list.csv").write_bytes(b"file\n\xff\xfe.tif\n")
    with pytest.raises(ColorizeError, match="save it as CSV in UTF-8"):
        find(tmp_path / "list.csv", tmp_path / "out", {}, (), ())
    with pytest.raises(ColorizeError, match="a single file is for reel or scan"):
        find(tree(tmp_path, "a.tif") / "a.tif", tmp_path / "out", {}, (), ())


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
