"""Fidelity of tracks: sound, subtitles and metadata of an output against its source's.

Packets are compared first; where a container wraps a codec another way, or sound was converted, the samples decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
from av.stream import Disposition

from pipeline.containers.chapters import TICK, check_chapters, clipped
from pipeline.containers.containers import Container
from pipeline.containers.film_tags import is_tag, plain
from pipeline.containers.labels import UNHEARD, changed
from pipeline.reels.covers import COVER, check_covers, is_cover
from pipeline.reels.decode import Reader
from pipeline.reels.heard import heard, places
from pipeline.reels.packets import Packets, found_in, moved, read_packets
from pipeline.reels.reel import Reel, frames_of, open_source, readable
from pipeline.reels.sound_kinds import CHANGING
from pipeline.reels.track_account import Track, account_of
from pipeline.reels.tracks import CHAPTERS, PICTURE, TRACKS, Carried, decide, samples_digest
from pipeline.reels.whole import chapters_for, check_claims, check_whole, claimed_in, words_of
from pipeline.values.finding import Finding
from pipeline.values.words import counted, in_bytes

COUNTED = {
    f"{count} channels": name
    for count, name in enumerate(("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1"), 1)
}
"""What players take channels for that a file only counts, as FFmpeg's default layouts."""

SYNC = Fraction(1, 20)
"""Seconds that converted sound may move against the picture: codecs begin with some milliseconds of lead-in."""


def check_tracks(
    reel: Reel, made: Reel, declared: list[Carried] | None, container: Container, span: tuple[Fraction, Fraction],
    piece: bool,
) -> list[Finding]:  # fmt: skip
    """Sound, subtitles, attachments and metadata: packets compared, what was lost must have been declared.

    span: seconds of the source at which the picture begins and ends.
    """
    findings: list[Finding] = []
    if reel.is_sequence:
        return findings
    with readable(reel.uri), open_source(reel.uri) as source, open_source(made.uri) as output:
        parts = chapters_for(source, reel.uri, container)
        fates = declared if declared is not None else decide(source, reel, container)
        if strange := [f for f in fates if f.kind != CHAPTERS and not _is_there(f, source)]:
            names = ", ".join(f.name for f in strange)
            findings.append(Finding("all tracks", False, f"the sidecar tells of tracks that the source lacks: {names}"))
            fates = [f for f in fates if f not in strange]
        have = [s.index for s in output.streams if s.index != made.stream and s.type != "data" and not is_cover(s)]
        expected = [f for f in fates if f.how in ("copied", "converted") and f.kind in TRACKS]
        if len(have) > len(expected) and output.chapters() and output.streams[have[-1]].type == "subtitle":
            have.pop()  # the titles of the chapters: FFmpeg shows them as a track where a time code is there too
        kinds = [f.kind for f in expected], [str(output.streams[i].type) for i in have]
        findings.append(Finding("tracks", kinds[0] == kinds[1], _tracks(*kinds)))
        unknown = [s.index for s in source.streams if s.index not in (reel.stream, *(f.index for f in fates))]
        if unknown:
            those = ", ".join(map(str, unknown))
            findings.append(Finding("all tracks", False, f"the sidecar says nothing of the source's tracks {those}"))
        findings += [Finding(f.loss, False, "", named=declared is not None) for f in fates if f.loss]
        findings += check_covers(reel.uri, made.uri, [f.index for f in fates if f.kind == COVER and f.how != "lost"])
        findings += [_check_metadata(source, output), *check_claims(source, reel.uri)]
        clock = (_begin(made) or Fraction(0)) - span[0]
        whole = (*span, -clock) if piece else None
        if parts or not container.whole or words_of(reel.uri) is None:
            told_otherwise = any(f.kind == CHAPTERS for f in fates)
            chapters = clipped(parts, *whole) if whole is not None else parts
            findings.append(check_chapters(chapters, output.chapters(), container, told_otherwise, clock))
        pairs = list(zip(expected, have, strict=True)) if kinds[0] == kinds[1] else []
        both = [(reel.stream, made.stream), *((f.index, i) for f, i in pairs)]
        findings += check_whole(source, output, (reel.uri, made.uri), container, both, whole)
        findings += _check_labels(source, output, (reel, made), pairs, fates, container)
        findings += [
            _check_attachment(f, source.streams[f.index], output.streams[i]) for f, i in pairs if f.kind == "attachment"
        ]
    worst = _Sync()
    for fate, index in pairs:
        if fate.kind == "attachment":
            continue
        a, b = read_packets(reel.uri, fate.index, hidden=container.edits), read_packets(made.uri, index)
        track = Track(fate, index, a, b, clock, a.base + b.base + made.time_base + TICK)  # times are rounded
        found = list(_check_track(reel, made, track, container, span, worst, piece))
        account = account_of(track, span if piece else None, found[0].holds)
        findings += [*found, replace(account, named=bool(fate.rejected) and declared is not None)]
    if pairs and not piece:
        findings.append(worst.finding())
    return findings


