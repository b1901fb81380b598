"""XMP beyond 64 KB of a JPEG: joined where it is all there; the note that points to it never stays."""

import pytest

from pipeline.metadata.blocks import jpeg_blocks
from pipeline.metadata.extended_xmp import MARK

RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
GUID = b"0123456789ABCDEF0123456789ABCDEF"
NOTES = (
    b'<rdf:Description xmlns:xmpNote="n" xmpNote:HasExtendedXMP="' + GUID + b'"/>',
    b'<rdf:Description xmlns:xmpNote="n"><xmpNote:HasExtendedXMP>'
    + GUID
    + b"</xmpNote:HasExtendedXMP></rdf:Description>",
)
LONG = b'<rdf:Description xmlns:a="b"><a:story>' + b"long " * 40_000 + b"</a:story></rdf:Description>"


def jpeg(note, extension, size=None):
    """The segments of a JPEG with a packet and its extension in three parts."""
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + RDF + note + b"</rdf:RDF></x:xmpmeta>"
    step = len(extension) // 3 + 1
    segments = [b"http://ns.adobe.com/xap/1.0/\0" + packet]
    for at in range(0, len(extension), step):
        place = (size or len(extension)).to_bytes(4, "big") + at.to_bytes(4, "big")
        segments.append(MARK + GUID + place + extension[at : at + step])
    return b"\xff\xd8" + b"".join(b"\xff\xe1" + (len(s) + 2).to_bytes(2, "big") + s for s in segments) + b"\xff\xd9"


@pytest.mark.parametrize("note", NOTES)
def test_parts_are_joined(note):
    """All that the extension says stands in the one packet, and no note."""
    blocks = jpeg_blocks(jpeg(note, RDF + LONG[:150_000] + b"</a:story></rdf:Description></rdf:RDF>"))
    assert LONG[:150_000] in blocks.xmp
    assert b"HasExtendedXMP" not in blocks.xmp
    assert blocks.lost == ()


@pytest.mark.parametrize("extension", [b"<rdf:RDF>" * 20, RDF + b"<a></rdf:RDF>", b"no XMP at all"])
def test_what_cannot_be_joined_is_named(extension):
    """The packet stays as it is, without the note."""
    for size in (None, 10_000):
        blocks = jpeg_blocks(jpeg(NOTES[0], extension, size))
        assert blocks.xmp.endswith(b'xmlns:xmpNote="n"/></rdf:RDF></x:xmpmeta>')
        assert [loss.name for loss in blocks.lost] == ["XMP beyond 64 KB"]
