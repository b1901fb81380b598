"""The dry run: what headers promise beyond their files is said, to people and to programs."""

import json

from click.testing import CliRunner

from tests.synthetic import write_reel
from workflows.commands.cli import cli
from workflows.terminal.dry_run import doubt


def run(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0
    return done


def test_a_header_that_promises_too_much(tmp_path):
    """The forecast counts what the file holds; the list names the header's promise beside it."""
    (tmp_path / "in").mkdir()
    whole = write_reel(tmp_path / "in" / "whole.mkv", 40).read_bytes()
    (tmp_path / "in" / "cut.mkv").write_bytes(whole[: len(whole) // 4])
    words = ("archive", tmp_path / "in", tmp_path / "out", "--dry-run")
    told = run(*words)
    [line] = [line for line in told.stderr.splitlines() if line.startswith("doubtful: ")]
    assert line.startswith(f"doubtful: {tmp_path / 'in' / 'cut.mkv'}: the header promises 40 frames; the bytes")
    values = json.loads(run(*words, "--progress", "json").stdout)
    cut, sound = sorted(values["items"], key=lambda item: item["source"])
    assert sound["doubt"] is None
    assert line.endswith(cut["doubt"])
    assert cut["frames"] < 15
    assert values["frames"] == cut["frames"] + sound["frames"] == cut["frames"] + 40


def test_hours_that_no_file_holds():
    """Hours are said where there are any; a header that is believed is not mentioned."""
    wanted = "the header promises 1,029 hours (92,610,000 frames); the bytes of the file hold 9,000 frames at most"
    assert doubt({"frames": 9000, "promised": 92_610_000, "promised_hours": 1029.0}) == wanted
    assert doubt({"frames": 9000, "megapixels": 1.0}) is None
