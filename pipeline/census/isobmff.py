"""Boxes of MOV, MP4 and HEIF files: those of coding and those that other checks compare are rules (ISO 14496-12).

A table says what each box may hold that is known, and which of it is gone into. Apple's QuickTime File Format has the
rest: sample entries, user data, lists of keys.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from pipeline.census.element import MAX_DEPTH, Element, File, Place, element, printed, through
from pipeline.census.isobmff_fields import CHANGED, MADE, PLACE, READERS, fields_of, group_of, is_turned
from pipeline.census.mastering import BOXES

PADDING = b"free skip wide pnul"
KNOWN: dict[bytes, tuple[bytes, bytes]] = {
    b"": (b"moov moof meta mfra", b"ftyp styp mdat idat sidx ssix mfro"),
    b"mfra": (b"", b"tfra mfro"),
    b"moof": (b"traf", b"mfhd"),
    b"traf": (b"", b"tfhd tfdt trun sdtp sbgp sgpd saiz saio subs senc"),
    b"moov": (b"trak udta meta mvex", b"mvhd iods"),
    b"mvex": (b"", b"mehd trex trep"),
    b"trak": (b"edts mdia udta meta tref", b"tkhd tapt"),
    b"tref": (b"", b"tmcd chap hint"),
    b"edts": (b"", b"elst"),
    b"mdia": (b"minf", b"mdhd hdlr"),
    b"minf": (b"dinf stbl gmhd", b"vmhd smhd hmhd nmhd sthd hdlr"),
    b"gmhd": (b"tmcd", b"gmin text"),
    b"tmcd": (b"", b"tcmi"),
    b"dinf": (b"", b"dref"),
    b"stbl": (
        b"stsd", b"stts ctts cslg stss stsz stz2 stsc stco co64 sdtp sbgp sgpd stps stsh padb subs saiz saio stdp",
    ),
    b"udta": (b"meta", b"chpl HMMT loci"),
    b"meta": (b"ilst iprp dinf", b"hdlr keys pitm iinf iloc idat iref"),
    b"iprp": (b"ipco", b"ipma"),
    b"ipco": (b"", b"ispe pixi colr irot imir av1C hvcC lhvC auxC a1op a1lx lsel clap"),
    b"ilst": (
        b"", b"covr trkn disk stik hdvd pgap pcst cpil rtng gnre tvsn tves egid akID apID cnID",
    ),
}  # fmt: skip
"""Of each box: boxes in it that are gone into, and those that are known. `tapt` has the sizes at which a picture is
shown; `chpl` is chapters; numbers in `ilst`, and places, are tags that FFmpeg gives."""
PROGRAMS = (b"\xa9too", b"\xa9swr", b"\xa9enc")
"""What program wrote the file; and keys of FFmpeg's that say it, or what kind of file it is."""
KEYS_OF_FILES = ("encoder", "major_brand", "minor_version", "compatible_brands")
ENTRY = {
    b"SMI ",
    *b"avcC hvcC lhvC hvcE avcE vpcC av1C esds glbl pasp colr fiel clap btrt st3d sv3d dvcC dvvC dvwC d263 damr alac "
    b"dfLa dOps dac3 dec3 ddts dmlp wave chan chnl pcmC srat mhaC frma enda sinf rinf mdcv clli SmDm CoLL amve jp2h "
    b"ACLR APRG ARES ADHR APHD".split(),
}
"""Boxes in a sample entry that say how its samples are coded, and those that are compared: aspect, colors, crop."""
PICTURES, TIMES, SOUNDS = 78, 26, {0: 20, 1: 36, 2: 56}
"""Bytes of a sample entry, after its first 8, before the boxes in it: of pictures, of time codes, of sound by its
version."""
KEYS = 4096
MAX_TRACKS = 10_000
MAX_MOVIE = 1 << 24
"""Bytes of a movie whose header is compressed; what is beyond is not looked at."""


@dataclass(slots=True)
class _Film:
    """What fields have said so far. times: in eight bytes each; turned: whether its own matrix turns it; unpacked:
    whether its header was compressed.

    tracks: handler of each and the group of alternatives that it is in.
    """

    times: set[bytes] = field(default_factory=set)
    turned: bool = False
    unpacked: bool = False
    tracks: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class _Place(Place):
    """kind: of the box. handler: of the track that it is in; keys: that an `ilst` beside them has; film: of all."""

    kind: bytes = b""
    handler: bytes = b""
    keys: tuple[str, ...] = ()
    film: _Film = field(default_factory=_Film)
    inside: tuple[set[bytes], set[bytes]] = field(default_factory=lambda: (set(), set()))


