"""What leaves for a terminal is text: no command of a name's, no line that runs the other way, no secret."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from tests.checkout import ROOT, files
from tests.endtoend import command_line, environment, run_command
from workflows.terminal.plain import Plain, in_a_line, plain
from workflows.terminal.screen import Screen

MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))] + list(MARKS) + ["\u2028", "\u2029", "\udc9b"]
NAMES = st.text(st.one_of(st.sampled_from(CONTROLS), st.characters()))


def harmful(text, but=""):
    """What in a text is a control, a mark of direction, or no text."""
    bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in MARKS]
    return [c for c in bad if c not in but]


@given(NAMES)
def test_nothing_harmful_is_left_in_any_text(text):
    """Of all of C0, DEL, C1, marks of direction and bytes that are no text, tab and line feed alone pass; in a line
    they do not. What is plain stays so, and letters, signs and scripts stay as they are."""
    assert not harmful(plain(text), but="\t\n")
    assert not harmful(in_a_line(text))
    assert plain(plain(text)) == plain(text)
    kept = "".join(c for c in text if not harmful(c, but="\t\n"))
    assert kept in (text, re.sub(r"\\u[0-9a-f]{4}", "", plain(text))) or "\\u" in text or "://" in text or "=" in text


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_json_that_was_made_plain_says_the_same(control):
    """Escapes are those of JSON, so that a program reads the name as it is."""
    text = json.dumps({"name": f"a{control}b"}, ensure_ascii=False)
    assert json.loads(plain(text)) == {"name": f"a{control}b"}


@given(st.lists(NAMES, max_size=3))
def test_a_stream_passes_on_nothing_else(texts):
    """Whether text is written or handed over in lines."""
    inner = io.StringIO()
    stream = Plain(inner)
    for text in texts:
        assert stream.write(text) == len(text)
    stream.writelines(texts)
    assert not harmful(inner.getvalue(), but="\t\n")


@given(NAMES)
def test_a_table_on_a_terminal_holds_only_its_own_commands(name):
    """What rich sends for colors and bold begins with ESC [ and ends with m; nothing of a cell is among it."""
    out = io.StringIO()
    table = Table("name")
    table.add_row(Text(name, "red"))
    Screen(file=out, force_terminal=True, color_system="standard", width=200).print(table)
    assert not harmful(re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()), but="\t\n")


@pytest.mark.parametrize(
    "secret", ["s3://me:most-secret@films/x", "https://h/a?token=most-secret", "sftp://most-secret@h"]
)
def test_no_secret_leaves(secret):
    """In the middle of a sentence, and in JSON, which stays JSON."""
    assert "most-secret" not in plain(f"cannot read '{secret}': gone, ask me@example.org")
    assert plain("see https://example.org and me@example.org").endswith("and me@example.org")
    assert "most-secret" not in json.loads(plain(json.dumps({"uri": secret, "n": 1})))["uri"]


def test_only_the_screen_draws():
    """rich's own console is made nowhere else, and no command writes past the plain streams."""
    for path in files("workflows"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert path == "workflows/terminal/screen.py" or not re.search(r"\bConsole\(|import Console\b", text), path
        assert not re.search(r"sys\.(__)?std(out|err)(__)?\.buffer", text), path


EVIL = "a\x1b]0;owned\x07\x1b[2J\x9b31m\u202etiff.\nError: fake\r.tif"


@pytest.fixture
def home(tmp_path):
    """A plate, an empty file and a text, all with names that would command a terminal."""
    folder = tmp_path / "in"
    folder.mkdir()
    tifffile.imwrite(folder / f"good{EVIL}", np.tile(np.arange(64, dtype=np.uint8), (48, 1)), photometric="minisblack")
    (folder / f"bad{EVIL}").write_bytes(b"")
    (folder / os.fsdecode(b"raw\x9b\xff\x1b.tif")).write_bytes(b"II*\0")
    return tmp_path


def on_a_terminal(*words, cwd):
    """Run the command on a terminal of its own; all that reached it, as bytes."""
    ours, theirs = pty.openpty()
    job = subprocess.Popen(
        command_line(*words), cwd=cwd, env=environment(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            piece = b""
        if not piece:
            break
        said += piece
    os.close(ours)
    return job.wait(60), said


def check(said):
    """Nothing of a name was raw; rich's colors and cursor, and the terminal's own line ends, are."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode("utf-8"))  # raises where a byte was no text
    assert not harmful(text, but="\t\n\r"), ascii(text)
    assert not re.search(r"\\u000d|\\u001b\[(2K|\?25l|0m)", text.replace(r"fake\u000d", "")), ascii(text)
    assert b"owned\x07" not in said
    assert b"\x1b[2J" not in said
    assert b"\x1b[31m" not in said.replace(b"\x1b[31mset aside", b"")
    assert not re.search(r"^Error: fake", text, re.MULTILINE)


@pytest.mark.slow
def test_a_night_of_hostile_names_on_a_terminal(home):
    """Bars, notes, tables, the dry run, verify and errors of files whose names command terminals."""
    tiny = ("--working-size", "32")
    for words in (
        ("archive", "in", "out", "--dry-run"), ("archive", "in", "out", *tiny), ("archive", "in", "out", *tiny),
        ("verify", "in", "out"), ("verify", "in", "out", "--json"), ("report", "out"),
        ("scan", f"in/bad{EVIL}", "out/x.tif"), ("scan", f"in/gone{EVIL}", "x.tif"), ("plan", "show", f"in/good{EVIL}"),
        ("scan", f"in/good{EVIL}", "y.tif", *tiny), ("verify", f"in/good{EVIL}", "y.tif"), (EVIL,),
        ("archive", "in", "out", "--progress", "json", *tiny), ("doctor",), ("weights", EVIL),
    ):  # fmt: skip
        code, said = on_a_terminal(*words, cwd=home)
        assert said, words
        assert b"Traceback" not in said, (words, said)
        assert code in (0, 1, 2), words
        check(said)


def test_an_error_about_a_hostile_name_is_one_line(home):
    """Also in a log, where nothing is a terminal."""
    done = run_command("scan", home / "in" / f"bad{EVIL}", home / "x.tif")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert not harmful(done.stderr, but="\n")
    assert "\\u001b" in done.stderr


def test_a_slip_about_a_hostile_name_is_one_line(home):
    """The end of a line in a name does not begin another error."""
    done = run_command("scan", home / "in" / f"gone{EVIL}", home / "x.tif")
    assert done.returncode == 2
    assert [line.startswith("Error: ") for line in done.stderr.splitlines()].count(True) == 1
    assert "Error: fake" not in [line[:11] for line in done.stderr.splitlines()]


def test_a_traceback_is_plain_too():
    """A bug's traceback may quote a name."""
    code = "from workflows.terminal import plain; plain.install(); raise RuntimeError('\\x1b[2J\\x9b')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "RuntimeError" in done.stderr
    assert not harmful(done.stderr, but="\n")
