#!/usr/bin/env bash
# A damaged bag takes down the whole process pool that validates bags: bagit's error cannot be unpickled.
#
# Versions: bagit 1.9.0.
# Input: three bags of one file each, made by bagit; in one of them the bytes are changed afterwards.
# Expected: the future of the damaged bag raises BagValidationError, the others say that they are fine.
# What happens: BagValidationError wants a message it does not give to its base class, so what pickle writes it cannot
#   read. The pool of concurrent.futures breaks: BrokenProcessPool for the damaged bag and for all bags after it. In
#   one process the same error arrives as itself.
# Seen: "one process: fine, BagValidationError, fine; pool: fine, BrokenProcessPool, BrokenProcessPool".
# Why it matters: bags of films are validated in parallel, a terabyte each. The night reports a broken pool at the
#   first damaged bag and says nothing of the rest.
# Right value: fine, BagValidationError, fine. Catch in the worker and return str(error).
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" bagit==1.9.0
cat >"$work/validate.py" <<'PY'
import concurrent.futures
import logging
import pathlib
import pickle

import bagit


def check(name):
    bagit.Bag(name).validate()
    return "fine"


def outcome(ask):
    try:
        return ask()
    except Exception as error:
        return type(error).__name__


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    names = ["reel-1", "reel-2", "reel-3"]
    for name in names:
        pathlib.Path(name).mkdir()
        pathlib.Path(name, "film.mkv").write_bytes(bytes(range(256)) * 16)
        bagit.make_bag(name, checksums=["sha256"])
    pathlib.Path("reel-2", "data", "film.mkv").write_bytes(bytes(range(255, -1, -1)) * 16)
    alone = [outcome(lambda name=name: check(name)) for name in names]
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        first = outcome(pool.submit(check, names[0]).result)
        rest = [outcome(future.result) for future in [pool.submit(check, name) for name in names[1:]]]
    try:
        pickle.loads(pickle.dumps(bagit.BagValidationError("damaged")))
        raise SystemExit("the error can be pickled now")
    except TypeError:
        pass
    print(f"one process: {', '.join(alone)}; pool: {', '.join([first, *rest])}")
    assert alone == ["fine", "BagValidationError", "fine"]
    assert [first, *rest] == ["fine", "BrokenProcessPool", "BrokenProcessPool"]
PY
cd "$work" && PYTHONPATH=lib python3 validate.py 2>/dev/null
echo "bagit_error_in_workers: still so"
