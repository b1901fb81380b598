"""The ledger: a receipt that is found is work that is done, and nothing else is."""

import json
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.storage.ledger import Ledger, Receipt

PACKETS = ((0, 0, 42, True, 5), (42, 42, 41, False, 3))
RECEIPT = Receipt("ab" * 16, 1, "ab.1.packets", 8, "00" * 32, "0102", 3.25, PACKETS)


@pytest.fixture
def ledger(tmp_path):
    """A ledger with one receipt and its packets."""
    made = Ledger(tmp_path / "job")
    (made.job / RECEIPT.file).write_bytes(b"12345678")
    made.record(RECEIPT)
    return made


def path_of(ledger):
    return ledger.folder / f"{RECEIPT.unit}.json"


def rewrite(ledger, **changes):
    """Change fields of the receipt on disk."""
    values = json.loads(path_of(ledger).read_text())
    path_of(ledger).write_text(json.dumps({**values, **changes}))


def test_a_receipt_is_found(ledger):
    """What was recorded is found, by this process and the next; other units are not."""
    assert ledger.find(RECEIPT.unit) == RECEIPT
    assert Ledger(ledger.job).find(RECEIPT.unit) == RECEIPT
    assert ledger.find("cd" * 16) is None


times = st.integers(-(2**40), 2**40)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(times, times, times, st.booleans(), st.integers(0, 50)), max_size=8), st.binary(max_size=9),
    st.floats(0, 200), st.integers(1, 3),
)  # fmt: skip
def test_any_receipt_comes_back(tmp_path_factory, packets, extradata, chroma, attempt):
    """Times, sizes and header survive the disk exactly."""
    ledger = Ledger(tmp_path_factory.mktemp("job"))
    size = sum(p[4] for p in packets)
    receipt = Receipt("aa", attempt, f"aa.{attempt}.packets", size, "", extradata.hex(), chroma, tuple(packets))
    (ledger.job / receipt.file).write_bytes(bytes(size))
    ledger.record(receipt)
    assert ledger.find("aa") == receipt


@pytest.mark.parametrize("content", [b"1234567", b"123456789", b"", None], ids=["short", "long", "empty", "gone"])
def test_packets_of_the_wrong_size_are_work_not_done(ledger, content):
    """A file cut short, grown or gone is painted again."""
    if content is None:
        (ledger.job / RECEIPT.file).unlink()
    else:
        (ledger.job / RECEIPT.file).write_bytes(content)
    assert ledger.find(RECEIPT.unit) is None


@pytest.mark.parametrize("keep", [0, 1, 40, -2])
def test_half_a_receipt_is_work_not_done(ledger, keep):
    """A receipt cut off anywhere is as if it were not there."""
    path_of(ledger).write_bytes(path_of(ledger).read_bytes()[:keep])
    assert ledger.find(RECEIPT.unit) is None


@pytest.mark.parametrize("text", ["null", "[]", "3", '"x"', "{}", '{"unit": "x"}'])
def test_other_json_is_work_not_done(ledger, text):
    """JSON that is not a receipt is not one."""
    path_of(ledger).write_text(text)
    assert ledger.find(RECEIPT.unit) is None


BAD = [
    {"pieces": 3}, {"pieces": [1, 2]}, {"pieces": [[0, 0, 42, True, 5]]}, {"pieces": [[0, 0]]}, {"bytes": 9},
    {"bytes": "8"}, {"file": None}, {"file": 7}, {"file": ""}, {"extra": 1}, {"pieces": [[0, 0, 1, True, "8"]]},
    {"unit": "cd" * 16}, {"file": "a\x00b"},
]  # fmt: skip


@pytest.mark.parametrize("change", BAD, ids=str)
def test_a_receipt_with_wrong_fields_is_work_not_done(ledger, change):
    """Whatever is in the file: found means usable, anything else means do it again, never a crash."""
    rewrite(ledger, **change)
    assert ledger.find(RECEIPT.unit) is None


def test_a_receipt_cannot_point_out_of_the_job(ledger):
    """A file name with a folder in it, absolute or relative, is not followed."""
    outside = ledger.job.parent / "secret"
    outside.write_bytes(b"12345678")
    (ledger.job / "ledger" / "inside").write_bytes(b"12345678")
    for name in ("../secret", str(outside), "ledger/inside", "./ab.1.packets", "..", "."):
        rewrite(ledger, file=name)
        assert ledger.find(RECEIPT.unit) is None, name


def test_a_second_receipt_replaces_the_first(ledger):
    """The last attempt counts."""
    later = replace(RECEIPT, attempt=2, file="ab.2.packets")
    (ledger.job / later.file).write_bytes(b"87654321")
    ledger.record(later)
    assert ledger.find(RECEIPT.unit) == later


def test_scratch_files_are_not_receipts(ledger):
    """What a killed writer leaves does not count."""
    os.rename(path_of(ledger), path_of(ledger).with_name(path_of(ledger).name + ".123.part"))  # noqa: PTH104
    assert ledger.find(RECEIPT.unit) is None


def test_a_sweep_takes_what_grew_and_nothing_else(ledger):
    """Pieces, plans and receipts that a killed run left half made; receipts only where nobody is at one."""
    half = [ledger.job / f".{'ab' * 16}.1.{'cd' * 4}.part.packets", ledger.job / ".published.77.part.json"]
    receipt = ledger.folder / f".{'ab' * 16}.77.part.json"
    for path in (*half, receipt, ledger.folder / ".mine.part.json"):
        path.touch()
    ledger.sweep(receipts=False)
    assert [path.exists() for path in (*half, receipt)] == [False, False, True]
    ledger.sweep()
    assert sorted(path.name for path in ledger.folder.iterdir()) == [".mine.part.json", f"{RECEIPT.unit}.json"]
    assert ledger.find(RECEIPT.unit) == RECEIPT
