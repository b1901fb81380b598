"""The command line: help, exit codes, and one line for everything a person can mend."""

import json
import os
import resource
import stat
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import click
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError
from pipeline.jobs.speeds import device_name
from tests.endtoend import ROOT, command_line, environment, luma_digests, one_line, run_command, verify
from tests.synthetic import read_stamps, tiny_weights, write_reel, write_sequence
from workflows.commands import cli
from workflows.terminal.options import WorkingSize


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny weights."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A small reel."""
    return write_reel(tmp_path_factory.mktemp("source") / "in.mkv", 10)


@dataclass
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def main(monkeypatch, capsys, tiny):
    """Runs `main` in this process with the arguments as typed, and tiny weights."""

    def run(*arguments):
        words = [str(word) for word in arguments]
        if words[:1] == ["reel"]:
            words += [] if "--precision" in words else ["--precision", "fp32"]
            words += [] if "--weights" in words else ["--weights", str(tiny)]
        monkeypatch.setattr(sys, "argv", ["chromatheque", *words])
        monkeypatch.setattr("workflows.terminal.stopping.install", lambda: None)  # signals are for the tests' process
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return Done(ended.value.code or 0, printed.out, printed.err)

    return run


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_with_an_example(name):
    """`--help` and `-h` exit 0, and show one line that can be pasted."""
    for flag in ("--help", "-h"):
        done = CliRunner().invoke(cli.cli, [name, flag])
        assert done.exit_code == 0
        [example] = [line.strip() for line in done.output.splitlines() if line.strip().startswith("Example: ")]
        assert example.startswith(f"Example: chromatheque {name}")


def options(command, name=""):
    """Every option of a command and of those below it, with the command's name."""
    for below in getattr(command, "commands", {}).items():
        yield from options(below[1], f"{name} {below[0]}")
    for one in command.params:
        if isinstance(one, click.Option) and not one.hidden:
            yield f"{name} {one.opts[0]}", one


CHOSEN = {"plan look --of", "plan look --picture"}
"""Of which one must be given."""


def test_every_option_says_what_it_does_and_what_stands_without_it():
    """Also those without a value that click could show; what is typed as in the help is taken."""
    context = click.Context(cli.cli)
    for command in cli.COMMANDS:
        for name, option in options(cli.cli.get_command(context, command), command):
            assert option.help, name
            told = option.show_default or "[" in option.help or option.required or option.is_flag
            assert told or name in CHOSEN, name
    for typed in ("native", "NATIVE", "32"):
        assert WorkingSize().convert(typed, None, None) in (0, 32)


def test_help_lists_every_command_at_once():
    """`chromatheque --help` names every command with its line, and loads no torch to do so."""
    done = run_command("--help", timeout=60)
    assert done.returncode == 0
    for name, line in cli.COMMANDS.items():
        assert name in done.stdout
        assert line in done.stdout


