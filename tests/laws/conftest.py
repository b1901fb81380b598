"""Shared by the four laws: tiny weights, a small collection, and a Ray cluster for a file's tests."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.spread.cluster import leave
from tests.synthetic import tiny_weights


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that paint strong, arbitrary colors in no time."""
    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="session")
def token() -> Iterator[Path]:
    """A folder with a token for the clusters of this session: a process that has used one token takes no other."""
    temp = Path(tempfile.mkdtemp(prefix="chq-", dir="/tmp"))  # short: the path of a Unix socket has 107 bytes
    (temp / "token").write_text(secrets.token_hex(32))
    mine = {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(temp / "token"), "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    }  # fmt: skip
    before = {key: os.environ.get(key) for key in mine}
    os.environ.update(mine)
    yield temp
    for key, value in before.items():
        os.environ.pop(key) if value is None else os.environ.update({key: value})
    shutil.rmtree(temp, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(token: Path) -> Iterator[None]:
    """A Ray cluster of this file's own; RayPool joins it.

    Not of the whole session: a process that Ray may end at any time is not one for other files' tests to run in.
    """
    import ray

    ray.init(
        num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
        object_store_memory=100 * 2**20, _temp_dir=str(token),
    )  # fmt: skip
    yield
    leave(ray)


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `make_collection`."""
    from tests.laws.nights import make_collection

    return make_collection(tmp_path_factory.mktemp("collection") / "src")


@pytest.fixture(scope="session")
def colored(tmp_path_factory: pytest.TempPathFactory, collection: Path, tiny: Path) -> dict[str, bytes]:
    """What an undisturbed night makes of the collection, by place."""
    from tests.laws.nights import OUTS, night, outputs

    out = tmp_path_factory.mktemp("undisturbed") / "out"
    came, _ = night(collection, out, tiny)
    assert (came.done, came.aside, came.left, came.late) == (4, 0, 0, False)
    found = outputs(out)
    assert sorted(found) == sorted([*OUTS, *(name + ".json" for name in OUTS)])
    return found