def boxes_of(file: File) -> Iterator[Element]:
    """The boxes that no rule knows. What a picture's crop asks for is told by its reader."""
    root = _place(b"", "", 0, file.size)
    yield from through("MP4", file, root, partial(_enter, file))
    yield from _groups(root.film)


def _groups(film: _Film) -> Iterator[Element]:
    """Tracks of which one is played. A group of all that there are of a kind says nothing: FFmpeg writes such."""
    for group in dict.fromkeys(group for _, group in film.tracks if group.strip(b"\0")):
        kinds = {kind for kind, of in film.tracks if of == group}
        members = sum(of == group for _, of in film.tracks)
        usual = len(kinds) == 1 and all(of == group for kind, of in film.tracks if kind in kinds)
        if members > 1 and not usual:
            says = f"{members} tracks have {int.from_bytes(group, 'big')}"
            yield element("MP4 field moov/trak/tkhd/alternate group", 2 * members, group, says=says)


def _enter(file: File, places: list[_Place]) -> Iterator[Element] | None:
    place = places[-1]
    kind, body, end = _header(file, place.at, place.stop)
    if not kind:
        return None
    place.at = end
    return _box(file, places, kind, body, end)


def _place(kind: bytes, name: str, at: int, stop: int, handler: bytes = b"", keys: tuple[str, ...] = ()) -> _Place:
    deeper, known = (set(names.split()) for names in KNOWN.get(kind, (b"", b"")))
    inside = deeper, known | set(PADDING.split())
    return _Place(name, at, stop, kind=kind, handler=handler, keys=keys, inside=inside)


def _header(file: File, at: int, stop: int) -> tuple[bytes, int, int]:
    """A box's kind, where its content begins and ends; b"" for what is no box, or reaches beyond what it is in."""
    head = file.at(at, 16)
    size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
    if size == 1 and len(head) == 16:
        size, body = int.from_bytes(head[8:], "big"), at + 16
    end = stop if size == 0 else at + size
    if len(head) < 8 or at + 8 > stop or not body <= end or not head[:8].strip(b"\0"):
        return b"", at, stop
    return kind, body, min(end, stop)  # a file that was cut off ends within its last box


def _box(file: File, places: list[_Place], kind: bytes, body: int, end: int) -> Iterator[Element]:
    place = places[-1]
    deeper, known = place.inside
    name = f"{place.name}/{_named(place, kind)}".lstrip("/")
    if kind == b"hdlr" and place.kind == b"mdia":
        place.handler = file.at(body + 8, 4)
        if place.film.tracks and len(place.film.tracks) < MAX_TRACKS:
            place.film.tracks[-1] = place.handler, place.film.tracks[-1][1]
    if kind == b"keys" and place.kind == b"meta":
        place.keys = _keys(file.at(body, end - body))
    if kind == b"cmov" and place.kind == b"moov" and (packed := _unpacked(file, place.film, body, end)) is not None:
        first = _place(b"", "", 0, packed.size)
        first.film = place.film
        yield from through("MP4", packed, first, partial(_enter, packed))
        return
    if place.kind == b"stsd":
        inner = _entry(file, place, name, body, end)
    elif kind in deeper and len(places) < MAX_DEPTH:
        inner = _place(kind, name, body + _skip(file, kind, body), end, place.handler, place.keys)
        inner.film = place.film
    elif kind in known or (place.kind in (b"udta", b"ilst") and _of_the_file(place, kind)):
        if kind in READERS and place.kind != b"ipco":  # a still's are carried
            yield from _fields(kind, name, file.at(body, end - body), place.film)
        elif kind in BOXES:
            yield from _display(kind, name, file.at(body, end - body))
        return
    else:
        yield _named_element(file, place, kind, name, body, end)
        return
    places.append(inner)