def _is_there(fate: Carried, source: Any) -> bool:
    """Whether a source has a track where a sidecar tells of one, of its kind: that of another source may have none."""
    if not 0 <= fate.index < len(source.streams):
        return False
    return fate.kind not in TRACKS or source.streams[fate.index].type == fate.kind


def _check_track(
    reel: Reel, made: Reel, track: Track, container: Container, span: tuple[Fraction, Fraction], worst: _Sync,
    piece: bool,
) -> Iterator[Finding]:  # fmt: skip
    """What a track holds, and of sound of changing kinds how long it is. worst: told by how much it moved."""
    fate, index, a, b, clock, allowed = track.fate, track.index, track.a, track.b, track.clock, track.allowed
    if piece or (fate.rejected and len(a) - len(b) <= fate.rejected):
        same = piece and _is_cut_out(reel.uri, fate.index, b, clock, allowed, span)
        part = Finding(fate.name, True, f"{counted(len(b), 'packet')}, those of the piece")
        yield part if same else _check_part(fate, a, b, clock, allowed, span if piece else None)
        return
    if fate.unheard:
        detail = f"{counted(len(a), 'packet')} in the source, {len(b)} in the output; {UNHEARD}"
        yield _check_packets(fate, a, b) or Finding(fate.name, len(a) == len(b), detail)
        worst.add(fate.name, moved(a, b, clock), allowed)
        return
    if not container.timed and fate.kind == "audio":
        yield _check_laid(reel.uri, track, made.uri, span)
        yield from _check_places(reel.uri, fate, made.uri, index)
        return
    yield _check_packets(fate, a, b) or _check_sound(reel.uri, track, made.uri)
    if fate.kind == "audio" and fate.how == "copied":
        yield from _check_places(reel.uri, fate, made.uri, index)
    if fate.kind == "audio" and reel.format in CHANGING:
        yield _check_length(reel.uri, fate, made.uri, index)
    if fate.how == "copied" and (len(a) == len(b) or a.digest == b.digest):
        worst.add(fate.name, moved(a, b, clock), allowed)
    elif fate.kind == "audio":
        shift = _heard_later(reel.uri, fate.index, made.uri, index, clock, container.sound_for(fate.codec).lead)
        worst.add(fate.name, shift, SYNC)


class _Sync:
    """What moved most against the picture, of all tracks and beyond what each may."""

    def __init__(self) -> None:
        self.name, self.shift, self.allowed = "", Fraction(0), Fraction(0)

    def add(self, name: str, shift: Fraction, allowed: Fraction) -> None:
        """A track that moved by `shift` seconds at most."""
        if not self.name or shift - allowed > self.shift - self.allowed:
            self.name, self.shift, self.allowed = name, shift, allowed

    def finding(self) -> Finding:
        """Whether every track's packets lie beside the picture where they did."""
        by = f"{float(self.shift) * 1000:.2f} ms (at most {float(self.allowed) * 1000:.2f})"
        return Finding(
            "sync", self.shift <= self.allowed, f"{self.name or 'nothing'} against the picture moved by {by}"
        )


def _tracks(wanted: list[str], found: list[str]) -> str:
    """How many beside the picture, in words; and of which kinds, where as many are others."""
    if not wanted and not found:
        return "none beside the picture"
    those = f"{counted(len(wanted), 'track') if wanted else 'none'} beside the picture"
    if wanted == found:
        return those
    if len(wanted) == len(found):
        return f"{those} ({', '.join(wanted)}), and {', '.join(found)} in the output"
    return f"{those}, and {len(found) or 'none'} in the output"


def _check_labels(
    source: Any, output: Any, reels: tuple[Reel, Reel], pairs: list[tuple[Carried, int]], fates: list[Carried],
    container: Container,
) -> list[Finding]:  # fmt: skip
    """Languages, titles and flags of the picture and of every track."""
    reel, made = reels
    picture = next((f for f in fates if f.index == reel.stream), Carried(reel.stream, PICTURE, reel.codec, "painted"))
    messages = []
    for fate, index in [(picture, made.stream), *pairs]:
        kind = [source.streams[f.index] for f, _ in pairs if f.kind == fate.kind] or [source.streams[fate.index]]
        chosen = any(s.disposition & Disposition.default for s in kind)
        changes = changed(source.streams[fate.index], output.streams[index], container, fate.why, chosen)
        messages += [f"{fate.kind} {fate.index}: {change}" for change in changes]
    held = f"languages, titles and flags of {counted(len(pairs) + 1, 'track')}"
    return [Finding("labels", not messages, "; ".join(messages) or held)]


