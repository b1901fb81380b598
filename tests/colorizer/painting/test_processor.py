"""What the processor says of itself."""

import platform
import subprocess
import sys

import pytest

from colorizer.painting import processor

LINES = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Xeon: the fast one
flags\t\t: fpu {flags} sse

processor\t: 1
model name\t: Xeon: the fast one
flags\t\t: fpu {flags} sse
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Puts another file in the place of Linux's."""

    def write(text):
        monkeypatch.setattr(processor, "INFO", tmp_path / "cpuinfo")
        if text is not None:
            (tmp_path / "cpuinfo").write_bytes(text)

    return write


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("amx_bf16 avx512_bf16", ["amx_bf16", "avx512_bf16"]),
        ("avx512_bf16", ["avx512_bf16"]),
        ("avx512_bf16_not_quite", []),
        ("", []),
    ],
)
def test_flags_are_whole_words(told, flags, found):
    """Only the flags that a processor has count, and a name may have a colon."""
    told(LINES.format(flags=flags).encode())
    assert processor.bf16_flags() == found
    assert processor.processor_name() == "Xeon: the fast one"


@pytest.mark.parametrize("text", [None, b"", b"\xff\xfe no lines of ours"])
def test_elsewhere_there_is_a_name_and_no_flag(told, text):
    """Without Linux's file, or with one that says nothing, the name is Python's and nothing is promised."""
    told(text)
    assert processor.bf16_flags() == []
    assert processor.processor_name() == (platform.processor() or platform.machine())


def test_it_loads_no_library():
    """A doctor asks it where torch is missing or broken."""
    code = "import sys, colorizer.painting.processor; print({'torch', 'numpy'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
