"""Matroska's elements by number and name (RFC 9559), and which of them are rules: of coding, or compared elsewhere."""

from __future__ import annotations

RULES = """
Segment: =114D9B74:SeekHead +1549A966:Info +1F43B675:Cluster +1654AE6B:Tracks =1C53BB6B:Cues +1941A469:Attachments
Segment: +1043A770:Chapters +1254C367:Tags
Info: =73A4:SegmentUUID 7384:SegmentFilename 3CB923:PrevUUID 3C83AB:PrevFilename 3EB923:NextUUID 3E83BB:NextFilename
Info: 4444:SegmentFamily 6924:ChapterTranslate =2AD7B1:TimestampScale =4489:Duration =4461:DateUTC =7BA9:Title
Info: =4D80:MuxingApp =5741:WritingApp
Cluster: =E7:Timestamp 5854:SilentTracks =A7:Position =AB:PrevSize =A3:SimpleBlock +A0:BlockGroup AF:EncryptedBlock
BlockGroup: =A1:Block A2:BlockVirtual +75A1:BlockAdditions =9B:BlockDuration FA:ReferencePriority =FB:ReferenceBlock
BlockGroup: FD:ReferenceVirtual A4:CodecState =75A2:DiscardPadding 8E:Slices C8:ReferenceFrame
BlockAdditions: +A6:BlockMore
BlockMore: A5:BlockAdditional EE:BlockAddID
Tracks: +AE:TrackEntry
TrackEntry: =D7:TrackNumber =73C5:TrackUID =83:TrackType B9:FlagEnabled =88:FlagDefault =55AA:FlagForced
TrackEntry: =55AB:FlagHearingImpaired =55AC:FlagVisualImpaired =55AD:FlagTextDescriptions =55AE:FlagOriginal
TrackEntry: =55AF:FlagCommentary =9C:FlagLacing =6DE7:MinCache =6DF8:MaxCache =23E383:DefaultDuration
TrackEntry: 234E7A:DefaultDecodedFieldDuration 23314F:TrackTimestampScale 537F:TrackOffset =55EE:MaxBlockAdditionID
TrackEntry: 41E4:BlockAdditionMapping =536E:Name =22B59C:Language 22B59D:LanguageBCP47 =86:CodecID =63A2:CodecPrivate
TrackEntry: 258688:CodecName 7446:AttachmentLink 3A9697:CodecSettings 3B4040:CodecInfoURL 26B240:CodecDownloadURL
TrackEntry: AA:CodecDecodeAll 6FAB:TrackOverlay =56AA:CodecDelay =56BB:SeekPreRoll 6624:TrackTranslate +E0:Video
TrackEntry: +E1:Audio E2:TrackOperation C0:TrickTrackUID C1:TrickTrackSegmentUID C6:TrickTrackFlag
TrackEntry: C7:TrickMasterTrackUID C4:TrickMasterTrackSegmentUID +6D80:ContentEncodings
ContentEncodings: +6240:ContentEncoding
ContentEncoding: =5031:ContentEncodingOrder =5032:ContentEncodingScope =5033:ContentEncodingType
ContentEncoding: =5034:ContentCompression 5035:ContentEncryption
Video: =9A:FlagInterlaced =9D:FieldOrder =53B8:StereoMode 53C0:AlphaMode 53B9:OldStereoMode =B0:PixelWidth
Video: =BA:PixelHeight =54AA:PixelCropBottom =54BB:PixelCropTop =54CC:PixelCropLeft =54DD:PixelCropRight
Video: =54B0:DisplayWidth =54BA:DisplayHeight 54B2:DisplayUnit 54B3:AspectRatioType =2EB524:UncompressedFourCC
Video: 2FB523:GammaValue =2383E3:FrameRate +55B0:Colour =7670:Projection
Colour: =55B1:MatrixCoefficients =55B2:BitsPerChannel =55B3:ChromaSubsamplingHorz =55B4:ChromaSubsamplingVert
Colour: =55B5:CbSubsamplingHorz =55B6:CbSubsamplingVert 55B7:ChromaSitingHorz 55B8:ChromaSitingVert =55B9:Range
Colour: =55BA:TransferCharacteristics =55BB:Primaries 55BC:MaxCLL 55BD:MaxFALL 55D0:MasteringMetadata
Audio: =B5:SamplingFrequency =78B5:OutputSamplingFrequency =9F:Channels 7D7B:ChannelPositions =6264:BitDepth
Audio: 52F1:Emphasis
Attachments: +61A7:AttachedFile
AttachedFile: 467E:FileDescription =466E:FileName =4660:FileMediaType =465C:FileData =46AE:FileUID 4675:FileReferral
AttachedFile: 4661:FileUsedStartTime 4662:FileUsedEndTime
Chapters: +45B9:EditionEntry
EditionEntry: =45BC:EditionUID =45BD:EditionFlagHidden =45DB:EditionFlagDefault =45DD:EditionFlagOrdered
EditionEntry: +4520:EditionDisplay +B6:ChapterAtom
ChapterAtom: =73C4:ChapterUID =5654:ChapterStringUID =91:ChapterTimeStart =92:ChapterTimeEnd =98:ChapterFlagHidden
ChapterAtom: =4598:ChapterFlagEnabled =6E67:ChapterSegmentUUID =4588:ChapterSkipType =6EBC:ChapterSegmentEditionUID
ChapterAtom: =63C3:ChapterPhysicalEquiv +8F:ChapterTrack +80:ChapterDisplay +6944:ChapProcess +B6:ChapterAtom
ChapterDisplay: =85:ChapString =437C:ChapLanguage =437D:ChapLanguageBCP47 =437E:ChapCountry
Tags: +7373:Tag
Tag: +63C0:Targets +67C8:SimpleTag
Targets: =68CA:TargetTypeValue =63CA:TargetType =63C5:TagTrackUID =63C9:TagEditionUID =63C4:TagChapterUID
Targets: =63C6:TagAttachmentUID =63C7:TagBlockAddIDValue
SimpleTag: =45A3:TagName =447A:TagLanguage =447B:TagLanguageBCP47 =4484:TagDefault =44B4:TagDefaultBogus
SimpleTag: =4487:TagString
SimpleTag: =4485:TagBinary +67C8:SimpleTag
ChapterTrack: =89:ChapterTrackUID
ChapProcess: =6955:ChapProcessCodecID =450D:ChapProcessPrivate +6911:ChapProcessCommand
ChapProcessCommand: =6922:ChapProcessTime =6933:ChapProcessData
EditionDisplay: =4521:EditionString =45E4:EditionLanguageIETF
"""
"""Of each element those that it may hold. =: of coding, or compared, as all of chapters and tags is; +: gone into. Any
other is named, and what it holds with it."""