def _check_attachment(fate: Carried, source: Any, output: Any) -> Finding:
    was, now = (bytes(s.data or b"") for s in (source, output))
    named = [s.metadata.get(key, "") for s in (source, output) for key in ("filename", "mimetype")]
    same = was == now and named[:2] == named[2:]
    detail = f"{named[0]}, {in_bytes(len(was))}, identical" if same else f"{named[0]}: its bytes, name or type changed"
    return Finding(f"attachment {fate.index}", same, detail)


def _check_metadata(source: Any, output: Any) -> Finding:
    have = [plain(v) for v in output.metadata.values()]
    missing = [
        k for k, v in source.metadata.items()
        if is_tag(k) and plain(v) and not claimed_in(k, v)
        and not any(h == plain(v) or h.startswith(plain(v) + " | ") for h in have)
    ]  # fmt: skip
    detail = f"missing: {', '.join(missing)}" if missing else counted(len(source.metadata), "tag")
    return Finding("metadata", not missing, detail)


def _heard_from(uri: str, index: int) -> Fraction | None:
    """Seconds of the first sound that decodes; a decoder leaves out its codec's lead-in."""
    with readable(uri), open_source(uri) as container:
        for frame in frames_of(container, container.streams[index]):
            return Fraction(frame.pts * frame.time_base) if frame.pts is not None else None
    return None


def _heard_later(uri: str, index: int, out: str, out_index: int, clock: Fraction, lead: int) -> Fraction:
    """Seconds by which sound that was converted begins earlier or later beside the picture.

    lead: samples of silence that its encoder puts first.
    """
    was, now = _heard_from(uri, index), _heard_from(out, out_index)
    if was is None or now is None:
        return Fraction(0)
    with readable(out), open_source(out) as container:
        rate = next(s for s in container.streams.audio if s.index == out_index).codec_context.sample_rate
    early = was + clock - now
    return (
        Fraction(0) if 0 < early <= Fraction(lead, rate) else abs(early)
    )  # a late track: its encoder's silence is played


def _begin(reel: Reel) -> Fraction | None:
    """Seconds at which a picture begins; the earliest of a few frames, since some files mix them up."""
    with Reader(reel) as reader:
        times = [f.pts for f in islice(reader, 8) if f.pts is not None]
    return min(times) * reel.time_base if times else None


def _check_packets(fate: Carried, a: Packets, b: Packets) -> Finding | None:
    """What the packets say of a whole track, in and out; None where only the samples can tell."""
    name = fate.name
    if a.digest == b.digest and (len(a) == len(b) or fate.kind == "audio"):
        anew = "" if len(a) == len(b) else " but cut anew"
        return Finding(name, True, f"{counted(len(a), 'packet')}, identical{anew}{_hidden(a)}")
    if fate.kind == "video":  # H.264 is wrapped another way in each container
        return Finding(name, len(a) == len(b), f"{counted(len(a), 'packet')} in the source, {len(b)} in the output")
    if fate.kind != "audio":
        message = f"{counted(len(a), 'packet')} in the source, {len(b)} in the output, or their bytes differ"
        return Finding(name, False, message)
    return None


def _hidden(a: Packets) -> str:
    """What of a track's packets an edit list hides, in words."""
    hidden = f"; an edit list hides {a.hidden} of them" * bool(a.hidden)
    return hidden + f"; {a.left} that it hides are left out" * bool(a.left)


def _is_cut_out(
    uri: str, index: int, b: Packets, clock: Fraction, allowed: Fraction, span: tuple[Fraction, Fraction]
) -> bool:
    """Whether a track is byte for byte what its source has in a span, also where a muxer cut its packets anew.

    A piece from the very beginning has the sound that comes before the picture too.
    """
    parts = (read_packets(uri, index, since, span[1]) for since in (span[0], None))
    return any(a.digest == b.digest and moved(a, b, clock) <= allowed for a in parts)


def _check_part(
    fate: Carried, a: Packets, b: Packets, clock: Fraction, allowed: Fraction, span: tuple[Fraction, Fraction] | None
) -> Finding:
    """Whether an output has every packet of its source that it should, and no other. span: of a piece.

    Bytes of sound that was converted or wrapped another way cannot be compared with a part: there only its being there
    is looked at.
    """
    name = fate.name
    times = [a.time(i) for i in range(len(a))]
    wanted = {i for i, t in enumerate(times) if span is None or (t is not None and span[0] <= t < span[1])}
    if not set(a.marks) & set(b.marks):
        return Finding(
            name, len(b) > 0 or not wanted, f"{counted(len(b), 'packet')} in the output, {len(wanted)} in the source"
        )
    places = found_in(a, b, clock, allowed)
    missing = len(wanted.difference(places))
    if len(places) < len(b):
        return Finding(name, False, f"packet {len(places)} of {len(b)} is not the source's, or not at its time")
    refused = f"; {fate.rejected} refused by the container, as declared" if fate.rejected else ""
    return Finding(name, missing <= fate.rejected, f"{counted(len(b), 'packet')}, {missing} missing{refused}")


