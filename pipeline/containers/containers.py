"""Containers of outputs as values: what each kind of file holds beside its picture, and how it is written.

What can be tried is not written down here: which languages, titles, flags, chapters and codecs a container takes is
found by `pipeline.containers.holding`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipeline.containers import matroska
from pipeline.containers.codecs import AAC, FLAC, OPUS, PCM_16, PCM_24, Options, PictureCodec, SoundCodec

FIRST = (2, 3)
"""FFmpeg's numbers for the upper, and the lower, field first, where only the file says so. Readers agree on these two;
QuickTime's for fields that alternate in a frame (5, 4) are taken for either order."""


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file. suffix: with its dot, in lower case. muxer: FFmpeg's name. sound: what sound becomes where it
    is not taken as it is.

    options: of the muxer that decide which tags it holds; finish: more of them, for a file that is seen through.
    fields: FFmpeg's numbers for an interlaced picture whose upper, and whose lower, field is shown first; None where
    no file can say it. codec_tags: four characters by an encoder's name, where readers want others than FFmpeg's.

    attachments: holds files. places_pcm: must know where the channels of PCM belong. trial: sound that it takes, with
    which is tried what it holds.

    reserve, set_aspect: for an aspect ratio that the muxer does not write: what is done to the picture's title before
    a file is written, and to the file afterwards.
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
    places_pcm: bool = False
    trial: SoundCodec = PCM_16
    reserve: Callable[[str | None], str] | None = None
    set_aspect: Callable[[Path, Fraction], None] | None = None

    def field_order(self, fields: str, codec: PictureCodec) -> int:
        """FFmpeg's number for "tff" or "bff". Raises ValueError where no file of this kind can say it."""
        if self.fields is None:
            raise ValueError(f"{self.suffix} files do not say which field comes first")
        return (self.fields if codec.fields == "coded" else FIRST)[("tff", "bff").index(fields)]

    def codec_tag(self, codec: PictureCodec) -> str:
        """Four characters that name the codec in a file, or "" for FFmpeg's own choice."""
        return dict(self.codec_tags).get(codec.encoder, "")


MATROSKA = Container(
    ".mkv", "Matroska", "matroska", FLAC, attachments=True,
    reserve=matroska.reserve, set_aspect=matroska.set_display_size,
)  # fmt: skip
QUICKTIME = Container(
    ".mov", "QuickTime", "mov", PCM_24, (("movflags", "use_metadata_tags"),), fields=(5, 4),
    codec_tags=(("libx265", "hvc1"),),
)  # fmt: skip
MP4 = Container(
    ".mp4", "MP4", "mp4", AAC, (("movflags", "use_metadata_tags"),), (("movflags", "use_metadata_tags+faststart"),),
    codec_tags=(("libx265", "hvc1"),), places_pcm=True,
)  # fmt: skip
WEBM = Container(
    ".webm", "WebM", "webm", OPUS, fields=None, trial=OPUS, reserve=matroska.reserve,
    set_aspect=matroska.set_display_size,
)  # fmt: skip

CONTAINERS = {c.suffix: c for c in (MATROSKA, QUICKTIME, MP4, WEBM)}
"""Every kind of file that reels are written to, by its suffix."""


def container_of(path: Path) -> Container:
    """The kind of an output by its suffix. Raises KeyError for one that is none of ours."""
    return CONTAINERS[path.suffix.lower()]
