#!/usr/bin/env bash
# The timecode package: one second and one second are two seconds and a frame; a missing drop-frame label goes back.
#
# Versions: timecode 1.5.1.
# Input: time codes at 24 and at 29.97 pictures a second.
# Expected: 00:00:01:00 + 00:00:01:00 = 00:00:02:00, a difference of equals is 00:00:00:00, times 2 is doubling. The
#   labels that drop-frame counting leaves out (00:01:00;00 and ;01) are refused, or taken for the next that exists.
# What happens: the value is a count of frames that begins with 1, and sums add counts: 00:00:02:01; the difference
#   of two seconds and one is 00:00:00:23, of equals a ValueError. 00:01:00;00 becomes 00:00:59;28, two frames
#   earlier, so time runs backward across the minute: ;28 ;29 ;28 ;29 ;02.
# Seen: "00:00:02:01, 00:00:00:23, ValueError; 59;28 59;29 59;28 59;29 00;02".
# Why it matters: lengths of shots are added along a reel: each join moves all later cuts by a frame, 300 shots by 12
#   seconds. A cut list typed by hand with 00:01:00;00 cuts two frames early and overlaps the shot before.
# Right value: 00:00:02:00, 00:00:01:00, 00:00:00:00; 00:01:00;02. Count frames as integers and label them last.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" timecode==1.5.1
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
from timecode import Timecode

one, two = Timecode("24", "00:00:01:00"), Timecode("24", "00:00:02:00")
total, less = str(one + one), str(two - one)
try:
    nothing = str(one - one)
except ValueError as error:
    nothing = type(error).__name__
labels = ("00:00:59:28", "00:00:59:29", "00:01:00:00", "00:01:00:01", "00:01:00:02")
minute = [Timecode("29.97", label) for label in labels]
assert all(code.drop_frame for code in minute)
told = " ".join(str(code)[6:] for code in minute)
print(f"{total}, {less}, {nothing}; {told}")
assert (total, less, nothing, str(one * 2)) == ("00:00:02:01", "00:00:00:23", "ValueError", "00:00:02:01")
assert told == "59;28 59;29 59;28 59;29 00;02"
assert [code.frames for code in minute] == [1799, 1800, 1799, 1800, 1801]
PY
echo "timecode_sums: still so"
