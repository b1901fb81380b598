"""XMP that a JPEG carries in several segments, joined again (XMP part 3, 1.1.3.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.parsers import expat

from pipeline.values.loss import Loss
from pipeline.values.words import in_bytes

MARK = b"http://ns.adobe.com/xmp/extension/\0"
MOST = 1 << 24
"""Bytes of extended XMP that are joined."""
NOTE = re.compile(
    rb"""\s+xmpNote:HasExtendedXMP\s*=\s*(["'])([^"']*)\1|<xmpNote:HasExtendedXMP>([^<]*)</xmpNote:HasExtendedXMP>"""
)
"""By which a packet points to the rest of it."""
RDF = re.compile(rb"<rdf:RDF\s+xmlns:rdf\s*=\s*[\"'][^\"']*[\"']\s*>(.*)</rdf:RDF>", re.DOTALL)


def joined(packet: bytes, segments: Sequence[bytes]) -> tuple[bytes, list[Loss]]:
    """A packet with what its extension says, and without the note that points there; what could not be joined.

    segments: contents that begin with MARK. Nothing else of the packet is changed.
    """
    note = NOTE.search(packet)
    if note is None:
        return packet, [Loss("XMP beyond 64 KB", "no packet points to it")] if segments else []
    plain = packet[: note.start()] + packet[note.end() :]
    inner = RDF.search(_extension((note[2] or note[3]).strip(), segments))
    at = plain.rfind(b"</rdf:RDF>")
    whole = plain[:at] + inner[1] + plain[at:] if inner is not None and at >= 0 else b""
    if whole and _well_formed(whole):
        return whole, []
    return plain, [Loss("XMP beyond 64 KB", f"{in_bytes(sum(map(len, segments)))} that cannot be joined")]


def _extension(guid: bytes, segments: Sequence[bytes]) -> bytes:
    """The extension of this name, in one piece; empty if it is not all there."""
    at = len(MARK)
    mine = [s for s in segments if s[at : at + 32] == guid and len(s) > at + 40]
    parts = {int.from_bytes(s[at + 36 : at + 40], "big"): s[at + 40 :] for s in mine}
    found = b"".join(parts[place] for place in sorted(parts))
    size = int.from_bytes(mine[0][at + 32 : at + 36], "big") if mine else -1
    return found if len(found) == size <= MOST else b""


def _well_formed(packet: bytes) -> bool:
    try:
        expat.ParserCreate().Parse(packet.strip(b"\0 \t\r\n"), True)
    except expat.ExpatError:
        return False
    return True