def _check_sound(uri: str, track: Track, out: str) -> Finding:
    """Packets may differ where a container wraps a codec another way (ADTS): then the samples decide."""
    fate, index = track.fate, track.index
    a, length_a, b, length_b = _levels(uri, fate.index, out, index, 0, track.failed)
    rate_slack = 4096
    same = abs(length_a - length_b) <= rate_slack and _alike(a, b)
    if not same and 0 < length_b - length_a <= rate_slack:  # an encoder's lead-in that its times account for
        a, _, b, _ = _levels(uri, fate.index, out, index, length_b - length_a)
        same = _alike(a, b)
    return Finding(fate.name, same, f"{fate.how}; {length_a} samples in the source, {length_b} in the output")


def _check_places(uri: str, fate: Carried, out: str, index: int) -> list[Finding]:
    """A finding where a track's channels are said to be elsewhere than in its source, or only counted: Matroska has no
    places for those of PCM, and FFmpeg writes none into MXF."""
    was, now = heard(uri, fate.index, decode=False), heard(out, index, decode=False)
    if was is None or now is None or was.said.endswith(" channels"):
        return []
    taken = COUNTED.get(now.said, now.said)
    message = f"{was.said} became {now.said}{f', which players take for {taken}' * (taken != now.said)}"
    return [Finding(f"places of the channels of {fate.name}", False, message)] * (was.said != taken)


def _check_length(uri: str, fate: Carried, out: str, index: int) -> Finding:
    """Whether decoded sound lasts as long as its source's: bytes under the label of another rate do not."""
    was, now = _seconds(uri, fate.index), _seconds(out, index)
    detail = f"{float(was):.3f} s of sound in the source, {float(now):.3f} s in the output"
    return Finding(f"length of {fate.name}", abs(was - now) <= SYNC, detail)


def _seconds(uri: str, index: int) -> Fraction:
    """Of a track's sound that decodes; 0 where it ends the process that decodes it."""
    found = heard(uri, index, decode=True)
    return found.kinds.seconds if found is not None and found.kinds is not None else Fraction(0)


def _check_laid(uri: str, track: Track, out: str, span: tuple[Fraction, Fraction]) -> Finding:
    """Sound that a container without times lays out along the picture: silent before and after its own, then alike."""
    fate, index = track.fate, track.index
    heard = _heard_from(uri, fate.index)
    late = heard - span[0] if heard is not None else Fraction(0)
    early, late = max(-late, Fraction(0)), max(late, Fraction(0))
    with readable(uri), open_source(uri) as source, open_source(out) as output:
        rate = next(s for s in output.streams.audio if s.index == index).codec_context.sample_rate
        a, _ = samples_digest(source, source.streams[fate.index], rate, round(early * rate), track.failed)
        b, length = samples_digest(output, output.streams[index], rate, round(late * rate))
    silent = not (b[len(a) + 1 :] > 0.001).any()
    whole = abs(length - (span[1] - span[0]) * rate) <= rate / 20
    detail = f"{fate.how}; {length} samples along the picture, its own from {float(late):.3f} s on"
    return Finding(fate.name, bool(silent and whole and _alike(a[: len(b)], b[: len(a)])), detail)


def _levels(
    uri: str, index: int, out: str, out_index: int, skip: int, failed: Callable[[Any], None] = lambda _: None
) -> tuple[np.ndarray, int, np.ndarray, int]:
    with readable(uri), open_source(uri) as c, open_source(out) as d:
        made: Any = next(s for s in d.streams.audio if s.index == out_index).codec_context
        was: Any = c.streams[index].codec_context
        rate = made.sample_rate
        layout = places(made) if int(was.layout.nb_channels) != int(made.layout.nb_channels) else ""
        return (
            *samples_digest(c, c.streams[index], rate, failed=failed, layout=layout),
            *samples_digest(d, d.streams[out_index], rate, skip),
        )


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two tracks are as loud as each other all along; a lossy codec drops a tenth of a noisy level."""
    n = min(len(a), len(b))
    return bool(np.all(np.abs(a[:n] - b[:n]) < 0.02 + 0.1 * np.maximum(a[:n], b[:n])))
