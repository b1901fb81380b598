"""Objects of ASF files by their GUIDs: names, and which of them are rules (Advanced Systems Format, 01.20.06)."""

from __future__ import annotations

from uuid import UUID


def _by_guid(names: dict[str, str]) -> dict[bytes, str]:
    """Names by the GUIDs as they stand in files."""
    return {UUID(text).bytes_le: name for text, name in names.items()}


HEADER = UUID("75B22630-668E-11CF-A6D9-00AA0062CE6C").bytes_le
EXTENSION = UUID("5FBF03B5-A92E-11CF-8EE3-00C00C205365").bytes_le
CONTENT = UUID("75B22633-668E-11CF-A6D9-00AA0062CE6C").bytes_le
EXTENDED = UUID("D2D0A440-E307-11D2-97F0-00A0C95EA850").bytes_le
METADATA = UUID("C5F8CBEA-5BAF-4877-8467-AA8C44FA4CCA").bytes_le
LIBRARY = UUID("44231C94-9498-49D1-A141-1D134E457054").bytes_le
FILE = UUID("8CABDCA1-A947-11CF-8EE4-00C00C205365").bytes_le
STREAM = UUID("B7DC0791-A9B7-11CF-8EE6-00C00C205365").bytes_le
PROPERTIES = UUID("14E6A5CB-C672-4332-8399-A96952065B5A").bytes_le

KNOWN = frozenset(
    UUID(text).bytes_le
    for text in (
        "75B22636-668E-11CF-A6D9-00AA0062CE6C",
        "33000890-E5B1-11CF-89F4-00A0C90349CB", "D6E229D3-35DA-11D1-9034-00A0C90349BE",
        "D6E229DF-35DA-11D1-9034-00A0C90349BE",
        "FEB103F8-12AD-4C64-840F-2A1D2F7AD48C", "3CB73FD0-0C4A-4803-953D-EDF7B6228F0C",
        "86D15240-311D-11D0-A3A4-00A0C90348F6", "F487CD01-A951-11CF-8EE6-00C00C205365",
        "7BF875CE-468D-11D1-8D82-006097C9A2B2", "1806D474-CADF-4509-A4BA-9AABCB96AAE8",
        "7C4346A9-EFE0-4BFC-B229-393EDE415C85", "6B203BAD-3F11-48E4-ACA8-D7613DE2CFA7",
        "F55E496D-9797-4B5D-8C8B-604DFE9BFB24", "26F18B5D-4584-47EC-9F5F-0E651F0452C9",
        "D9AADE20-7C17-4F9C-BC28-8555DD98E2A2",
    )
)  # fmt: skip
"""Data, indexes and their parameters, markers (chapters, which are compared), codecs, bit rates,
languages (compared), padding, compatibility."""
NAMES = _by_guid(
    {
        "1EFB1A30-0B62-11D0-A39B-00A0C90348F6": "ScriptCommand",
        "D6E229DC-35DA-11D1-9034-00A0C90349BE": "BitrateMutualExclusion",
        "75B22635-668E-11CF-A6D9-00AA0062CE6C": "ErrorCorrection",
        "2211B3FA-BD23-11D2-B4B7-00A0C955FC6E": "ContentBranding",
        "2211B3FB-BD23-11D2-B4B7-00A0C955FC6E": "ContentEncryption",
        "298AE614-2622-4C17-B935-DAE07EE9289C": "ExtendedContentEncryption",
        "2211B3FC-BD23-11D2-B4B7-00A0C955FC6E": "DigitalSignature",
        "A08649CF-4775-4670-8A16-6E35357566CD": "AdvancedMutualExclusion",
        "D1465A40-5A79-4338-B71B-E36B8FD6C249": "GroupMutualExclusion",
        "D4FED15B-88D3-454F-81F0-ED5C45999E24": "StreamPrioritization",
        "A69609E6-517B-11D2-B6AF-00C04FD908E9": "BandwidthSharing",
        "43058533-6981-49E6-9B74-AD12CB86D58C": "AdvancedContentEncryption",
        "B7DC0791-A9B7-11CF-8EE6-00C00C205365": "StreamProperties",
    }
)
STREAM_KINDS = {
    UUID(text).bytes_le
    for text in ("F8699E40-5B4D-11CF-A8FD-00805F5C442B", "BC19EFC0-5B4D-11CF-A8FD-00805F5C442B")
}  # fmt: skip
"""Kinds of streams that are tracks and told as such: sound and picture."""
OF_STREAMS = _by_guid(
    {
        "59DACFC0-59E6-11D0-A3AC-00A0C90348F6": "commands", "B61BE100-5B4E-11CF-A8FD-00805F5C442B": "JFIF pictures",
        "35907DE0-E415-11CF-A917-00805F5C442B": "degradable JPEG pictures",
        "91BD222C-F21C-497A-8B6D-5AA86BFC0185": "files", "3AFB65E2-47EF-40F2-AC2C-70A90D71D343": "binary data",
    }
)  # fmt: skip
PAYLOADS = _by_guid(
    {
        "399595EC-8667-4E2D-8FDB-98814CE76C1E": "time codes", "E165EC0E-19ED-45D7-B4A7-25CBD1E28E9B": "file names",
        "D590DC20-07BC-436C-9CF7-F3BBFBF1A4DC": "content types",
    }
)  # fmt: skip
"""What may stand beside each sample and says something of the film; others say how it is to be shown (duration,
aspect), which FFmpeg reads."""
VALUES = frozenset({
    "WMFSDKVersion", "WMFSDKNeeded", "IsVBR", "DeviceConformanceTemplate", "WM/WMADRCPeakReference",
    "WM/WMADRCAverageReference", "WM/WMADRCPeakTarget", "WM/WMADRCAverageTarget", "NumberOfFrames", "WM/Picture",
    "AspectRatioX", "AspectRatioY", "PeakValue", "AverageLevel", "VBR Peak", "Buffer Average", "WM/ToolName",
    "WM/ToolVersion", "WM/EncodingSettings",
})  # fmt: skip
"""Values that say how samples are coded, what wrote the file, or are compared elsewhere: a pixel's shape, covers."""
