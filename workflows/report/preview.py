"""Preview: a short film of a colored reel that every browser shows: two seconds of each shot, small and silent."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation

from pipeline.containers.codecs import with_words, x264_here
from pipeline.values.file_url import local
from workflows.report.values import Part

LONGEST = 640
"""Pixels of the longer side, at most."""
SHOTS = 20
"""Shots of which something is shown, spread over the reel."""
SECONDS = 2
"""Of each."""
RATE = "800k"
"""Bits a second at most, so that a film with grain has no more bytes than another: 4 MB."""


def preview(path: Path, parts: Sequence[Part]) -> bytes:
    """An MP4 with H.264. Raises what the decoders raise."""
    places = np.linspace(0, len(parts) - 1, min(SHOTS, len(parts))).round().astype(int)
    held = io.BytesIO()
    with av.open(local(path), metadata_errors="replace") as file, av.open(held, "w", format="mp4") as out:
        covers = av.stream.Disposition.attached_pic
        stream = next(s for s in file.streams.video if not s.disposition & covers)
        stream.thread_type = "SLICE"
        rate = min(Fraction(60), max(Fraction(1), stream.average_rate or Fraction(24)))
        options = {"crf": "26", "preset": "veryfast", "threads": "1", "maxrate": RATE, "bufsize": RATE}
        made = out.add_stream("libx264", rate=rate, options=with_words(options, "x264-params", x264_here()))
        made.pix_fmt = "yuv420p"
        for place, frame in enumerate(_frames(file, stream, [parts[i] for i in places], int(SECONDS * rate))):
            if not place:
                made.width, made.height = _size(frame, stream.sample_aspect_ratio or Fraction(1))
            small = frame.reformat(made.width, made.height, "yuv420p", interpolation=Interpolation.AREA, threads=1)
            small.pts, small.time_base = place, 1 / rate
            out.mux(made.encode(small))
        out.mux(made.encode(None))
    return held.getvalue()


def _size(frame: av.VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height as a screen shows them, even, as H.264 wants them."""
    wide = frame.width * (aspect if Fraction(1, 20) <= aspect <= 20 else Fraction(1))
    scale = min(Fraction(1), LONGEST / max(wide, Fraction(frame.height)))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (wide, frame.height))
    return width, height


def _frames(
    file: av.container.InputContainer, stream: av.VideoStream, parts: Sequence[Part], most: int
) -> Iterator[av.VideoFrame]:
    """Frames around the middle of each shot, in order, none twice."""
    assert stream.time_base is not None
    last = -(1 << 62)
    for part in parts:
        start = max(0.0, part.moment - SECONDS / 2) if part.seconds > SECONDS else part.moment - part.seconds / 2
        stop = part.moment + min(SECONDS, part.seconds) / 2
        begin, end = ((stream.start_time or 0) + int(time / stream.time_base) for time in (start, stop))
        file.seek(begin, stream=stream)
        count = 0
        for frame in file.decode(stream):
            if frame.pts is None or frame.pts < begin or frame.pts <= last:
                continue
            if frame.pts > end or count >= most:
                break
            last, count = frame.pts, count + 1
            yield frame
