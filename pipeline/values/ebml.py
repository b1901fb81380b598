"""EBML's own elements by number (RFC 8794, section 11), and Matroska's Segment, for all that read or write them."""

EBML = 0x1A45DFA3
CRC_32 = 0xBF
VOID = 0xEC
SEGMENT = 0x18538067
"""Matroska's, here because it alone may have no size."""