def test_version():
    """`--version` is the installed one."""
    done = run_command("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith(version("chromatheque"))


HUGE = "1e99999999"
"""More than a machine can hold, in few characters."""
DIGITS = "9" * 5000
"""More digits than Python makes a number of."""


@pytest.mark.parametrize(
    "words",
    [
        ("paint",), ("reel",), ("reel", "a"), ("reel", "a", "b.mkv", "c"), ("reel", "a", "b.mkv", "--fast"),
        ("reel", "a", "b.mkv", "--working-size", "31"), ("reel", "a", "b.mkv", "--working-size", "5000"),
        ("reel", "a", "b.mkv", "--working-size", "big"), ("reel", "a", "b.mkv", "--working-size", "-64"),
        ("reel", "a", "b.mkv", "--working-size", "64.0"), ("reel", "a", "b.mkv", "--working-size", "²"),
        ("reel", "a", "b.mkv", "--start", "noon"), ("reel", "a", "b.mkv", "--stop", "1:2:3:4:5"),
        ("reel", "a", "b.mkv", "--start", "-3"), ("reel", "a", "b.mkv", "--rate", "0"),
        ("reel", "a", "b.mkv", "--rate", "fast"), ("reel", "a", "b.mkv", "--rate", "1/0"),
        ("reel", "a", "b.mkv", "--profile", "best"), ("reel", "a", "b.mkv", "--looks", "none"),
        ("reel", "a", "b.mkv", "--workers", "0"), ("reel", "a", "b.mkv", "--job", ""),
        ("scan", "a", "b.tif", "--job", ""), ("reel", "", "b.mkv"), ("reel", "a", ""), ("archive", ".", ""),
        ("archive", "", "out"),
        ("archive", ".", "out", "--scratch", ""), ("verify", "", "b.mkv"), ("examples", "--to", ""),
        ("reel", "a", "b.mkv", "--precision", "fp64"),
        ("verify",), ("verify", "a"), ("verify", "a", "b", "--rate", "fast"), ("demo", "somewhere"), ("train",),
        ("reel", "a", "b.mkv", "--rate", HUGE), ("verify", "a", "b", "--rate", HUGE),
        ("reel", "a", "b.mkv", "--rate", "nan"),
        ("reel", "a", "b.mkv", "--rate", f"1/{DIGITS}"), ("reel", "a", "b.mkv", "--start", HUGE),
        ("reel", "a", "b.mkv", "--stop", f"0:{DIGITS}"), ("reel", "a", "b.mkv", "--stop", f"0:0:0:{DIGITS}"),
        ("reel", "a", "b.mkv", "--working-size", DIGITS), ("reel", "a", "b.mkv", "--workers", DIGITS),
        ("scan", "a", "b.tif", "--memory", DIGITS), ("scan", "a", "b.tif", "--memory", HUGE),
        ("scan", "a", "b.tif", "--page", DIGITS), ("scan", "a", "b.tif", "--tile", DIGITS),
        ("scan", "a", "b.tif", "--max-pixels", DIGITS), ("archive", ".", "b", "--memory", f"{DIGITS}G"),
        ("archive", ".", "b", "--deadline", f"{DIGITS}:00"), ("archive", ".", "b", "--attempts", DIGITS),
        ("train", "a", "--out", "b", "--minutes", "nan"), ("train", "a", "--out", "b", "--width", "nan"),
        ("train", "a", "--out", "b", "--minutes", "inf"), ("train", "a", "--out", "b", "--seed", DIGITS[:30]),
        ("bench", "scan", "--gigapixels", "inf"), ("bench", "scan", "--gigapixels", HUGE),
        ("bench", "scan", "--memory", DIGITS), ("bench", "cluster", "--workers", DIGITS),
        ("bench", "cluster", "--cost", "nan"), ("plan", "merge", "a", DIGITS),
        ("plan", "merge", "a", f"1..{DIGITS[:8]}"),
    ],
    ids=lambda words: " ".join(words)[:60],
)  # fmt: skip
def test_a_slip_of_the_keyboard_exits_2(main, words):
    """Unknown commands and options, missing arguments, values out of range: exit code 2, the usage, no traceback."""
    done = main(*words)
    assert done.returncode == 2
    assert "Usage: " in done.stderr
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [(), ("plan",), ("bench",)], ids=" ".join)
def test_a_group_alone_shows_its_help(main, words):
    """What a person types first: every command on a line of its own, and no control that was made visible."""
    done = main(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "\\u" not in done.stderr
    group = click.Context(cli.cli).command
    for word in words:
        group = cli.cli.get_command(click.Context(cli.cli), word)
    for name in group.list_commands(click.Context(group)):
        assert any(line.strip().startswith(f"{name} ") for line in done.stderr.splitlines()), name


BAD = {
    "missing.mkv": None,
    "empty.mkv": b"",
    "text.mp4": b"Dear archive,\nplease find the reel attached.\n" * 40,
    "noise.mov": bytes(range(256)) * 64,
    "half.mkv": "a reel's first bytes",
    "sound.mka": "sound alone",
    "folder": "a folder",
    "holes_%04d.dpx": "a sequence with holes",
    "none_%04d.dpx": None,
    "scan_%d.dpx": None,
    "http://127.0.0.1:9/reel.mp4": None,
}


def bad(folder, name):
    """Put a bad source there."""
    content, path = BAD[name], folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif name == "half.mkv":
        path.write_bytes(write_reel(folder / "whole.mkv", 3).read_bytes()[:300])
    elif name == "sound.mka":
        import av

        with av.open(str(write_reel(folder / "loud.mkv", 3, audio=1))) as a, av.open(str(path), "w", "matroska") as b:
            stream = b.add_stream_from_template(a.streams.audio[0])
            for packet in a.demux(a.streams.audio[0]):
                if packet.size:
                    packet.stream = stream
                    b.mux(packet)
    elif name == "folder":
        path.mkdir()
    elif name.startswith("holes"):
        return write_sequence(folder / "frames", holes=(3, 5), frames=8)
    return name if "://" in name else str(path)


MISTYPED = {"missing.mkv", "folder", "none_%04d.dpx", "scan_%d.dpx", "http://127.0.0.1:9/reel.mp4"}
"""What is no file at all."""


def slip(done):
    """The line of an error of the keyboard, which stands below the usage."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line(main, tmp_path, name):
    """What cannot be colored: exit code 1, and 2 where there is no file; one line that names it, no traceback, nothing
    left behind."""
    source = bad(tmp_path, name)
    (tmp_path / "new").mkdir()
    done = main("reel", source, tmp_path / "new" / "out.mkv")
    assert done.returncode == (2 if name in MISTYPED else 1)
    assert source in (slip if name in MISTYPED else one_line)(done)
    assert list((tmp_path / "new").iterdir()) == []
    slip(main("verify", source, tmp_path / "new" / "out.mkv"))
    (tmp_path / "out.mkv").write_bytes(b"something")
    done = main("verify", source, tmp_path / "out.mkv")
    (slip if name in MISTYPED else one_line)(done)


def test_a_bad_file_is_one_line_outside_too(tmp_path):
    """The same in a process of its own, with FFmpeg's own log on the terminal."""
    done = run_command("reel", bad(tmp_path, "half.mkv"), tmp_path / "out.mkv")
    assert done.returncode == 1
    one_line(done)


def test_progress_as_json(main, source, tmp_path):
    """--progress json: every line is an object with an event; the run's stages come in order."""
    done = main("reel", source, tmp_path / "out.mkv", "--progress", "json", "--working-size", 64)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    stages = [e["event"] for e in events]
    often = ("note", "frame")  # frame events are ten a second at most
    assert [s for s in dict.fromkeys(stages) if s not in often] == [
        "survey", "planned", "segment", "joining", "checking", "finished",
    ]  # fmt: skip
    planned = events[stages.index("planned")]
    assert (planned["frames"], planned["shots"], planned["segments"]) == (10, 1, 1)
    assert events[-1]["out"] == str(tmp_path / "out.mkv")


def test_verify_exit_codes(main, source, tmp_path):
    """0 where every check holds, 1 where one does not; --json says the same."""
    out = tmp_path / "out.mkv"
    assert main("reel", source, out, "--working-size", 64).returncode == 0
    done = main("verify", source, out)
    assert done.returncode == 0
    assert done.stdout.startswith("ok")
    assert "FAIL" not in done.stdout
    other = write_reel(tmp_path / "other.mkv", 11)
    done = main("verify", other, out, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["holds"]) == (1, False)
    assert {f["what"] for f in said["findings"] if not f["holds"]} >= {"frames", "luma"}
    assert main("verify", source, tmp_path / "no.mkv").returncode == 2
    (tmp_path / "out.mkv.json").write_text('{"plan": {}}')
    done = main("verify", source, out)
    assert done.returncode == 1
    assert "out.mkv.json" in one_line(done)


def test_an_output_is_not_replaced_unasked(main, source, tmp_path):
    """OUT exists: refused, untouched; with --overwrite replaced."""
    out = tmp_path / "out.mkv"
    out.write_bytes(b"somebody's work")
    done = main("reel", source, out, "--working-size", 64)
    assert done.returncode == 1
    assert "--overwrite" in one_line(done)
    assert (out.read_bytes(), len(list(tmp_path.iterdir()))) == (b"somebody's work", 1)
    assert main("reel", source, out, "--working-size", 64, "--overwrite").returncode == 0
    assert luma_digests(out) == luma_digests(source)


@pytest.mark.parametrize("how", ["same", "symbolic link", "hard link", "another spelling"])
def test_the_source_is_never_the_output(main, tmp_path, how):
    """OUT is IN, by any name: refused even with --overwrite, and the reel is as it was."""
    reel = write_reel(tmp_path / "in.mkv", 4)
    before, out = reel.read_bytes(), tmp_path / "other.mkv"
    if how == "symbolic link":
        out.symlink_to(reel)
    elif how == "hard link":
        os.link(reel, out)
    elif how == "another spelling":
        (tmp_path / "sub").mkdir()
        out = tmp_path / "sub" / ".." / "in.mkv"
    else:
        out = reel
    done = main("reel", reel, out, "--overwrite")
    assert done.returncode == 1
    assert "replace its source" in one_line(done)
    assert reel.read_bytes() == before


def test_the_output_folder_must_be_there(main, source, tmp_path):
    """It is not made unasked: a slip in a path should not fill another disk."""
    done = main("reel", source, tmp_path / "no" / "out.mkv")
    assert "make it first" in slip(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.avi", "out", "out.mkv.txt"])
def test_an_unknown_output_format_names_the_known(main, source, tmp_path, name):
    """The suffix picks the format; the error lists the choices. A profile that contradicts it is told."""
    done = main("reel", source, tmp_path / name)
    assert all(suffix in slip(done) for suffix in (".mkv", ".mov", ".mp4"))
    assert ".mkv" in slip(main("reel", source, tmp_path / "out.mp4", "--profile", "archive"))


@pytest.mark.parametrize("content", [None, b"", b"not weights", "folder"])
def test_weights_that_cannot_be_used(main, source, tmp_path, content):
    """Missing, empty, something else, a folder: one line, before any work."""
    path = tmp_path / "w.safetensors"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    done = main("reel", source, tmp_path / "out.mkv", "--weights", path)
    there = isinstance(content, bytes)
    assert done.returncode == (1 if there else 2)
    assert "w.safetensors" in (one_line if there else slip)(done)
    assert not (tmp_path / "out.mkv.job").exists()


@contextmanager
def mounted(path, options):
    """A tmpfs of its own; skipped where mounting is not allowed."""
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no right to mount here")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=False)


def test_a_folder_that_may_not_be_written(main, source, tmp_path):
    """One line; for the superuser a read-only disk stands in."""
    if os.geteuid():
        closed = tmp_path / "closed"
        closed.mkdir()
        closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
        done = main("reel", source, closed / "out.mkv", "--working-size", 64)
        closed.chmod(stat.S_IRWXU)
    else:
        with mounted(tmp_path / "closed", "ro,size=1m") as closed:
            done = main("reel", source, closed / "out.mkv", "--working-size", 64)
    assert done.returncode == 1
    assert "cannot be written" in one_line(done)


@pytest.fixture(scope="module")
def bulky(tmp_path_factory):
    """A reel whose output takes some hundred kilobytes."""
    return write_reel(tmp_path_factory.mktemp("bulky") / "in.mkv", 40, (320, 240), cuts=(20,))


@pytest.mark.parametrize("room", [12, 200, 800], ids="{} KiB".format)
def test_a_full_disk_is_one_line(main, bulky, tmp_path, room):
    """No room for the plan, for a segment, or for the joined file: one line, nothing under the final name; with room
    the same command goes on.
    """
    with mounted(tmp_path / "disk", f"size={room}k") as disk:
        words = ("reel", bulky, disk / "out.mkv", "--working-size", 64)
        done = main(*words)
        assert done.returncode == 1
        assert "No space left on device" in one_line(done)
        assert {p.name for p in disk.iterdir()} <= {"out.mkv.job"}
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert main(*words).returncode == 0
        assert sorted(p.name for p in disk.iterdir()) == ["out.mkv", "out.mkv.json"]


@pytest.mark.parametrize("limit", [4, 100, 300], ids="{} KiB".format)
def test_a_file_that_may_not_grow_is_one_line(bulky, tiny, tmp_path, limit):
    """The same where a quota stops a file."""
    words = ("reel", bulky, tmp_path / "out.mkv", "--working-size", 64, "--precision", "fp32", "--weights", tiny)
    done = subprocess.run(
        command_line(*words), capture_output=True, text=True, check=False, env=environment(), cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit * 1024,) * 2),
    )  # fmt: skip
    assert done.returncode == 1
    assert "File too large" in one_line(done)
    assert {p.name for p in tmp_path.iterdir()} <= {"out.mkv.job"}


