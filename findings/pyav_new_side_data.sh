#!/usr/bin/env bash
# PyAV: one piece of side data of a kind that it has no name for takes all others of its frame with it.
#
# Version: av 18.1.0 (FFmpeg 8.1.2), Pillow 12.0.0.
# Input: a Matroska file of one JPEG whose Exif says how it is turned; FFmpeg gives the frame a display matrix, and the
#   Exif as side data of kind 31.
# Expected: the display matrix can be read, and the Exif is there or is left out.
# What happens: `frame.side_data` raises "31 is not a valid Type", so that the matrix cannot be read either; nor could
#   captions, HDR metadata or a time code beside it. Kinds 28 to 30 (LCEVC, view, displays of 3D) have no name either.
# Seen: "without Exif: 0 pieces; with Exif: ValueError; with a member for it: DISPLAYMATRIX, KIND_31".
# Why it matters: who takes the error for "no side data" loses captions and mastering display of such frames in silence.
# Right value: DISPLAYMATRIX and Exif. `_missing_` of the enumeration can give every number a member.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check av==18.1.0 pillow==12.0.0
cd "$work"
cat > kinds.py <<'PY'
import io
from fractions import Fraction

import av
from av.sidedata.sidedata import Type
from PIL import Image


def film(name, orientation):
    exif, jpeg = Image.Exif(), io.BytesIO()
    if orientation:
        exif[0x0112] = orientation
    Image.new("L", (64, 48), 90).save(jpeg, "JPEG", exif=exif)
    with av.open(name, "w") as out:
        stream = out.add_stream("mjpeg", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        packet = av.Packet(jpeg.getvalue())
        packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 24), 0, 0
        out.mux(packet)
    return name


def kinds(name):
    with av.open(name) as container:
        frame = next(container.decode(video=0))
        try:
            return ", ".join(sorted(piece.type.name for piece in frame.side_data)) or "0 pieces"
        except ValueError as error:
            return type(error).__name__


def member(cls, number):
    made = object.__new__(cls)
    made._name_, made._value_ = f"KIND_{number}", number
    return made


seen = [f"without Exif: {kinds(film('plain.mkv', 0))}", f"with Exif: {kinds(film('turned.mkv', 6))}"]
Type._missing_ = classmethod(member)
seen.append(f"with a member for it: {kinds('turned.mkv')}")
print("; ".join(seen))
PY
seen=$("$work/env/bin/python" kinds.py 2>/dev/null)
echo "$seen"
test "$seen" = "without Exif: 0 pieces; with Exif: ValueError; with a member for it: DISPLAYMATRIX, KIND_31"
