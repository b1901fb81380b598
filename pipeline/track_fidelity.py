"""Fidelity of tracks: sound, subtitles and metadata of an output against its source's.

Packets are compared first; where a container wraps a codec another way, or sound was converted, the samples decide.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.decode import Reader
from pipeline.finding import Finding
from pipeline.reels import Reel, frames_of, open_source, packets_of, readable
from pipeline.tracks import Carried, decide, is_tag, same_language, samples_digest

SYNC = Fraction(1, 20)
"""Seconds that sound may move against the picture: codecs begin with some milliseconds of lead-in."""

LEAD = 1024
"""Samples of silence that FFmpeg's AAC encoder puts first."""


def check_tracks(reel: Reel, made: Reel, declared: list[Carried] | None, piece: bool) -> list[Finding]:
    """Sound, subtitles, attachments and metadata: packets compared, what was lost must have been declared."""
    findings: list[Finding] = []
    if reel.is_sequence:
        return findings
    with readable(reel.uri), open_source(reel.uri) as source, open_source(made.uri) as output:
        fates = declared if declared is not None else decide(source, reel, Path(made.uri).suffix)
        have = [s.index for s in output.streams if s.index != made.stream and s.type != "data"]
        expected = [f for f in fates if f.how != "lost" and f.kind != "data"]
        if len(have) > len(expected) and output.chapters() and output.streams[have[-1]].type == "subtitle":
            have.pop()  # the titles of the chapters: FFmpeg shows them as a track where a time code is there too
        findings.append(Finding("tracks", len(have) == len(expected), f"{len(expected)} carried, {len(have)} found"))
        unknown = [s.index for s in source.streams if s.index not in (reel.stream, *(f.index for f in fates))]
        if unknown:
            findings.append(Finding("all tracks", False, f"the sidecar says nothing of the source's tracks {unknown}"))
        lost = [f for f in fates if f.how == "lost" or f.rejected]
        if lost:
            told = "; ".join(f"{f.kind} {f.index} {f.codec}: {f.why or f'{f.rejected} packets refused'}" for f in lost)
            findings.append(Finding("declared losses", declared is not None, told))
        said, says = ([s.metadata.get("language", "") for s in c.streams] for c in (source, output))
        leads = {s.index: Fraction(LEAD, s.codec_context.sample_rate) for s in output.streams.audio}
        findings.append(_check_metadata(source, output, piece))
    if len(have) != len(expected):
        return findings
    begins: list[tuple[Fraction, Fraction]] = []
    for fate, index in zip(expected, have, strict=True):
        if not same_language(said[fate.index], says[index]) and "language" not in fate.why:
            told = f"{said[fate.index] or 'none'} became {says[index] or 'none'}"
            findings.append(Finding(f"language of {fate.kind} {fate.index}", False, told))
        if fate.kind in ("audio", "subtitle"):
            a, b = _packets(reel.uri, fate.index), _packets(made.uri, index)
            findings.append(_check_packets(fate, piece, a, b) or _check_sound(reel.uri, fate, made.uri, index))
            was, now = a[2], b[2]
            if fate.how == "converted":
                was, now = _heard_from(reel.uri, fate.index), _heard_from(made.uri, index)
                if was is not None and now is not None and 0 < was - now <= leads[index]:
                    now = was  # a late track: the silence its encoder begins with is played, not cut off
            if fate.kind == "audio" and was is not None and now is not None:
                begins.append((was, now))
    if begins and not piece:
        findings.append(_check_sync(reel, made, begins))
    return findings


def _check_metadata(source: Any, output: Any, piece: bool) -> Finding:
    have = [_plain(v) for v in output.metadata.values()]
    missing = [
        k for k, v in source.metadata.items()
        if is_tag(k) and _plain(v)
        and not any(h == _plain(v) or h.startswith(_plain(v) + " | ") for h in have)
    ]  # fmt: skip
    chapters = len(source.chapters()), len(output.chapters())
    kept = chapters[0] == chapters[1] or chapters[0] == 0 or (piece and chapters[1] <= chapters[0])
    holds = not missing and kept
    detail = (
        f"{len(source.metadata)} tags, {chapters[0]} chapters" if holds else f"missing {missing}; chapters {chapters}"
    )
    return Finding("metadata", holds, detail)