@pytest.mark.parametrize(
    ("options", "stamps"),
    [
        (("--start", "0.25", "--stop", "0:00.75"), range(6, 18)),
        (("--start", "00:00:00:20"), range(20, 40)),
        (("--stop", "00:00:00.5"), range(12)),
    ],
    ids=str,
)
def test_a_piece(main, tmp_path, options, stamps):
    """--start and --stop color that part alone, with its sound; verify compares it with that part."""
    reel = write_reel(tmp_path / "in.mkv", 40, audio=1, subtitles=1)
    for suffix in (".mkv", ".mp4"):
        out = tmp_path / f"out{suffix}"
        done = main("reel", reel, out, "--working-size", 64, *options)
        assert done.returncode == 0, done.stderr
        assert read_stamps(out) == list(stamps)
        code, told = verify(reel, out)
        assert code == 0, told
    assert luma_digests(tmp_path / "out.mkv") == luma_digests(reel)[stamps.start : stamps.stop]


def test_a_piece_that_holds_nothing(main, source, tmp_path):
    """A start beyond the reel's end, or a stop before the start: one line."""
    for options in (("--start", "90"), ("--start", "0.3", "--stop", "0.1")):
        done = main("reel", source, tmp_path / "out.mkv", *options)
        assert done.returncode == 1
        assert "no frame between" in one_line(done)


