#!/usr/bin/env bash
# A Ray task that returns a generator object gives its first item, and damage after it is never seen.
#
# Versions: ray 2.60.0. It starts a Ray of one processor in the temporary folder; on a machine that is busy with much
#   else Ray's own start may time out, which is no change of behavior.
# Input: tasks of one return value whose function is no generator itself but returns one, three frames long; the same
#   as an iterator of a list, inside a list, and one that fails at its second frame.
# Expected: "cannot pickle 'generator' object", which is what Ray says when the generator lies in a list; or a stream,
#   as of a function with yield.
# What happens: ray.get answers the first item, as if the function had returned that. The rest is never made: one that
#   raises at the second frame is a success. An iterator of a list arrives whole. An empty generator is a
#   ValueError about 0 objects.
# Seen: "generator: 10; inside a list: TypeError; iterator of a list: [10, 11, 12]; fails at frame 1: 10".
# Why it matters: decoders are generators, and a thin task around one (`return read_frames(reel)`) paints one frame of
#   each shot and reports success. Tests with a single frame pass.
# Right value: three frames, or an error. Write `yield from` in the task, or return a list.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --target "$work/lib" ray==2.60.0 \
    click==8.5.1 filelock==4.2.11 jsonschema==4.26.0 jsonschema-specifications==2025.9.1 referencing==0.37.0 \
    rpds-py==2026.9.1 attrs==26.1.0 typing_extensions==4.16.0 msgpack==1.2.4 packaging==26.3 protobuf==7.36.2 \
    PyYAML==6.0.3 requests==2.34.2 certifi==2026.10.18 idna==3.20 urllib3==2.8.0 charset-normalizer==3.5.2
export HOME="$work" RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=300
cd "$work" && PYTHONPATH="$work/lib" python3 - <<'PY'
import logging
import tempfile

import ray

FRAMES = (10, 11, 12)


def damaged():
    yield FRAMES[0]
    raise OSError("frame 1 is damaged")


@ray.remote(max_retries=0)
def read(how):
    ways = {
        "generator": (frame for frame in FRAMES),
        "inside a list": [(frame for frame in FRAMES)],
        "iterator of a list": iter(list(FRAMES)),
        "fails at frame 1": damaged(),
    }
    return ways[how]


seen = {}
with tempfile.TemporaryDirectory(prefix="r") as folder:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
             object_store_memory=100 * 2**20, _temp_dir=folder)
    for how in ("generator", "inside a list", "iterator of a list", "fails at frame 1"):
        try:
            got = ray.get(read.remote(how), timeout=60)
            seen[how] = got if isinstance(got, int) else list(got)
        except ray.exceptions.RayTaskError as error:
            seen[how] = type(error.cause).__name__
    ray.shutdown()
print("; ".join(f"{how}: {got}" for how, got in seen.items()))
assert list(seen.values()) == [10, "TypeError", [10, 11, 12], 10], seen
PY
echo "ray_first_frame: still so"
