"""MXF's sets and properties that are rules: of coding, of the file itself, or compared (SMPTE ST 377-1, annexes A, F).

Local tags stand for properties; those from 8000 on have their meaning in the file's own primer, and are named.
"""

from __future__ import annotations

SETS: dict[int, str] = {
    0x09: "DefaultObject", 0x0F: "Sequence", 0x11: "SourceClip", 0x14: "TimecodeComponent", 0x18: "ContentStorage",
    0x23: "EssenceContainerData", 0x25: "FileDescriptor", 0x27: "GenericPictureEssenceDescriptor",
    0x28: "CDCIEssenceDescriptor", 0x29: "RGBAEssenceDescriptor", 0x2F: "Preface", 0x30: "Identification",
    0x36: "MaterialPackage", 0x37: "SourcePackage", 0x3A: "EventTrack", 0x39: "StaticTrack", 0x3B: "Track",
    0x3F: "TaggedValue", 0x42: "GenericSoundEssenceDescriptor", 0x43: "GenericDataEssenceDescriptor",
    0x44: "MultipleDescriptor", 0x47: "AES3PCMDescriptor", 0x48: "WaveAudioDescriptor", 0x51: "MPEG2VideoDescriptor",
    0x5A: "JPEG2000SubDescriptor", 0x67: "ContainerConstraintsSubDescriptor", 0x6E: "AVCSubDescriptor",
}  # fmt: skip
"""Sets of structural metadata by the 15th byte of their key. Any other is named, with the whole of its key."""

PROPERTIES: frozenset[int] = frozenset({
    0x3C0A, 0x0102, 0x0201, 0x0202,
    *range(0x1001, 0x1003), *range(0x1101, 0x1104), *range(0x1201, 0x1203), *range(0x1501, 0x1504), 0x1901, 0x1902,
    0x2701, *range(0x3001, 0x3007), *range(0x3201, 0x321D), 0x3D01, 0x3D02, 0x3D03, 0x3D04, 0x3D05, 0x3D06, 0x3D07,
    *range(0x3D09, 0x3D10), *range(0x3301, 0x3310), *range(0x3401, 0x3409), *range(0x3B02, 0x3B0D),
    *range(0x3C01, 0x3C0A), 0x3F01, 0x3F06, 0x3F07, *range(0x4401, 0x4406), 0x4701, *range(0x4801, 0x4805), 0x4B01,
    0x4B02, 0x5001, 0x5003, 0x3E01, 0x3E02, 0x6101,
})  # fmt: skip
"""Local tags of ST 377-1 and 382 that say how samples are coded, laid out and timed, or name program and file."""
FIELDS: dict[int, str] = {
    0x320A: "DisplayXOffset", 0x320B: "DisplayYOffset", 0x3218: "ActiveFormatDescriptor", 0x3D04: "AudioRefLevel",
    0x3D05: "ElectroSpatialFormulation", 0x3D0C: "DialNorm",
}  # fmt: skip
"""Properties among these that no output holds; 0 says nothing."""
DATES: dict[int, str] = {0x3B02: "LastModifiedDate", 0x4404: "PackageModifiedDate", 0x4405: "PackageCreationDate"}
"""Properties among these that say when; those that a tag says too are compared with it."""
RULES = tuple(map(bytes.fromhex, ("0420040101", "0e200401050301", "040405", "0601010406", "04010602", "04010603")))
"""Of labels of a file's own tags, from their ninth byte on: mastering display and light levels, which another check
compares; where partitions and index tables lie; links between sets; and how MPEG-2 and JPEG 2000 are coded."""
