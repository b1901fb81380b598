"""A source's XMP packet keeps every word, and says where its colors come from."""

from xml.dom import minidom

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metadata.xmp import IPTC, RDF, ai_mark, merge
from pipeline.values.source_type import SOURCE_TYPE

DC = "http://purl.org/dc/elements/1.1/"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm"


def packet(inside, about="", around=True, attributes=""):
    """An XMP packet with properties in one description."""
    rdf = (
        f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="{about}" xmlns:dc="{DC}" xmlns:ext="{IPTC}" '
        f"{attributes}>{inside}</rdf:Description></rdf:RDF>"
    )
    if not around:
        return rdf.encode()
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf}</x:xmpmeta>'
        f"{' ' * 200}\n<?xpacket end='w'?>"
    ).encode()


def values(xmp, name, namespace=IPTC):
    """Values of a property in the packet, attributes and elements alike."""
    document = minidom.parseString(xmp)
    found = [
        node.firstChild.data if node.firstChild else "" for node in document.getElementsByTagNameNS(namespace, name)
    ]
    described = document.getElementsByTagNameNS(RDF, "Description")
    return found + [d.getAttributeNS(namespace, name) for d in described if d.hasAttributeNS(namespace, name)]


@pytest.mark.parametrize("source", [None, b"", b"\0\0", b" \n"], ids=repr)
def test_without_a_packet_there_is_one(source):
    """A source without XMP gets a packet that holds the mark only, and nothing was lost."""
    xmp, lost = merge(source, ai_mark())
    assert values(xmp, "DigitalSourceType") == [SOURCE_TYPE]
    assert lost == []


@pytest.mark.parametrize("around", [True, False])
def test_all_else_stays_byte_for_byte(around):
    """Prefixes, comments, character references, CDATA, padding: the packet less the mark is the source's."""
    inside = "<dc:title><!-- é -->a&#10;b <![CDATA[<&]]></dc:title>"
    source = packet(inside, "uuid:1&amp;2", around, 'dc:history="one&#xA;two > one"')
    xmp, lost = merge(source, ai_mark())
    start = xmp.index(b"<rdf:Description xmlns:rdf=")
    stop = xmp.index(b"</rdf:Description>\n", start) + len(b"</rdf:Description>\n")
    assert xmp[:start] + xmp[stop:] == source
    assert b'rdf:about="uuid:1&amp;2"' in xmp[start:stop]
    assert lost == []


@pytest.mark.parametrize("source", [
    packet(f"<ext:DigitalSourceType>{CAMERA}</ext:DigitalSourceType><dc:format>tiff</dc:format>"),
    packet(f'<ext:DigitalSourceType rdf:resource="a > b">{CAMERA}</ext:DigitalSourceType ><dc:format>tiff</dc:format>'),
    packet("<dc:format>tiff</dc:format>", attributes=f'dc:a="x > y"\n ext:DigitalSourceType\n=\n\'{CAMERA}\' dc:b="z"'),
])  # fmt: skip
def test_an_earlier_origin_is_replaced_and_named(source):
    """One origin stands in the packet, the new one, whatever the form of the old one, which is named."""
    xmp, lost = merge(source, ai_mark())
    assert values(xmp, "DigitalSourceType") == [SOURCE_TYPE]
    assert values(xmp, "format", DC) == ["tiff"]
    assert len(lost) == 1
    assert CAMERA in lost[0].why
    assert lost[0].name == "XMP DigitalSourceType"


def test_several_earlier_values_go():
    """Each of them, from wherever it stands, and nothing between them."""
    inside = f"<dc:a>1</dc:a><ext:AISystemUsed>x</ext:AISystemUsed><dc:b>2</dc:b><ext:DigitalSourceType>{CAMERA}"
    xmp, lost = merge(packet(f"{inside}</ext:DigitalSourceType><dc:c>3</dc:c>"), ai_mark("y"))
    assert [values(xmp, name, DC) for name in "abc"] == [["1"], ["2"], ["3"]]
    assert values(xmp, "DigitalSourceType") == [SOURCE_TYPE]
    assert len(values(xmp, "AISystemUsed")) == 1
    assert sorted(loss.name for loss in lost) == ["XMP AISystemUsed", "XMP DigitalSourceType"]


