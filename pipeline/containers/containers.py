"""Containers of outputs as values: what each kind of file holds beside its picture, and how it is written.

What can be tried is not written down here: which languages, titles, flags, chapters and codecs a container takes is
found by `pipeline.containers.holding`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipeline.containers import covers, matroska, mxf, sample_entry
from pipeline.containers.codecs import (
    AAC,
    FLAC,
    OPUS,
    PCM_8,
    PCM_16,
    PCM_24,
    PCM_24_AT_48K,
    PCM_DOUBLE,
    PCM_FLOAT,
    Options,
    PictureCodec,
    SoundCodec,
)
from pipeline.values.hdr import Hdr

FIRST = (2, 3)
"""FFmpeg's numbers for the upper, and the lower, field first, where only the file says so. Readers agree on these two;
4 and 5, for fields that alternate in a frame, are taken for either order by some."""


MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file. suffix: with its dot, in lower case. muxer: FFmpeg's name. sound: what sound becomes where it
    is not taken as it is; exact: the same by a source's codec, where another loses nothing.

    options: of the muxer that decide which tags it holds; finish: more of them, for a file that is seen through.
    fields: FFmpeg's numbers for an interlaced picture whose upper, and whose lower, field is shown first; None where
    no file can say it. codec_tags: four characters by an encoder's name, where readers want others than FFmpeg's.

    attachments: holds files. cover_kinds: codecs of pictures that stand for the film, which it holds elsewhere. pcm:
    players read PCM in it. trial: sound that it takes, with which is tried what it holds.

    tick: seconds that times are rounded to; 0 where they are as fine as a source's. timed: every track has times of its
    own. Where not, pictures follow one another at one of `rates`, and sound is laid out from the first picture's
    beginning to the last one's end. labels: tracks have languages, titles and flags, and files chapters, to be tried.
    turns: says that a picture is to be turned. tag_prefix: put before a tag's name.
    counts: a time code is kept as the number of a frame, not as a text. empty: a track without a packet is kept.
    rising: no two packets of a track have one time. stereo: says how two pictures lie in a frame. whole: holds chapters
    and tags as a Matroska source has them.
    alike: (of the source, of the output) transfer numbers that mean one curve where only the second can be said.

    hdr: "whole", or "halves" where it says of a mastering display one half without the other; "" where nothing of HDR.

    reserve, set_picture: for aspect ratio and HDR metadata, which the muxer does not write: what is done to the
    picture's title before a file is written, and to the file afterwards. (title, whether of HDR), (file, track, aspect,
    HDR).
    """

    suffix: str
    name: str
    muxer: str
    sound: SoundCodec
    options: Options = ()
    finish: Options = ()
    fields: tuple[int, int] | None = (2, 3)
    codec_tags: Options = ()
    attachments: bool = False
    cover_kinds: tuple[str, ...] = ()
    pcm: bool = True
    trial: SoundCodec = PCM_16
    timed: bool = True
    tick: Fraction = Fraction(0)
    rates: tuple[Fraction, ...] = ()
    labels: bool = True
    turns: bool = True
    tag_prefix: str = ""
    counts: bool = True
    empty: bool = False
    stereo: bool = False
    edits: bool = False
    rising: bool = False
    whole: bool = False
    alike: tuple[tuple[int, int], ...] = ()
    hdr: str = ""
    reserve: Callable[[str | None, bool], str] | None = None
    set_picture: Callable[[Path, int, Fraction, Hdr], None] | None = None
    exact: tuple[tuple[str, SoundCodec], ...] = ()

    def sound_for(self, codec: str) -> SoundCodec:
        """What sound of this codec, by FFmpeg's name, becomes where it is not taken as it is."""
        return dict(self.exact).get(codec, self.sound)

    def field_order(self, fields: str, codec: PictureCodec) -> int:
        """FFmpeg's number for "tff" or "bff". Raises ValueError where no file of this kind can say it."""
        if self.fields is None:
            raise ValueError(f"{self.suffix} files do not say which field comes first")
        return (self.fields if codec.fields == "coded" else FIRST)[("tff", "bff").index(fields)]

    def rate_for(self, rate: Fraction) -> Fraction:
        """The rate that is written for a source's: of those there are the one it stands for, within a five-thousandth.

        Matroska's 23.976 is 24000/1001. Another rate comes back as it is, for the muxer to refuse.
        """
        near = [r for r in self.rates if abs(r / rate - 1) < Fraction(1, 5000)]
        return min(near, key=lambda r: abs(r - rate), default=rate)

    def codec_tag(self, codec: PictureCodec) -> str:
        """Four characters that name the codec in a file, or "" for FFmpeg's own choice."""
        return dict(self.codec_tags).get(codec.encoder, "")


MATROSKA = Container(
    ".mkv", "Matroska", "matroska", FLAC, attachments=True, counts=False, empty=True, stereo=True,
    whole=True, tick=MILLISECOND, hdr="halves", reserve=matroska.reserve, set_picture=matroska.set_picture,
    exact=(("pcm_f32be", PCM_FLOAT), ("pcm_f64be", PCM_DOUBLE), ("pcm_s8", PCM_8)),
)  # fmt: skip
QUICKTIME = Container(
    ".mov", "QuickTime", "mov", PCM_24, (("movflags", "use_metadata_tags"),), fields=(4, 5),
    codec_tags=(("libx265", "hvc1"),), edits=True, rising=True, cover_kinds=tuple(covers.KINDS),
    hdr="whole", set_picture=sample_entry.set_picture,
)  # fmt: skip
MP4 = Container(  # PCM as "ipcm" is noise in FFmpeg before 6, and unknown to GStreamer 1.22
    ".mp4", "MP4", "mp4", AAC, (("movflags", "use_metadata_tags"),), (("movflags", "use_metadata_tags+faststart"),),
    codec_tags=(("libx265", "hvc1"),), pcm=False, edits=True, rising=True,
    cover_kinds=tuple(covers.KINDS), hdr="whole", set_picture=sample_entry.set_picture,
)  # fmt: skip
WEBM = Container(
    ".webm", "WebM", "webm", OPUS, fields=None, trial=OPUS, counts=False, empty=True, stereo=True,
    tick=MILLISECOND, hdr="halves", reserve=matroska.reserve, set_picture=matroska.set_picture,
)  # fmt: skip
MXF = Container(  # FFmpeg's OP1a; transfer 6, Rec. 601's, is the same curve as 1, Rec. 709's (H.273, table 3)
    ".mxf", "MXF", "mxf", PCM_24_AT_48K, (("store_user_comments", "1"),), fields=None, timed=False, labels=False,
    turns=False, tag_prefix="comment_", alike=((6, 1),), set_picture=mxf.set_picture,
    rates=(*map(Fraction, (24, 25, 30, 48, 50, 60)), *(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60))),
)  # fmt: skip

CONTAINERS = {c.suffix: c for c in (MATROSKA, QUICKTIME, MP4, WEBM, MXF)}
"""Every kind of file that reels are written to, by its suffix."""


def container_of(path: Path) -> Container:
    """The kind of an output by its suffix. Raises KeyError for one that is none of ours."""
    return CONTAINERS[path.suffix.lower()]
