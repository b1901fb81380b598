"""`.ci/run` says which readers it could not install, and fails then: their tests must not skip without a word."""

import shutil
import subprocess

import pytest

from tests.checkout import ROOT

TOOLS = ("bash", "cat", "dirname", "tail", "tr", "wc")
READERS = ("tiffinfo", "ffprobe", "mediainfo", "mkvinfo", "mediaconch", "exiftool", "vips", "chromium", "chromedriver")


def script(path, text):
    """A program of a line or two."""
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def ran(home, apt="", root=True, **env):
    """The script in a folder of its own, with these programs and no others: exit code, stderr, what was begun."""
    bin, log = home / "bin", home / "log"
    bin.mkdir()
    log.write_text("")
    for tool in TOOLS:
        (bin / tool).symlink_to(shutil.which(tool))
    for name in READERS:
        script(bin / name, "")
    script(bin / "id", f"echo {0 if root else 1000}")
    script(bin / "make", f'echo make "$@" >> {log}')
    if apt:
        script(bin / "apt-get", f'echo apt-get "$1" >> {log}\n{apt}')
    done = subprocess.run(
        ["/bin/bash", str(ROOT / ".ci" / "run")], env={"PATH": str(bin), **env}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr, log.read_text().splitlines()


def test_what_apt_cannot_install_is_said_and_fails(tmp_path):
    """Tried twice, in a line each with apt's own last words; nothing else is begun."""
    code, said, begun = ran(tmp_path, apt="echo working; echo E: no route to the mirror >&2; exit 100")
    assert code == 1
    [line] = said.splitlines()  # the readers of slides, which no program above stands for
    assert "openslide-tools" in line
    assert line.endswith("apt says: working E: no route to the mirror ")
    assert begun == ["apt-get update"] * 2


def test_what_apt_installs_is_used(tmp_path):
    """After one failure too; then the tests are run."""
    flaky = f"[ -e {tmp_path}/tried ] || {{ : > {tmp_path}/tried; exit 100; }}"
    code, said, begun = ran(tmp_path, apt=flaky)
    assert (code, said) == (0, "")
    assert begun == ["apt-get update", "apt-get update", "apt-get install", "make test", "make slow"]


@pytest.mark.parametrize(("apt", "root"), [("", True), ("exit 0", False)])
@pytest.mark.parametrize("ci", ["", "true"])
def test_where_nothing_can_be_installed_only_ci_fails(tmp_path, apt, root, ci):
    """On a person's machine the missing readers are named, and the tests are run without them."""
    code, said, begun = ran(tmp_path, apt, root, CI=ci)
    assert "missing: " in said
    assert (code, begun) == ((1, []) if ci else (0, ["make test", "make slow"]))