def _unpacked(file: File, film: _Film, body: int, end: int) -> File | None:
    """The movie that a compressed header holds, as QuickTime of the nineties wrote it; None where it is damaged.

    One within another is none, so that unpacking comes to an end.
    """
    head, at = file.at(body, 12), body + int.from_bytes(file.at(body, 4), "big")
    if film.unpacked or head[4:] != b"dcomzlib" or file.at(at + 4, 4) != b"cmvd":
        return None
    film.unpacked = True
    try:
        return File(io.BytesIO(zlib.decompressobj().decompress(file.at(at + 12, end - at - 12), MAX_MOVIE)))
    except zlib.error:
        return None


def _fields(kind: bytes, name: str, content: bytes, film: _Film) -> Iterator[Element]:
    """What fields of a known box say. When the film was made is a tag that FFmpeg lists."""
    film.turned |= kind == b"mvhd" and is_turned(content)
    if kind == b"tkhd" and len(film.tracks) < MAX_TRACKS:
        film.tracks.append((b"", group_of(content)))
    for what, value, says in fields_of(kind, content):
        again = value in film.times
        film.times.update({value} if what in (MADE, CHANGED) else ())
        idle = {MADE: again or kind == b"mvhd", CHANGED: again, PLACE: film.turned}
        if not idle.get(what):
            yield element(f"MP4 field {name}/{what}", len(value), value, says=says)


def _display(kind: bytes, name: str, content: bytes) -> Iterator[Element]:
    """What the container says of the display, in words that are held against the pictures'."""
    if says := BOXES[kind](content):
        yield element(f"MP4 box {name}", len(content), content, [says.encode()], says=says)


def _skip(file: File, kind: bytes, body: int) -> int:
    """Bytes of a box before those in it; QuickTime's `meta` has none, ISO's has a version."""
    if kind == b"meta":
        return 0 if file.at(body + 4, 4) == b"hdlr" else 4
    return 8 if kind == b"stsd" else 0


def _entry(file: File, place: _Place, name: str, body: int, end: int) -> _Place:
    """What is in a sample entry; of tracks that are neither picture nor sound, nothing is known of its length."""
    version = int.from_bytes(file.at(body + 8, 2), "big")
    skips = {b"vide": PICTURES, b"tmcd": TIMES, b"soun": 8 + SOUNDS.get(version, end)}
    skip = skips.get(place.handler, end - body)
    inner = _place(b"", name, min(body + skip, end), end)
    inner.kind, inner.inside = b"entry", (set(), {*ENTRY, *PADDING.split()})
    if file.at(inner.at, end - inner.at).strip(b"\0") == b"":  # QuickTime ends a list with four zeros
        inner.at = end
    return inner


def _keys(content: bytes) -> tuple[str, ...]:
    """The names of QuickTime's list of keys, in their order."""
    found: list[str] = []
    at = 8
    while at + 8 <= len(content) and len(found) < KEYS:
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8:
            break
        found.append(content[at + 8 : at + size].decode("utf-8", "replace")[:100])
        at += size
    return tuple(found)


def _named(place: _Place, kind: bytes) -> str:
    number = int.from_bytes(kind, "big")
    return place.keys[number - 1] if place.kind == b"ilst" and 0 < number <= len(place.keys) else printed(kind)


def _of_the_file(place: _Place, kind: bytes) -> bool:
    return kind in PROGRAMS or (place.kind == b"ilst" and _named(place, kind) in KEYS_OF_FILES)


UUIDS = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "XMP", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"): "C2PA",
}  # fmt: skip


def _named_element(file: File, place: _Place, kind: bytes, name: str, body: int, end: int) -> Element:
    content = file.at(body, end - body)
    if kind == b"uuid":
        mark = content[:16]
        name = f"{name} {UUIDS.get(mark) or mark.hex()}"
    return element(f"MP4 box {name}", end - body, content, _texts(place, kind, content))


def _texts(place: _Place, kind: bytes, content: bytes) -> Iterator[bytes]:
    """Where the words of a box may stand: all of it, behind a language, behind the heads of what is in it."""
    if place.kind == b"ilst":
        data = content.rfind(b"data") if kind == b"----" else 4
        yield content[data + 12 :] if data > 0 else b""
    elif place.kind in (b"udta", b"entry"):
        yield from (content, content[4:], content[6:])
        if content[:4] == b"\0\0\0\0":  # 3GPP: a place's coordinates, a rating and more stand before and behind
            yield content[6:].partition(b"\0")[0]