NAMES: dict[tuple[str, int], str] = {}
KNOWN: set[tuple[str, int]] = set()
DEEPER: set[tuple[str, int]] = set()
for _line in RULES.split("\n"):
    _parent, _, _children = _line.partition(": ")
    for _child in _children.split():
        _number, _, _name = _child.lstrip("=+").partition(":")
        _key = (_parent, int(_number, 16))
        NAMES[_key] = _name
        KNOWN.update([_key] * _child.startswith("="))
        DEEPER.update([_key] * _child.startswith("+"))

UNSAID: dict[str, tuple[bytes, ...]] = {
    "FlagEnabled": (b"\1",), "CodecDecodeAll": (b"\1",), "AspectRatioType": (b"\0",), "AlphaMode": (b"\0",),
    "ReferencePriority": (b"\0",), "TrackTimestampScale": (b"\x3f\x80\0\0",), "TrackOffset": (b"\0",),
    "BlockAddID": (b"\1",), "ChromaSitingHorz": (b"\0",), "ChromaSitingVert": (b"\0",), "Emphasis": (b"\0",),
    "LanguageBCP47": (b"und",), "DisplayUnit": (b"\0", b"\3", b"\4"),
}  # fmt: skip
"""What an element that is not there means, too (RFC 9559): one that says it says nothing. Of units in which a picture's
size is told, pixels and shapes are compared; centimeters and inches are not held."""
