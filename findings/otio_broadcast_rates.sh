#!/usr/bin/env bash
# OpenTimelineIO knows no 23.976 and no 29.97, and writes a non-drop time code back as drop-frame.
#
# Versions: opentimelineio 0.18.1.
# Input: frame counts and time codes at the rates of silent and of sound film.
# Expected: 23.976, 23.98 and 29.97 are taken for 24000/1001 and 30000/1001, as everybody writes them and as the
#   library's own repr prints them; "01:00:00:00" with a colon is non-drop and stays so.
# What happens: only the fraction is known. RationalTime(100, 23.976).to_timecode() and from_timecode(..., 29.97) raise
#   "SMPTE timecode does not support this rate", though repr shows a time of 24000/1001 as rate=23.976: what
#   is printed cannot be read back. At 30000/1001 "01:00:00:00" becomes 108000 frames (non-drop) and to_timecode()
#   answers "01:00:03;18": the drop-frame default of the rate wins over what was read.
# Seen: "refused: 12 15 16 18 20 22 23.976 23.98 29.97; repr RationalTime(value=100, rate=23.976);
#   01:00:00:00 -> 01:00:03;18".
# Why it matters: shots and looks go to an editor's desk as a timeline. Times with MediaInfo's 23.976 fail, an hour
#   of a 29.97 reel comes out 108 frames elsewhere, and silent speeds (16, 18, 20, 22) have no time code at all.
# Right value: "00:00:04:04" for 100 frames; "01:00:00:00". Give 24000/1001, and drop_frame=False.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" opentimelineio==0.18.1
cd "$work" && PYTHONPATH=lib python3 - <<'PY'
from opentimelineio.opentime import RationalTime, from_timecode

refused = []
for rate in (12, 15, 16, 18, 20, 22, 23.976, 23.98, 24000 / 1001, 24, 25, 29.97, 30000 / 1001, 30, 48, 50):
    try:
        code = RationalTime(100, rate).to_timecode()
        assert from_timecode(code, rate).value == 100
    except ValueError as error:
        assert "does not support this rate" in str(error)
        refused.append(rate)
for rate in (23.976, 29.97):
    try:
        from_timecode("00:00:04:04", rate)
        raise SystemExit(f"{rate} is read now")
    except ValueError:
        pass
shown = repr(RationalTime(100, 24000 / 1001)).replace("otio.opentime.", "")
hour = from_timecode("01:00:00:00", 30000 / 1001)
kept = hour.to_timecode(30000 / 1001, False)
print(f"refused: {' '.join(map(str, refused))}; repr {shown}; 01:00:00:00 -> {hour.to_timecode()}")
assert refused == [12, 15, 16, 18, 20, 22, 23.976, 23.98, 29.97]
assert "23.976" in shown and hour.value == 108000 and hour.to_timecode() == "01:00:03;18" and kept == "01:00:00:00"
PY
echo "otio_broadcast_rates: still so"