def _plain(text: str) -> str:
    """A tag's value as every container gives it back; keys are respelled (Matroska: GENERATED_BY), values are not."""
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


Packets = tuple[str, int, Fraction | None]
"""Digest, count and first time, in seconds, of a track's packets."""


def _packets(uri: str, index: int) -> Packets:
    digest, count, first = hashlib.sha256(), 0, None
    with readable(uri), open_source(uri) as container:
        stream = container.streams[index]
        gaps = stream.type == "subtitle" and stream.codec_context.name == "mov_text"  # muxers fill gaps with empty ones
        for packet in packets_of(container, stream):
            if packet.size and not (gaps and bytes(packet) == b"\0\0"):
                digest.update(bytes(packet))
                count += 1
                if first is None and packet.pts is not None:
                    first = Fraction(packet.pts * packet.time_base)
    return digest.hexdigest(), count, first


def _heard_from(uri: str, index: int) -> Fraction | None:
    """Seconds of the first sound that decodes; a decoder leaves out its codec's lead-in."""
    with readable(uri), open_source(uri) as container:
        for frame in frames_of(container, container.streams[index]):
            return Fraction(frame.pts * frame.time_base) if frame.pts is not None else None
    return None


def _check_sync(reel: Reel, made: Reel, begins: list[tuple[Fraction, Fraction]]) -> Finding:
    """Whether each sound track begins as long before or after the picture as it did. begins: seconds, in and out."""
    source, result = _begin(reel), _begin(made)
    if source is None or result is None:
        return Finding("sync", True, "the picture has no times of its own")
    worst = max(abs((a - source) - (b - result)) for a, b in begins)
    detail = f"sound against picture moved by {float(worst) * 1000:.0f} ms (at most {float(SYNC) * 1000:.0f})"
    return Finding("sync", worst <= SYNC, detail)


def _begin(reel: Reel) -> Fraction | None:
    """Seconds at which the picture begins; the earliest of a few frames, since some files mix them up."""
    with Reader(reel) as reader:
        times = [f.pts for f in islice(reader, 8) if f.pts is not None]
    return min(times) * reel.time_base if times else None


def _name(fate: Carried) -> str:
    return f"{fate.kind} {fate.index} ({fate.codec})"


def _check_packets(fate: Carried, piece: bool, a: Packets, b: Packets) -> Finding | None:
    """What the packets say of a track, in and out; None where only the samples can tell."""
    name = _name(fate)
    if piece:
        return Finding(name, b[1] > 0 or a[1] == 0, f"{b[1]} of {a[1]} packets belong to the piece")
    if a[:2] == b[:2]:
        return Finding(name, True, f"{a[1]} packets, identical")
    if fate.rejected and a[1] - b[1] <= fate.rejected:
        return Finding(name, True, f"{b[1]} of {a[1]} packets; {fate.rejected} refused by the container, as declared")
    if fate.kind != "audio":
        return Finding(name, False, f"{a[1]} packets in the source, {b[1]} in the output, or their bytes differ")
    return None


def _check_sound(uri: str, fate: Carried, out: str, index: int) -> Finding:
    """Packets may differ where a container wraps a codec another way (ADTS): then the samples decide."""
    a, length_a, b, length_b = _levels(uri, fate.index, out, index, 0)
    rate_slack = 4096
    same = abs(length_a - length_b) <= rate_slack and _alike(a, b)
    if not same and 0 < length_b - length_a <= rate_slack:  # an encoder's lead-in that its times account for
        a, _, b, _ = _levels(uri, fate.index, out, index, length_b - length_a)
        same = _alike(a, b)
    return Finding(_name(fate), same, f"{fate.how}; {length_a} samples in the source, {length_b} in the output")


def _levels(uri: str, index: int, out: str, out_index: int, skip: int) -> tuple[np.ndarray, int, np.ndarray, int]:
    with readable(uri), open_source(uri) as c, open_source(out) as d:
        rate = next(s for s in d.streams.audio if s.index == out_index).codec_context.sample_rate
        return (
            *samples_digest(c, c.streams[index], rate),
            *samples_digest(d, d.streams[out_index], rate, skip),
        )


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two tracks are as loud as each other all along; a lossy codec drops a tenth of a noisy level."""
    n = min(len(a), len(b))
    return bool(np.all(np.abs(a[:n] - b[:n]) < 0.02 + 0.1 * np.maximum(a[:n], b[:n])))
