"""What the end-to-end tests share: a job in this process, the command in another, and a decoder of their own.

Nothing here uses `pipeline.reels.fidelity` or `pipeline.reels.decode`: what they prove is proved a second way.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from click.testing import CliRunner

from pipeline.jobs.job import Result
from pipeline.jobs.reel_job import ReelChoices, ReelJob
from pipeline.values.events import Event, Silent
from tests.checkout import ROOT

MEDIA = ROOT.parent / "shared" / "media"
"""Real films beside the checkout (see CONTRIBUTING.md); tests that read them are skipped without."""


class Heard(Silent):
    """Remembers every event."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: Event, /) -> None:
        """Remember its name in JSON, and what else it says there."""
        facts = event.to_json()
        self.events.append((facts.pop("event"), facts))


def color(
    source: Path | str, out: Path, weights: Path | str, folder: Path | None = None, make: Any = None,
    segment_frames: int = 0, listener: Silent | None = None, **choices: Any,
) -> Result:  # fmt: skip
    """Run a job in this process. segment_frames: where the plan cuts long shots; make: another painter."""
    asked = ReelChoices(weights=str(weights), **{"working_size": 64, "precision": "fp32", **choices})
    job = ReelJob(str(source), out, asked, folder, listener or Silent())
    if segment_frames:
        job.settings = replace(job.settings, segment_frames=segment_frames)
    return job.color(make) if make else job.color()


def command_line(*arguments: object) -> list[str]:
    """The command as a person types it."""
    return [sys.executable, "-m", "workflows.commands.cli", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """This process's environment with one thread per library: the tests share their cores."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["chromatheque", *sys.argv[2:]]
from workflows.commands.cli import main
main()
"""
"""The command on a disk on which no file may grow beyond the first argument's bytes."""


def hear_interrupts() -> None:
    """For a child before it starts: what a shell runs in the background ignores Ctrl-C, and what nohup runs the end of
    the terminal; so would the child."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def run_command(
    *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None, timeout: float = 240, **how: Any
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; its exit code and what it printed."""
    return subprocess.run(
        command_line(*arguments), cwd=cwd or ROOT, env=env or environment(), capture_output=True, text=True,
        timeout=timeout, check=False, **how,
    )  # fmt: skip


def verify(source: Path, out: Path, *options: str) -> tuple[int, str]:
    """The `verify` command in this process: exit code and what it printed."""
    from workflows.commands.cli import cli

    done = CliRunner().invoke(cli, ["verify", str(source), str(out), *options], catch_exceptions=False)
    return done.exit_code, done.output


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The single line of an error; fails on a traceback or on more than a line."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: "), lines[0]
    return lines[0]


def samples(frame: av.VideoFrame, plane: int) -> np.ndarray:
    """A plane's samples as stored, for planar formats: rows cut to the picture's width."""
    raw, bits = frame.planes[plane], max(c.bits for c in frame.format.components)
    kind = np.dtype("u1" if bits <= 8 else ">u2" if frame.format.name.endswith("be") else "<u2")
    lines = np.frombuffer(bytes(raw), np.uint8).reshape(raw.height, raw.line_size)
    return lines[:, : raw.width * kind.itemsize].copy().view(kind)


def pictures(path: Path | str) -> Iterator[av.VideoFrame]:
    """Every frame that decodes."""
    with av.open(str(path), metadata_errors="replace") as container:
        covers = av.stream.Disposition.attached_pic
        stream = next(s for s in container.streams.video if not s.disposition & covers)
        for packet in container.demux(stream):
            yield from packet.decode()


def luma_digests(path: Path | str) -> list[str]:
    """A digest of each frame's stored luma."""
    return [hashlib.sha1(samples(f, 0).astype("<u2").tobytes()).hexdigest() for f in pictures(path)]


def chroma(path: Path | str) -> list[np.ndarray]:
    """Cb and Cr of each frame, (2, h, w)."""
    return [np.stack([samples(f, 1), samples(f, 2)]) for f in pictures(path)]


@dataclass
class Stream:
    """A stream as a stranger sees it. times: of its packets, sorted, in seconds. payload: digest of their bytes."""

    kind: str
    codec: str
    language: str
    times: list[Fraction] = field(repr=False)
    payload: str = ""
    count: int = 0


@dataclass
class Story:
    """What there is to lose in a file."""

    streams: list[Stream]
    chapters: list[tuple[float, float, str]]
    tags: dict[str, str]
    timecode: str
    aspect: Fraction
    rotation: int
    fields: str
    attachments: dict[str, bytes]
    size: tuple[int, int]
    times: list[Fraction] = field(repr=False)
    stamps: list[int] = field(repr=False)

    def of(self, kind: str) -> list[Stream]:
        """Streams of a kind."""
        return [s for s in self.streams if s.kind == kind]


def story(path: Path) -> Story:
    """Read everything a file says."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        streams = [
            Stream(s.type, s.codec_context.name if s.codec_context else "", s.metadata.get("language", ""), [])
            for s in container.streams
        ]
        attachments = {s.name: bytes(s.data) for s in container.streams.attachments}
        chapters = [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"].get("title", ""))
            for c in container.chapters()
        ]
        timecode = {k.lower(): v for k, v in {**container.metadata, **video.metadata}.items()}.get("timecode", "")
        aspect, size = video.sample_aspect_ratio or Fraction(1), (video.width, video.height)
        tags = {k.lower(): v for k, v in container.metadata.items()}
        digests = [hashlib.sha1() for _ in streams]
        packets = container.demux([s for s in container.streams if s.type in ("video", "audio", "subtitle")])
        for packet in packets:
            if packet.size and not (packet.stream.type == "subtitle" and bytes(packet) == b"\0\0"):  # fills a gap
                mine = streams[packet.stream.index]
                mine.times.append(packet.pts * Fraction(packet.time_base))
                mine.count += 1
                digests[packet.stream.index].update(bytes(packet))
        for stream, digest in zip(streams, digests, strict=True):
            stream.times.sort()
            stream.payload = digest.hexdigest()
    from tests.synthetic import read_stamps

    times, rotation, fields = [], 0, "progressive"
    for frame in pictures(path):
        times.append(frame.pts * Fraction(frame.time_base))
        rotation = frame.rotation % 360
        fields = "interlaced" if frame.interlaced_frame else "progressive"
    return Story(
        streams, chapters, tags, timecode, Fraction(aspect), rotation, fields, attachments, size, times,
        read_stamps(path),
    )  # fmt: skip