NAMES = (
    "two words.mkv", "it's \"quoted\".mkv", "Émeute à Göteborg 東京.mkv", "100%.mp4", "50%03d off.mkv", "-dash.mkv",
    "reel: one.mkv",
    "semi;colon & $HOME `x`.mkv", "#hash?query=1.mkv", "[brackets]{0}*.mkv", "new\nline.mkv", "..mkv.mkv", "UPPER.MKV",
    "a" * 180 + ".mkv",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:24].encode("ascii", "replace").decode())
def test_names_are_only_names(main, tmp_path, monkeypatch, name):
    """Whatever a file is called, as source and as output, relative and absolute: it is colored and verified."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new").mkdir()
    suffix = "." + name.rpartition(".")[2].lower()
    write_reel(tmp_path / f"plain{suffix}", 4, pix_fmt="yuv420p").rename(tmp_path / name)
    for source, out in ((tmp_path / name, tmp_path / "new" / name), (f"./{name}", f"new/second {name}")):
        done = main("reel", source, out, "--working-size", 64)
        assert done.returncode == 0, done.stderr
        done = main("verify", source, out)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "new").iterdir())) == 4


def test_a_leading_dash_after_two(main, tiny, tmp_path, monkeypatch):
    """`--` ends the options, as everywhere."""
    monkeypatch.chdir(tmp_path)
    write_reel(tmp_path / "plain.mkv", 3).rename(tmp_path / "-in.mkv")
    options = ("--working-size", 64, "--precision", "fp32", "--weights", tiny)
    assert main("reel", *options, "--", "-in.mkv", "-out.mkv").returncode == 0
    assert main("verify", "--", "-in.mkv", "-out.mkv").returncode == 0


def test_a_cluster_that_is_not_there(tiny, source, tmp_path):
    """--ray with a wrong address: one line, at once."""
    options = ("--ray", "127.0.0.1:9", "--working-size", 64, "--weights", tiny)
    done = run_command("reel", source, tmp_path / "out.mkv", *options, timeout=60)
    assert done.returncode == 1
    assert "no Ray cluster at 127.0.0.1:9" in one_line(done)


@pytest.mark.parametrize(("words", "wanted"), [((), 3), (("--attempts", 5), 5), (("--retries", 4), 4)], ids=str)
def test_attempts_have_a_former_name(main, tmp_path, monkeypatch, words, wanted):
    """--attempts says how often a unit is tried. Scripts that write --retries go on, and are told the new name."""
    given = []

    def color(out, items, wishes, listener):
        given.append(wishes.retries)
        raise ColorizeError("enough")

    monkeypatch.setattr("pipeline.collection.run.color", color)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tif").touch()
    done = main("archive", tmp_path / "in", tmp_path / "out", *words)
    assert (done.returncode, given) == (1, [wanted])
    assert ("Write --attempts" in done.stderr) == ("--retries" in words)
    assert "--retries" not in CliRunner().invoke(cli.cli, ["archive", "--help"]).output


def test_a_manifest_field_that_is_no_number_is_told(main, tmp_path):
    """In words that a person uses, with line and column."""
    (tmp_path / "list.csv").write_text("file,page,rate\na.tif,first,\n")
    done = main("archive", tmp_path / "list.csv", tmp_path / "out")
    assert done.returncode == 1
    assert "row 2, column 'page': 'first' is not a whole number" in one_line(done)
    (tmp_path / "list.csv").write_text("file,page,rate\na.tif,,quick\n")
    assert "column 'rate': 'quick' is not a rate" in one_line(main("archive", tmp_path / "list.csv", tmp_path / "out"))


@pytest.mark.parametrize(
    ("hours", "wanted"), [(None, "not known"), (0.004, "less than a minute of"), (2.52, "about 2.5 h")]
)
def test_a_dry_run_is_told_in_plain_numbers(main, tmp_path, monkeypatch, hours, wanted):
    """One scan is no "1 scans, 0 megapixels", and a short run no "0.0 hours"."""
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "a.tif", np.zeros((500, 600), np.uint8), photometric="minisblack")
    monkeypatch.setattr(
        "pipeline.collection.estimate.calibration",
        lambda: {} if hours is None else {device_name(): {"scan": hours * 3600 / 0.3}},
    )
    done = main("archive", tmp_path / "in", tmp_path / "out", "--dry-run")
    assert done.returncode == 0
    assert "0 reels, 0 frames, 0 megapixels\n1 scan, 0.3 megapixels\n" in done.stdout
    [line] = [line for line in done.stdout.splitlines() if "->" in line]
    assert line.startswith(f"{tmp_path / 'in' / 'a.tif'} -> a.tif: 0.3 megapixels")
    assert "disk: about 2 MB needed" in done.stdout
    assert f"time: {wanted}" in done.stdout


@pytest.mark.parametrize(("typed", "meant"), [
    (["--pyramid", "a.tif", "b.tif"], True), (["a.tif", "b.tif", "--pyramid"], True), (["a.tif", "b.tif"], False),
    (["--pyramid", "pages", "a.tif", "b.tif"], "pages"), (["a.tif", "--pyramid=subifds", "b.tif"], "subifds"),
])  # fmt: skip
def test_pyramid_alone_or_with_a_word(monkeypatch, tmp_path, typed, meant):
    """`--pyramid` takes one of its words, and nothing else that follows on it."""
    asked = {}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tif").touch()
    monkeypatch.setattr("workflows.terminal.single.color", lambda _, make, *__: asked.update(job=make(None)))
    monkeypatch.setattr("workflows.sheets.sheet.leave_sheet", lambda *_: None)
    assert CliRunner().invoke(cli.cli, ["scan", *typed], catch_exceptions=False).exit_code == 0
    assert asked["job"].choices.pyramid == meant
    assert (asked["job"].uri, asked["job"].out.name) == ("a.tif", "b.tif")
    refused = CliRunner().invoke(cli.cli, ["scan", "a.tif", "b.tif", "--pyramid=tiles"])
    assert refused.exit_code == 2
    assert "'tiles' is not pages or subifds" in refused.output
