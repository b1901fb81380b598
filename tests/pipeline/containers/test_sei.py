"""Messages in coded pictures: what says of fields is found in x264's own, and nothing else is touched."""

import pytest

from pipeline.containers.sei import STRUCTURES, with_fields


@pytest.mark.parametrize("word", STRUCTURES)
@pytest.mark.parametrize("coded", STRUCTURES)
def test_a_pictures_fields_are_said(word, coded):
    """One byte of a packet changes; the encoder's own messages and the picture stay."""
    head, tail = b"\0\0\1\x06\x05\x04\x01\x01\x01\x01\x80\0\0\1\x06\x01\x01", b"\x80\0\0\0\1\x65\x06\x01\x01\x01"
    packet = head + bytes([STRUCTURES[coded]]) + tail
    assert with_fields(packet, word) == head + bytes([STRUCTURES[word]]) + tail


@pytest.mark.parametrize("packet", [b"", b"\0\0\1\x65picture", b"\0\0\1\x06\x01\x01\x99\x80", b"\0\0\1\x06\x01\x01"])
def test_what_says_nothing_is_refused(packet):
    """Another encoder, or x264 without fields."""
    with pytest.raises(ValueError, match="message"):
        with_fields(packet, "tff")
