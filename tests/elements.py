"""Elements of containers as tests write them: boxes, EBML, chunks, KLV, and a dozen kinds that no rule knows."""

import struct

UNKNOWN = [f"zz{a}{b}".encode() for a in "ABCD" for b in "xyz"]
"""A dozen kinds that no rule knows, of four letters each."""
DARK = [bytes.fromhex(f"060e2b3402530101 0f0f0f0f000000{n:02x}") for n in range(12)]
"""A dozen keys of sets of MXF that no rule knows."""


def box(kind, content=b""):
    """A box of an ISO base media file."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def ebml(kind, content=b""):
    """An element of Matroska, its size in two bytes."""
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (0x4000 | len(content)).to_bytes(2, "big") + content


def chunk(kind, content=b""):
    """A chunk of RIFF."""
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)


def klv(key, content=b""):
    """An element of MXF."""
    return key + b"\x83" + len(content).to_bytes(3, "big") + content
