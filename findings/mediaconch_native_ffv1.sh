#!/usr/bin/env bash
# FFV1 of several slices, stored as Matroska's own V_FFV1, fails MediaConch once mkvmerge has written the file.
#
# Versions: Debian 12's mediaconch 23.03, mkvtoolnix 74.0.0 and ffmpeg 5.1; av 18.1.0 (its FFmpeg 8.1.2).
# Input: 12 frames of 720 x 576, FFV1 version 3 with checksums and 4 slices: by av, which stores it as V_FFV1, and by
#   ffmpeg 5.1, which stores it as V_MS/VFW/FOURCC. Both are merged by mkvmerge without IETF languages.
# Expected: the same stream passes wherever it lies, and Matroska's own way of storing it is the safer one.
# What happens: mkvmerge writes CodecPrivate before the picture's size, which EBML leaves free. MediaConch holds the
#   number of slices against a width that it has not read yet. A header of Video for Windows brings the width along.
# Seen: "V_FFV1: pass, merged: fail (FFV1-HEADER-num_h_slices); V_MS/VFW/FOURCC: pass, merged: pass".
# Why it matters: a master that a person only cut or gave a title to is called broken FFV1 at an archive's door.
# Right value: pass. Until then copy the merged file once with ffmpeg -map 0 -c copy, which writes the size first.
set -euo pipefail
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "mediaconch_native_ffv1: needs root and apt-get, not tried" >&2; exit 2; fi
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if ! { command -v mediaconch && command -v mkvmerge && command -v ffmpeg; } >/dev/null; then
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends ffmpeg mediaconch mkvtoolnix) >/dev/null
fi
mediaconch --version | grep -q 23.03 && mkvmerge --version | grep -q v74.0.0 || { echo "mediaconch_native_ffv1: other versions" >&2; exit 2; }
python3 -m pip install -q --root-user-action=ignore --no-deps --no-compile --target "$work/lib" av==18.1.0 numpy==2.4.6
cd "$work"
PYTHONPATH=lib python3 - <<'PY'
import av
import numpy as np

with av.open("native.mkv", "w") as out:
    video = out.add_stream("ffv1", rate=24, options={"level": "3", "slicecrc": "1", "slices": "4"})
    video.width, video.height, video.pix_fmt = 720, 576, "yuv420p"
    for index in range(12):
        frame = av.VideoFrame.from_ndarray(np.full((864, 720), 16 + 10 * index, np.uint8), format="yuv420p")
        frame.pts = index
        out.mux(video.encode(frame))
    out.mux(video.encode(None))
PY
ffmpeg -v error -f lavfi -i testsrc2=size=720x576:rate=24:duration=0.5 -pix_fmt yuv420p -c:v ffv1 -level 3 -slicecrc 1 \
    -slices 4 vfw.mkv
verdict() { mediaconch -fs "$1" | sed -n 's/^\(pass\|fail\)!.*/\1/p'; }
for film in native vfw; do
    mkvmerge -q --disable-language-ietf -o "merged-$film.mkv" "$film.mkv"
    [ "$(mkvmerge -J $film.mkv | sed -n 's/.*"codec_id": "\(.*\)",/\1/p')" = "$([ $film = native ] && echo V_FFV1 || echo V_MS/VFW/FOURCC)" ]
done
why=$(mediaconch -fs merged-native.mkv | sed -n 's/^ -- \(FFV1.*\)/\1/p' | head -1)
seen="V_FFV1: $(verdict native.mkv), merged: $(verdict merged-native.mkv) ($why)"
seen="$seen; V_MS/VFW/FOURCC: $(verdict vfw.mkv), merged: $(verdict merged-vfw.mkv)"
echo "$seen"
[ "$seen" = "V_FFV1: pass, merged: fail (FFV1-HEADER-num_h_slices); V_MS/VFW/FOURCC: pass, merged: pass" ]
ffmpeg -v error -i merged-native.mkv -map 0 -c copy copied.mkv
[ "$(verdict copied.mkv)" = pass ]
echo "mediaconch_native_ffv1: still so"
