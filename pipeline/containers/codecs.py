"""Codecs of outputs as values: what they hold of a picture or of sound, and how their encoders are set.

A value says everything that the code elsewhere would otherwise ask a codec's name for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from colorizer.painting.processor import has_avx512
from pipeline.containers.sei import (
    CAPTIONS,
    DIGITAL,
    FORMAT_DESCRIPTION,
    SECOND_FIELD,
    with_fields,
    with_h264,
    with_h265,
)
from pipeline.values.hdr import CHROMATICITY, LUMINANCE, NO_HDR, Hdr

Options = tuple[tuple[str, str], ...]
"""An encoder's or a muxer's options, by name."""

Steps = tuple[int, int]
"""Luma samples per chroma sample, vertical and horizontal."""

FIELDS = ("coded", "flagged", "none")
"""How a codec is interlaced: it codes fields; it codes whole frames and the container tells their fields' order; or
neither, and an interlaced source is refused."""


@dataclass(frozen=True, slots=True)
class PictureCodec:
    """A codec of pictures and the settings it is used with.

    name: for people. encoder, decoder: FFmpeg's names. options: of the encoder, for every picture; by_depth: more of
    them where samples have so many bits. threads: fixed, since some encoders' output depends on it.

    steps: of chroma; None: the source's own. odd_steps: the same where a side has an odd length. depths: bits that
    samples may have, rising; the first that holds the source's is taken, else the last. lossless: every code comes
    back.

    full_range: whether a picture can say that it is full range; where not, luma is rescaled. implies_range: it says
    no range beside colors that are unset, and readers then take limited (H.264, E.2.1).

    fields: how an interlaced picture is marked, one of FIELDS. marks: each picture may say it for itself; mark: where
    the encoder says one for all, (packet, word for its fields) to the packet that does. field_options: name of the
    encoder's option that takes `tff=1` or `bff=1`. slices: cut into as many as a picture's size makes useful.

    hdr: name of the encoder's option for HDR metadata, and the words for it.

    carries: what its pictures carry beside their samples, by name; carry: (a picture's packet, bytes by name) to the
    packet that does.

    environment: variables an encoder reads, set before it opens. here: words for its `field_options` on this machine,
    which change no byte. mend: (packet, matrix in FFmpeg's number) to the
    packet as it must be.
    """

    name: str
    encoder: str
    decoder: str
    options: Options
    depths: tuple[int, ...]
    steps: Steps | None = None
    odd_steps: Steps | None = None
    by_depth: tuple[tuple[int, Options], ...] = ()
    threads: int = 2
    lossless: bool = False
    full_range: bool = True
    implies_range: bool = False
    fields: str = "coded"
    marks: bool = False
    mark: Callable[[bytes, str], bytes] | None = None
    field_options: str = ""
    slices: bool = False
    hdr: tuple[str, Callable[[Hdr], list[str]]] | None = None
    carries: frozenset[str] = frozenset()
    carry: Callable[[bytes, Mapping[str, bytes]], bytes] | None = None
    environment: Options = ()
    here: Callable[[], list[str]] = list
    mend: Callable[[bytes, int], bytes] | None = None

    def __post_init__(self) -> None:
        if not self.depths or list(self.depths) != sorted(self.depths):
            raise ValueError(f"{self.name}: depths rise, and there is at least one")
        if self.fields not in FIELDS:
            raise ValueError(f"{self.name}: fields are {', '.join(FIELDS)}, not {self.fields!r}")

    def steps_for(self, width: int, height: int) -> Steps | None:
        """Luma samples per chroma sample of a picture of this size; None: the source's own."""
        odd = width % 2 or height % 2
        return self.odd_steps if odd and self.odd_steps else self.steps

    def depth_for(self, bits: int) -> int:
        """Bits of a sample of the output for a source's: enough for them, or as many as there can be."""
        return next((d for d in self.depths if d >= bits), self.depths[-1])

    def identity(self, width: int, height: int, bits: int, fields: str, hdr: Hdr) -> list[Any]:
        """All that decides which packets its encoder makes of a picture. Arguments as of `options_for`."""
        depth, steps = self.depth_for(bits), self.steps_for(width, height)
        options = self.options_for(width, height, depth, fields, hdr)
        return [self.encoder, options, depth, steps, self.threads, self.fields, self.environment, self.mend is not None]

    def options_for(self, width: int, height: int, bits: int, fields: str, hdr: Hdr = NO_HDR) -> dict[str, str]:
        """The encoder's options. bits: of the output's samples. fields: "progressive", "tff" or "bff"."""
        chosen = dict(self.options + dict(self.by_depth).get(bits, ()))
        if self.field_options and fields != "progressive":
            chosen[self.field_options] = f"{fields}=1"
        if self.slices and not (width % 2 or height % 2) and width * height >= 352 * 288:
            chosen["slices"] = "4" if width * height < 1280 * 720 else "16"
        if self.hdr is not None:
            chosen = with_words(chosen, self.hdr[0], self.hdr[1](hdr))
        return chosen


@dataclass(frozen=True, slots=True)
class SoundCodec:
    """What sound becomes where a container does not take it as it is.

    encoder: FFmpeg's name. wave: its sample format. rates: samples per second it takes, rising; () for all. bit_rate:
    of a channel, bits per second at most, and never more than five times the samples; 0 for lossless codecs. placed:
    it must know where channels belong. lead: samples of silence that the encoder puts first. bits: of a sample, where
    more of them, and floating point, are rounded; 0 where nothing is, or where a bit rate decides. numbered: layouts
    that it has a number for, () for all; of others most readers see the count. unnumbered: options for those.
    """

    encoder: str
    wave: str
    options: Options = ()
    rates: tuple[int, ...] = ()
    bit_rate: int = 0
    placed: bool = False
    lead: int = 0
    bits: int = 0
    numbered: tuple[str, ...] = ()
    unnumbered: Options = ()

    @property
    def name(self) -> str:
        """What people call the codec: opus, of the encoder libopus."""
        import av  # here, so that help is quick

        return str(av.Codec(self.encoder, "w").canonical_name)

    def options_for(self, layout: str) -> dict[str, str]:
        """Of the encoder, for channels in these places."""
        more = self.unnumbered if self.numbered and layout not in self.numbered else ()
        return dict((*self.options, *more))

    def rate_for(self, rate: int) -> int:
        """Samples per second for a source's: the same, else the next higher, else the highest."""
        if not self.rates or rate in self.rates:
            return rate
        return next((r for r in self.rates if r > rate), self.rates[-1])

    def bits_per_second(self, rate: int, channels: int) -> int:
        """Of a track, 0 for a lossless codec."""
        return min(self.bit_rate, 5 * rate) * max(1, channels)


def with_words(options: Mapping[str, str], name: str, words: list[str]) -> dict[str, str]:
    """Options of an encoder, of which one that holds parameters of its own has these too."""
    return {**options, name: ":".join([*filter(None, [options.get(name)]), *words])} if words else dict(options)


@cache
def x264_here() -> list[str]:
    """Parameters of x264 on this machine, by which the same frames always become the same bytes.

    With AVX-512 x264 165 weighs macroblocks by what comes of them (mbtree) from numbers that nobody wrote: where memory
    holds others, pictures of 320 x 240 have other bytes (findings/x264_other_bytes.sh). With AVX2 they have those that
    AVX-512 mostly gives, in as much time or less: 720 x 576 13.8 ms a frame with both, 1080 lines 69 after 77.
    """
    return ["asm=AVX2"] if has_avx512() else []


def has_encoder(name: str) -> bool:
    """Whether FFmpeg here was built with an encoder. PyAV's wheels have all that are named here."""
    import av

    try:
        av.Codec(name, "w")
    except ValueError:  # av.codec.UnknownCodecError
        return False
    return True


MESSAGES = frozenset([CAPTIONS, SECOND_FIELD, DIGITAL, FORMAT_DESCRIPTION])


def in_units(display: str, light: str, hdr: Hdr) -> list[str]:
    """HDR metadata in the words of x264 and x265. display, light: names of their parameters."""
    return _words(hdr, (display, light), 1, 1)


def in_numbers(hdr: Hdr) -> list[str]:
    """The same in those of SVT-AV1."""
    return _words(hdr, ("mastering-display", "content-light"), float(CHROMATICITY), float(LUMINANCE))


def _words(hdr: Hdr, names: tuple[str, str], chromaticity: float, luminance: float) -> list[str]:
    made = []
    if hdr.whole:
        red, green, blue, white = (
            "({:.12g},{:.12g})".format(*(n * chromaticity for n in hdr.primaries[i : i + 2])) for i in range(0, 8, 2)
        )
        dark, bright = (f"{n * luminance:.12g}" for n in hdr.luminance)
        made.append(f"{names[0]}=G{green}B{blue}R{red}WP{white}L({bright},{dark})")
    if hdr.light:
        made.append(f"{names[1]}={hdr.light[0]},{hdr.light[1]}")
    return made


FFV1 = PictureCodec(
    "FFV1", "ffv1", "ffv1",
    (("level", "3"), ("g", "1"), ("slicecrc", "1"), ("coder", "1"), ("context", "0")), (8, 9, 10, 12, 14, 16),
    lossless=True, slices=True, marks=True,
)  # fmt: skip

PRORES = PictureCodec(
    "ProRes 422 HQ", "prores_ks", "prores", (("profile", "3"), ("vendor", "apl0")), (10,), (1, 2), full_range=False
)

H264 = PictureCodec(
    "H.264", "libx264", "h264",
    (("preset", "faster"), ("crf", "15.5"), ("chromaoffset", "-2"), ("bf", "0")), (8, 10), (2, 2), (1, 1),
    implies_range=True, field_options="x264-params", hdr=("x264-params", partial(in_units, "mastering-display", "cll")),
    carries=MESSAGES, carry=with_h264, marks=True, mark=with_fields, here=x264_here,
)  # fmt: skip
"""Shares chroma between pairs of samples; without B-frames, so that segments join at any length.

Against `medium` at crf 16, as `bench codec` measures (docs/performance.md): about half of its processor time, luma as
near, 5 to 13 % more bytes. `veryfast` takes a third, and a quarter more bytes for the same luma, or a tenth less of the
grain. Without the offset, which slower presets get from their psychovisual tuning, chroma is 0.8 dB further from what
was painted.
"""

HEVC = PictureCodec(  # no message of its own in the stream: it would hold the machine's processors and threads
    "H.265", "libx265", "hevc",
    (("preset", "medium"), ("crf", "16"),
     ("x265-params", "bframes=0:open-gop=0:info=0:pools=2:frame-threads=1:log-level=none")),
    (10,), (2, 2), (1, 1), fields="flagged", hdr=("x265-params", partial(in_units, "master-display", "max-cll")),
    carries=MESSAGES, carry=with_h265,
)  # fmt: skip

AV1 = PictureCodec(  # coded in the order they are shown, and alike: else grain pulses with every key frame, 50 to 35 dB
    "AV1", "libsvtav1", "libdav1d",
    (("preset", "6"), ("crf", "14"),
     ("svtav1-params", "pred-struct=1:use-fixed-qindex-offsets=1:qindex-offsets=[0,0,0,0,0,0]:"
                       "key-frame-qindex-offset=0")),
    (10,), (2, 2), fields="flagged", environment=(("SVT_LOG", "1"),), hdr=("svtav1-params", in_numbers),
)  # fmt: skip


def with_matrix(packet: bytes, matrix: int) -> bytes:
    """A DNxHR picture whose header says its matrix (SMPTE ST 2019-1, CLV): FFmpeg's encoder always says BT.709.

    Others than BT.709 and BT.2020 are left to the container, which is 3.
    """
    code = {1: 0, 9: 1, 10: 2}.get(matrix, 3)
    return packet[:0x2C] + bytes([packet[0x2C] & ~0x06 | code << 1]) + packet[0x2D:]


DNXHR = PictureCodec(
    "DNxHR", "dnxhd", "dnxhd", (), (8, 10), (1, 2), fields="none", mend=with_matrix,
    by_depth=((8, (("profile", "dnxhr_hq"),)), (10, (("profile", "dnxhr_hqx"),))),
)  # fmt: skip

FLAC = SoundCodec("flac", "s32", bits=24)  # 32 would need strict=-2, and FFmpeg before 6.1 does not decode them
PCM_8 = SoundCodec("pcm_u8", "u8")
PCM_16 = SoundCodec("pcm_s16le", "s16")
PCM_24 = SoundCodec("pcm_s24le", "s32", bits=24)
PCM_24_AT_48K = SoundCodec("pcm_s24le", "s32", rates=(48000,), bits=24)
PCM_FLOAT = SoundCodec("pcm_f32le", "flt")
PCM_DOUBLE = SoundCodec("pcm_f64le", "dbl")
AAC = SoundCodec(
    "aac", "fltp", bit_rate=128_000, placed=True, lead=1024,
    rates=(7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    numbered=("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"),  # ISO 14496-3, table 1.19, as FFmpeg calls them
)  # fmt: skip
OPUS = SoundCodec(
    "libopus",
    "s16",
    rates=(8000, 12000, 16000, 24000, 48000),
    bit_rate=96_000,
    placed=True,
    lead=312,
    numbered=("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"),  # RFC 7845, 5.1.1.2: family 1
    unnumbered=(("mapping_family", "255"),),  # channels without places; libopus refuses them otherwise
)
