"""EBML's own elements by number (RFC 8794, section 11), and those of Matroska that more than one room knows."""

EBML = 0x1A45DFA3
CRC_32 = 0xBF
VOID = 0xEC
SEGMENT = 0x18538067
"""Matroska's, which alone may have no size."""
CHROMATICITIES = range(0x55D1, 0x55D9)
"""Of MasteringMetadata: x and y of red, green, blue and white."""
LUMINANCE_MAX, LUMINANCE_MIN = 0x55D9, 0x55DA
