#!/usr/bin/env bash
# mkvmerge keeps a film's order of fields and drops that it has fields at all, so that FFmpeg knows of neither.
#
# Versions: Debian 12's mkvtoolnix 74.0.0, ffmpeg 5.1 and mediainfo 23.04.
# Input: five interlaced frames of 720 x 576, top field first, as HuffYUV, whose own bytes say nothing of fields.
# Expected: a merge of one file is the same film; both elements of the track, FlagInterlaced and FieldOrder, are there
#   or neither is.
# What happens: FieldOrder 1 is copied, FlagInterlaced 1 is not. RFC 9559 has FieldOrder ignored without the flag, and
#   FFmpeg does so; MediaInfo goes by FieldOrder alone.
# Seen: "before: tt, Interlaced TFF; merged: unknown, Interlaced TFF; flag: 1, then none".
# Why it matters: whoever looks with MediaInfo sees nothing wrong, and the next tool on FFmpeg colors, scales or stores the
#   fields of a tape as one picture.
# Right value: tt in both. Until then mkvpropedit merged.mkv --edit track:v1 --set interlaced=1.
set -euo pipefail
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "mkvmerge_interlaced: needs root and apt-get, not tried" >&2; exit 2; fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if ! { command -v mkvmerge && command -v ffmpeg && command -v mediainfo; } >/dev/null; then
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends ffmpeg mediainfo mkvtoolnix) >/dev/null
fi
mkvmerge --version | grep -q v74.0.0 || { echo "mkvmerge_interlaced: another version" >&2; exit 2; }
cd "$work"
ffmpeg -v error -f lavfi -i testsrc2=size=720x576:rate=25:duration=0.2 -vf setfield=tff -pix_fmt yuv422p -c:v huffyuv \
    -field_order tt film.mkv
mkvmerge -q -o merged.mkv film.mkv
order() {
    echo "$(ffprobe -v error -select_streams v -show_entries stream=field_order -of csv=p=0 "$1"), $(mediainfo --Inform='Video;%ScanType% %ScanOrder%' "$1")"
}
flag() { mkvinfo "$1" | sed -n 's/.*+ Interlaced: //p' | grep . || echo none; }
seen="before: $(order film.mkv); merged: $(order merged.mkv); flag: $(flag film.mkv), then $(flag merged.mkv)"
echo "$seen"
[ "$seen" = "before: tt, Interlaced TFF; merged: unknown, Interlaced TFF; flag: 1, then none" ]
mkvpropedit -q merged.mkv --edit track:v1 --set interlaced=1
[ "$(order merged.mkv)" = "tt, Interlaced TFF" ]
echo "mkvmerge_interlaced: still so"
