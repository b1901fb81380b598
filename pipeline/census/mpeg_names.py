"""Names of what MPEG transport and program streams hold: streams, tables and descriptors (ISO 13818-1, EN 300 468)."""

from __future__ import annotations

PLAYED = {
    0x01: "MPEG-1 video", 0x02: "MPEG-2 video", 0x03: "MPEG-1 audio", 0x04: "MPEG-2 audio", 0x0F: "AAC audio",
    0x10: "MPEG-4 video", 0x11: "LATM audio", 0x1B: "H.264 video", 0x1C: "MPEG-4 audio", 0x1F: "SVC video",
    0x20: "MVC video", 0x21: "JPEG 2000 video", 0x24: "H.265 video", 0x32: "JPEG XS video", 0x33: "H.266 video",
    0x42: "AVS video", 0xD1: "Dirac video", 0xD2: "AVS2 video", 0xD4: "AVS3 video", 0xEA: "VC-1 video",
}  # fmt: skip
"""Stream types of pictures and sound: each is a track, and told as one."""
DATA = {
    0x05: "private sections", 0x08: "DSM-CC", 0x09: "auxiliary data", 0x0A: "DSM-CC multi-protocol encapsulation",
    0x0B: "DSM-CC messages", 0x0C: "DSM-CC stream descriptors", 0x0D: "DSM-CC sections", 0x0E: "auxiliary data",
    0x12: "MPEG-4 scenes", 0x13: "MPEG-4 scenes in sections", 0x14: "DSM-CC downloads", 0x15: "metadata",
    0x16: "metadata in sections", 0x17: "metadata in a data carousel", 0x18: "metadata in an object carousel",
    0x19: "metadata in a download", 0x1A: "IPMP", 0x1D: "MPEG-4 text", 0x1E: "auxiliary video", 0x27: "IPMP",
    0x86: "SCTE-35 splice information", 0xC0: "DigiCipher text", 0xC2: "isochronous data",
}  # fmt: skip
"""Stream types that are neither."""
USERS = {
    0x80: "video or LPCM sound", 0x81: "AC-3 audio", 0x82: "subtitles or DTS", 0x83: "TrueHD audio", 0x84: "E-AC-3",
    0x85: "DTS-HD audio", 0x87: "E-AC-3 audio", 0x90: "presentation graphics", 0x91: "interactive graphics",
    0x92: "text subtitles", 0xA1: "E-AC-3 audio", 0xA2: "DTS audio",
}  # fmt: skip
"""Stream types of users, as ATSC, SCTE and Blu-ray have them: tracks, if FFmpeg takes them for such."""
BY_DESCRIPTOR = {
    0x45: "VBI data", 0x46: "VBI teletext", 0x56: "teletext", 0x59: "DVB subtitles", 0x66: "data broadcast",
    0x6A: "AC-3 audio", 0x6F: "application signalling", 0x74: "related content", 0x7A: "E-AC-3 audio",
    0x7B: "DTS audio", 0x7C: "AAC audio", 0x7F: "DVB stream", 0xFD: "ARIB captions",
}  # fmt: skip
"""Descriptors that say what a stream of private packets is."""

TABLES = {
    0x01: "conditional access", 0x03: "transport stream description", 0x40: "network information",
    0x41: "network information of another network", 0x46: "services of another transport stream",
    0x4A: "bouquet association", 0x4E: "present and following events",
    0x4F: "present and following events of another transport stream", 0x70: "time and date", 0x71: "running status",
    0x72: "stuffing", 0x73: "time offset", 0x74: "application information", 0x7F: "selection information",
    0xC7: "ATSC master guide", 0xC8: "ATSC channels", 0xC9: "ATSC cable channels", 0xCA: "ATSC ratings",
    0xCB: "ATSC events", 0xCC: "ATSC text", 0xCD: "ATSC system time", 0xFC: "SCTE-35 splice information",
}  # fmt: skip
SCHEDULES = range(0x50, 0x70)

DESCRIPTORS = {
    0x09: "conditional access", 0x0D: "copyright", 0x13: "carousel identifier", 0x14: "association tag",
    0x25: "metadata pointer", 0x26: "metadata", 0x45: "VBI data", 0x46: "VBI teletext", 0x49: "country availability",
    0x4A: "linkage", 0x4B: "near video on demand", 0x4C: "time-shifted service", 0x50: "component", 0x51: "mosaic",
    0x53: "conditional access identifier", 0x54: "content", 0x55: "parental rating", 0x58: "local time offset",
    0x5D: "multilingual service name", 0x5E: "multilingual component", 0x5F: "private data specifier",
    0x64: "data broadcast", 0x66: "data broadcast identifier", 0x6F: "application signalling",
    0x71: "service identifier", 0x72: "service availability", 0x73: "default authority", 0x74: "related content",
    0x7D: "XAIT location", 0x7E: "free-to-air content management", 0x7F: "extension", 0x80: "stuffing",
    0x86: "ATSC captions", 0x87: "ATSC content advisory", 0x89: "ATSC frame rate", 0x8A: "SCTE-35 cue identifier",
    0xA0: "ATSC extended channel name", 0xA2: "ATSC data service", 0xA3: "ATSC component name", 0xAA: "ATSC rights",
}  # fmt: skip
RULES = frozenset({
    *range(0x02, 0x09), 0x0A, 0x0B, 0x0C, 0x0E, 0x0F, 0x10, 0x11, 0x12, *range(0x1B, 0x25), 0x27, 0x28, 0x2A, 0x2B,
    0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x31, 0x32, 0x38, 0x39, 0x42, 0x52, 0x56, 0x59, 0x6A, 0x7A, 0x7B, 0x7C, 0x81, 0xFD,
})  # fmt: skip
"""Descriptors of a program's map that say how its streams are coded, multiplexed and timed, or their language, which
another check compares."""


def table_name(table: int) -> str:
    """A table by its number, as people may read it."""
    known = "schedule of events" if table in SCHEDULES else TABLES.get(table, "")
    return f"0x{table:02X} {known}".rstrip()


def descriptor_name(tag: int) -> str:
    """A descriptor by its tag."""
    return f"0x{tag:02X} {DESCRIPTORS.get(tag, '')}".rstrip()