def test_an_empty_property_is_replaced():
    """An element without content goes too, and what follows it stays."""
    xmp, _ = merge(packet('<ext:DigitalSourceType a=">"/><dc:format>tiff</dc:format>'), ai_mark())
    assert values(xmp, "DigitalSourceType") == [SOURCE_TYPE]
    assert values(xmp, "format", DC) == ["tiff"]


def test_what_another_picture_was_stays():
    """The origin of an ingredient, deeper in the packet, is not the picture's."""
    inner = (
        f"<dc:part><rdf:Description><ext:DigitalSourceType>{CAMERA}</ext:DigitalSourceType></rdf:Description></dc:part>"
    )
    xmp, lost = merge(packet(inner), ai_mark())
    assert values(xmp, "DigitalSourceType") == [CAMERA, SOURCE_TYPE]
    assert lost == []


@pytest.mark.parametrize("tag", [f'<rdf:RDF xmlns:rdf="{RDF}"/>', f'<q:RDF a=">" xmlns:q="{RDF}" />'])
def test_an_empty_packet(tag):
    """An RDF element without content is filled."""
    xmp, lost = merge(tag.encode(), ai_mark("chromatheque 1 & weights", "2"))
    assert values(xmp, "DigitalSourceType") == [SOURCE_TYPE]
    assert values(xmp, "AISystemUsed") == ["chromatheque 1 & weights"]
    assert values(xmp, "AISystemVersionUsed") == ["2"]
    assert lost == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_other_encodings_become_utf_8(encoding):
    """XMP in TIFF is UTF-8: a packet in another Unicode form is rewritten, its declaration too, its words kept."""
    text = '<?xml version="1.0" encoding="UTF-16"?>' + packet("<dc:title>写真 é</dc:title>", around=False).decode()
    xmp, lost = merge(text.encode(encoding) + (b"\0" if encoding == "utf-8-sig" else b""), ai_mark())
    assert values(xmp, "title", DC) == ["写真 é"]
    assert values(xmp, "DigitalSourceType") == [SOURCE_TYPE]
    assert lost == []


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + packet("&b;", around=False)


@pytest.mark.parametrize(("source", "why"), [
    (BOMB, "DOCTYPE"),
    (b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + packet(""), "DOCTYPE"),
    (packet("<dc:title>"), "not well-formed"),
    (packet("&undefined;"), "not well-formed"),
    (packet("\xe9").decode().encode("latin-1", "replace"), "not utf-8"),
    (b"<a>" * 5000, "nested too deep"),
    (b"<html/>", "no rdf:RDF"),
    (b"GIF89a", "not well-formed"),
    (packet("", attributes='xmlns:b="urn:b" b:DigitalSourceType="" ext:DigitalSourceType=""'), "told apart"),
], ids=range(9))  # fmt: skip
def test_what_is_no_xmp_is_left_out_and_named(source, why):
    """Entities, broken markup, other text: none of it is written, the mark is, and the loss is named."""
    xmp, lost = merge(source, ai_mark())
    assert xmp == merge(None, ai_mark())[0]
    assert len(lost) == 1
    assert why in str(lost[0])
    assert lost[0].name == "XMP"


def test_a_huge_packet():
    """Megabytes of editing history pass."""
    inside = "<dc:title>" + "".join(f"<dc:li>{n}</dc:li>" for n in range(200_000)) + "</dc:title>"
    xmp, lost = merge(packet(inside), ai_mark())
    assert inside.encode() in xmp
    assert lost == []


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.text("<>/&;:!ax=\"' ", max_size=60).map(
    lambda text: packet(text)
))  # fmt: skip
def test_whatever_comes_the_mark_is_there(source):
    """Any bytes give a well-formed packet with the mark."""
    xmp, _ = merge(source, ai_mark())
    assert SOURCE_TYPE in values(xmp, "DigitalSourceType")
