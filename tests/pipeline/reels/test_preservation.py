"""What an archive keeps beside its outputs can be checked with common tools."""

import shlex
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorizer.basis.errors import JoinError, SourceError
from pipeline.reels.preservation import digests_of, hashes, keep_proof, read_manifest, write_framemd5, write_manifest
from tests.endtoend import color
from tests.synthetic import tiny_weights, write_reel


@pytest.fixture(scope="module")
def reels(tmp_path_factory):
    """Colored reels of 8 and 10 bits, and one of frames that last unequally long, with their results."""
    home = tmp_path_factory.mktemp("proof")
    tiny = tiny_weights(home / "tiny.safetensors")
    made = {}
    for name, kind in (("eight", "gray"), ("ten", "yuv420p10le")):
        source = write_reel(home / f"{name}.mkv", 20, (64, 48), cuts=(10,), pix_fmt=kind)
        out = home / f"{name}-out.mkv"
        made[name] = out, color(source, out, tiny)
    times = [0, 40, 90, 100, 400, 1000, 1100, 1500]
    source = write_reel(home / "uneven.mkv", 8, (64, 48), time_base=Fraction(1, 1000), pts=times)
    out = home / "uneven-out.mkv"
    made["uneven"] = out, color(source, out, tiny)
    return made


@pytest.mark.parametrize("name", ["eight", "ten"])
def test_the_outputs_luma_has_the_sources_digests(reels, name):
    """One line for each frame, in framemd5 format, whose digests are those the survey took of the source."""
    out, result = reels[name]
    path = keep_proof(out, result.plan.digests, exact=True)
    assert hashes(path) == list(result.plan.digests)
    assert path.read_text().startswith("#format: frame checksums\n#version: 2\n#hash: MD5\n")
    with pytest.raises(JoinError, match="not its source's"):
        keep_proof(out, result.plan.digests[::-1], exact=True)
    assert not path.exists()


@pytest.mark.parametrize("name", ["eight", "ten", "uneven"])
def test_the_command_of_the_docs_prints_the_file(reels, name):
    """To the byte, but for the line that names FFmpeg's own version; also of frames that last unequally long."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    out, result = reels[name]
    path = keep_proof(out, result.plan.digests, exact=True)
    page = (Path(__file__).parents[3] / "docs" / "proof.md").read_text(encoding="utf-8")
    [command] = [line for line in page.splitlines() if line.startswith("ffmpeg -i newsreel.mkv")]
    words = shlex.split(command.replace("newsreel.mkv", shlex.quote(str(out))))
    theirs = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    mine = path.read_text()
    assert _without_version(theirs) == _without_version(mine)


def _without_version(text):
    return [line for line in text.splitlines() if not line.startswith("#software")]


def test_what_is_no_film(tmp_path):
    """One line, and nothing is left."""
    (tmp_path / "a.mkv").write_text("no film")
    with pytest.raises(SourceError):
        write_framemd5(tmp_path / "a.mkv", tmp_path / "a.framemd5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mkv"]


def test_the_manifest_holds(tmp_path, reels):
    """sha256sum accepts output, sidecar and digests; after a changed byte it does not."""
    out, result = reels["eight"]
    for path in (out, out.with_name(out.name + ".json")):
        shutil.copy(path, tmp_path)
    keep_proof(tmp_path / out.name, result.plan.digests, exact=True)
    manifest = write_manifest(tmp_path, digests_of(tmp_path, out.name))
    assert len(manifest.read_text().splitlines()) == 3
    check = ["sha256sum", "--check", "--strict", manifest.name]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    with (tmp_path / out.name).open("ab") as file:
        file.write(b"x")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


@given(st.text(st.sampled_from("ab \\\n\r\u00fc'\""), min_size=1, max_size=8))
def test_any_name_can_be_in_a_manifest(tmp_path_factory, name):
    """Names with backslashes and line ends are escaped as sha256sum does it, and read back."""
    home = tmp_path_factory.mktemp("names")
    (home / f"x{name}").write_text("")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    manifest = write_manifest(home, {f"x{name}": empty})
    assert read_manifest(home) == {f"x{name}": empty}
    check = ["sha256sum", "--check", "--strict", "--quiet", manifest.name]
    assert subprocess.run(check, cwd=home, capture_output=True, check=False).returncode == 0
