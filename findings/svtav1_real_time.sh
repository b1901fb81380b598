#!/usr/bin/env bash
# Opening FFmpeg's AV1 encoder libsvtav1 as root makes the program real-time, for good, and all that it starts later.
#
# Versions: av 18.1.0 (its FFmpeg 8.1.2 with SVT-AV1), Linux.
# Input: none; an encoder of 64 x 64 pixels is opened and closed.
# Expected: an encoder's threads are scheduled as the program is, or more gently, and nothing is left when it is closed.
# What happens: where it may (root, which is usual in containers, or CAP_SYS_NICE), the library asks for SCHED_FIFO at
#   priority 99 for its threads and for the thread that opens it. Closing it does not undo that. Children inherit it.
#   No option of FFmpeg's turns it off.
# Seen: "before: SCHED_OTHER 0; open: SCHED_FIFO 99; closed: SCHED_FIFO 99; a child: SCHED_FIFO 99".
# Why it matters: a worker that wrote one AV1 access copy starves all others on its machine from then on: the file server,
#   ssh, heartbeats of a cluster. Tests and services behind it in the same process run real-time without knowing.
# Right value: SCHED_OTHER throughout. Note policy and threads before the encoder opens, and set them back afterwards
#   with sched_setscheduler, which needs no right to do.
set -euo pipefail
if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ]; then echo "svtav1_real_time: needs Linux and root, not tried" >&2; exit 2; fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0
cat >"$work/urgent.py" <<'PY'
import os
import subprocess
import sys
from fractions import Fraction

import av

NAMES = {os.SCHED_OTHER: "SCHED_OTHER", os.SCHED_FIFO: "SCHED_FIFO", os.SCHED_RR: "SCHED_RR"}


def urgency():
    return f"{NAMES[os.sched_getscheduler(0)]} {os.sched_getparam(0).sched_priority}"


if sys.argv[1:]:
    print(urgency())
    sys.exit()
seen = [f"before: {urgency()}"]
encoder = av.CodecContext.create("libsvtav1", "w")
encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p10le"
encoder.time_base, encoder.framerate = Fraction(1, 24), Fraction(24)
encoder.open()
seen.append(f"open: {urgency()}")
frame = av.VideoFrame(64, 64, "yuv420p10le")
frame.pts = 0
encoder.encode(frame)
encoder.encode(None)
del encoder
seen.append(f"closed: {urgency()}")
child = subprocess.run([sys.executable, __file__, "child"], capture_output=True, text=True, check=True)
seen.append(f"a child: {child.stdout.strip()}")
print("; ".join(seen))
assert seen == [
    "before: SCHED_OTHER 0", "open: SCHED_FIFO 99", "closed: SCHED_FIFO 99", "a child: SCHED_FIFO 99",
]
PY
cd "$work" && PYTHONPATH=lib SVT_LOG=1 python3 urgent.py
echo "svtav1_real_time: still so"
