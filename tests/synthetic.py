"""Stamped reels: every frame carries its own index as black and white blocks, over a picture that moves.

Reading the stamps back after any pipeline proves that nothing was lost, doubled or put in another order. The
stamp survives lossy coding; the moving texture changes at `cuts`, where a shot detector must see them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from colorizer.networks import weights_file as weights
from colorizer.networks.iizuka2016 import Iizuka2016, Iizuka2016Config
from pipeline.containers import matroska
from pipeline.containers.planes import repacked

BITS = 12
"""Bits of the index: 4096 frames at most. With two checks and two references a stamp has 16 blocks."""

RATE = Fraction(24)
SIZE = (64, 48)
CODECS = {".mkv": "ffv1", ".mov": "prores_ks", ".mp4": "libx264", ".ts": "libx264", ".avi": "ffv1", ".nut": "ffv1"}
MUXERS = {".mkv": "matroska", ".ts": "mpegts"}
FIELD_ORDERS = {".mov": {"tff": 4, "bff": 5}}
SAMPLES = 44100
ENCODERS = {"mp3": "libmp3lame", "vorbis": "vorbis", "opus": "libopus"}
LAYOUTS = {"vorbis": "stereo"}
"""FFmpeg's own Vorbis encoder knows two channels only."""


def stamp_bits(index: int) -> list[int]:
    """The 16 blocks of a stamp: white, black, the index from its highest bit, its number of ones modulo 4."""
    if not 0 <= index < 2**BITS:
        raise ValueError(f"a stamp holds 0 to {2**BITS - 1}, not {index}")
    ones = index.bit_count() % 4
    return [1, 0, *((index >> i) & 1 for i in reversed(range(BITS))), ones >> 1, ones & 1]


def _blocks(width: int, height: int) -> list[tuple[slice, slice]]:
    """Where the blocks lie: one row along the top edge, two rows on narrow pictures."""
    per_row = 16 if width >= 32 else 8
    if width < 8 or height < 16 // per_row:
        raise ValueError(f"{width} x {height} is too small for a stamp")
    wide, high = width // per_row, max(1, height // 12)
    places = ((i // per_row * high, i % per_row * wide) for i in range(16))
    return [(slice(y, y + high), slice(x, x + wide)) for y, x in places]


def read_stamp(luma: np.ndarray) -> int:
    """The index a frame carries. Raises ValueError where there is no stamp."""
    height, width = luma.shape
    levels = []
    for rows, columns in _blocks(width, height):
        block = luma[rows, columns].astype(np.float64)
        inset = tuple(slice(side // 4, side - side // 4) for side in block.shape)
        levels.append(float(block[inset].mean()))
    white, black = levels[:2]
    bits = [int(level > (white + black) / 2) for level in levels]
    index = int("".join(map(str, bits[2:-2])), 2)
    if white <= black or bits != stamp_bits(index):
        raise ValueError(f"no stamp: {[round(level) for level in levels]}")
    return index


@cache
def _waves(shot: int) -> tuple[np.ndarray, ...]:
    """Frequencies and phases of a shot's texture; enough of both that two shots agree in no frequency."""
    random = np.random.default_rng(1000 + shot)
    return random.uniform(0.2, 5.0, (40, 2)) * random.choice((-1, 1), (40, 2)), random.uniform(0, 6.28, 40)


def texture(index: int, width: int, height: int, shot: int = 0) -> np.ndarray:
    """A smooth picture that drifts, float64 in [0, 1], (height, width); another one for every shot."""
    frequencies, phases = _waves(shot)
    y, x = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None]
    total = sum(
        np.cos(6.2832 * (fx * (x + 0.002 * index) + fy * y) + phase)
        for (fx, fy), phase in zip(frequencies, phases, strict=True)
    )
    return np.clip(0.5 + np.asarray(total) / 14, 0, 1)


def stamped(
    index: int, size: tuple[int, int] = SIZE, bits: int = 8, full: bool = False, shot: int = 0, stamp: int | None = None
) -> np.ndarray:
    """Luma codes of a stamped frame, uint8 or uint16 (height, width). `stamp`: where it is not the index."""
    width, height = size
    black, white = (0, 2**bits - 1) if full else (16 << (bits - 8), 235 << (bits - 8))
    picture = black + (0.05 + 0.9 * texture(index, width, height, shot)) * (white - black)
    codes = picture.round().astype(np.uint8 if bits == 8 else np.uint16)
    for bit, block in zip(stamp_bits(index if stamp is None else stamp), _blocks(width, height), strict=True):
        codes[block] = white if bit else black
    return codes


def shot_of(index: int, cuts: Sequence[int]) -> int:
    """Number of the shot a frame is in."""
    return sum(cut <= index for cut in cuts)


def fill(frame: av.VideoFrame, plane: int, codes: np.ndarray) -> None:
    """Write a plane's samples, whatever padding its lines have."""
    target = frame.planes[plane]
    kind = (">" if frame.format.name.endswith("be") else "<") + ("u1" if codes.dtype.itemsize == 1 else "u2")
    raw = np.zeros((target.height, target.line_size), np.uint8)
    lines = np.ascontiguousarray(codes.astype(kind)).view(np.uint8)
    raw[:, : lines.shape[1]] = lines
    target.update(raw.tobytes()[: target.buffer_size].ljust(target.buffer_size, b"\0"))


def frame_of(luma: np.ndarray, pix_fmt: str, bits: int) -> av.VideoFrame:
    """A gray picture of these luma codes: exact in planar formats and in RGB, where R = G = B."""
    height, width = luma.shape
    pixels = av.VideoFormat(pix_fmt)
    if pixels.is_rgb:
        planar = "gbrp" if bits == 8 else f"gbrp{bits}le"
        frame = av.VideoFrame(width, height, planar)
        for plane in range(3):
            fill(frame, plane, luma)
        return frame if pix_fmt == planar else repacked(frame, pix_fmt)
    direct = pixels.is_planar or pix_fmt.startswith("gray")
    frame = av.VideoFrame(width, height, pix_fmt if direct else f"yuv444p{'' if bits == 8 else f'{bits}le'}")
    fill(frame, 0, luma)
    for plane in range(1, len(frame.planes)):
        neutral = np.full((frame.planes[plane].height, frame.planes[plane].width), 1 << (bits - 1))
        fill(frame, plane, neutral.astype(luma.dtype))
    return frame if direct else repacked(frame, pix_fmt)


def depth_of(pix_fmt: str) -> int:
    """Bits of a format's samples."""
    return max(component.bits for component in av.VideoFormat(pix_fmt).components)


def is_full(pix_fmt: str) -> bool:
    """Whether a format holds full-range codes by its nature."""
    return pix_fmt.startswith(("gray", "yuvj", "ya")) or av.VideoFormat(pix_fmt).is_rgb


def silent_track(path: Path) -> Path:
    """A reel with a sound track that holds nothing."""
    with av.open(str(path), "w") as out:
        picture, sound = out.add_stream("ffv1", rate=24), out.add_stream("pcm_s16le", rate=48000)
        sound.codec_context.layout = "stereo"
        picture.width, picture.height, picture.pix_fmt = 64, 48, "gray"
        for index in range(3):
            frame = av.VideoFrame(64, 48, "gray")
            frame.planes[0].update(bytes([80 + index]) * frame.planes[0].buffer_size)
            frame.pts = index
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
    return path


def write_reel(
    path: Path,
    frames: int | Sequence[int] = 24,
    size: tuple[int, int] = SIZE,
    pix_fmt: str = "",
    codec: str = "",
    rate: Fraction = RATE,
    time_base: Fraction | None = None,
    pts: Sequence[int] | None = None,
    cuts: Sequence[int] = (),
    interlaced: str | None = None,
    sar: Fraction = Fraction(1),
    rotation: int = 0,
    audio: int | Sequence[str] = 0,
    heard: Callable[[np.ndarray], np.ndarray] | None = None,
    subtitles: int = 0,
    chapters: int = 0,
    timecode: str = "",
    attachment: bytes = b"",
    metadata: Mapping[str, str] | None = None,
    color_range: int | None = None,
    colors: tuple[int, int, int] = (2, 2, 2),
    silent: bool = False,
    sample_rate: int = SAMPLES,
    options: Mapping[str, str] | None = None,
    stereo: str = "",
) -> Path:
    """Write a stamped reel; its suffix picks the container and, unless named, codec and pixel format.

    frames: how many, or the stamps they carry (to lose, double or swap some). pts: times in `time_base`, one per
    frame, for a varying rate. interlaced: "tff" or "bff". rotation: counter-clockwise degrees. audio: tracks of a
    tone, as a number or as FFmpeg's codec names. heard: what is on them instead, of seconds; sample_rate: theirs.
    subtitles: tracks of one line per half second. chapters: parts of equal length. color_range: the tag, 1 limited or
    2 full; by default what the format is. colors: primaries, transfer and matrix tags; silent: only the container has
    them, ProRes pictures say nothing. stereo: how two pictures lie in a frame, as Matroska calls it.
    """
    codec = codec or CODECS[path.suffix]
    pix_fmt = pix_fmt or ("yuv422p10le" if codec == "prores_ks" else "yuv420p")
    stamps = list(range(frames)) if isinstance(frames, int) else list(frames)
    base = time_base or 1 / rate
    step = round(1 / (rate * base))
    times = list(pts) if pts is not None else [i * step for i in range(len(stamps))]
    bits, full = depth_of(pix_fmt), is_full(pix_fmt) if color_range is None else color_range == 2
    squeezed = path.suffix == ".mkv" and sar != 1
    settings = {"movflags": "use_metadata_tags"} if path.suffix in (".mov", ".mp4") else {}
    with av.open(str(path), "w", format=MUXERS.get(path.suffix), container_options=settings) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream(codec, rate=rate, options=dict(options or {}))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = *size, pix_fmt
        context.time_base = stream.time_base = base
        context.sample_aspect_ratio, context.thread_count = sar, 1
        context.color_range = 2 if full else 1
        context.color_primaries, context.color_trc, context.colorspace = colors
        if squeezed:
            stream.metadata["title"] = matroska.reserve(None)
        if timecode:
            stream.metadata["timecode"] = timecode
        if stereo:
            stream.metadata["stereo_mode"] = stereo
        if rotation:
            stream.set_display_rotation(rotation if rotation <= 180 else rotation - 360)
        if interlaced:
            context.flags |= 0x20040000
            context.field_order = FIELD_ORDERS.get(path.suffix, {"tff": 2, "bff": 3})[interlaced]
            if context.name == "libx264":
                context.options = {**context.options, "x264-params": f"{interlaced}=1"}
        end = Fraction(times[-1] + step) * base if times else Fraction(0)
        others = [
            _tone(out, name, i, end, heard, sample_rate)
            for i, name in enumerate(["pcm_s16le"] * audio if isinstance(audio, int) else audio)
        ]
        others += [_lines(out, path.suffix, end) for _ in range(subtitles)]
        if attachment:
            out.add_attachment("catalog.txt", "text/plain", attachment)
        if chapters:
            out.set_chapters(_chapters(chapters, end))
        out.start_encoding()
        kind = size, pix_fmt, bits, full, (2, 2, 2) if silent else colors
        packets = _picture(stream, stamps, times, base, kind, cuts, interlaced)
        everything = [*packets, *(packet for track in others for packet in track())]
        for packet in sorted(everything, key=lambda p: (p.dts if p.dts is not None else p.pts) * p.time_base):
            out.mux(packet)
    if squeezed:
        matroska.set_display_size(path, sar)
    return path


def _picture(
    stream: Any, stamps: list[int], times: list[int], base: Fraction, kind: tuple[Any, ...], cuts: Sequence[int],
    interlaced: str | None,
) -> list[Any]:  # fmt: skip
    size, pix_fmt, bits, full, colors = kind
    setter = field_setter(size, pix_fmt, base, interlaced) if interlaced else None
    packets = []
    for stamp, time in zip(stamps, times, strict=True):
        frame = frame_of(stamped(stamp, size, bits, full, shot_of(stamp, cuts)), pix_fmt, bits)
        if setter is not None:
            setter.push(frame)
            frame = setter.pull()
        frame.pts, frame.time_base = time, base
        frame.color_range = 2 if full else 1
        frame.color_primaries, frame.color_trc, frame.colorspace = colors
        packets += stream.encode(frame)
    return [p for p in [*packets, *stream.encode(None)] if p.size]


def field_setter(size: tuple[int, int], pix_fmt: str, base: Fraction, order: str) -> Any:
    """A graph that marks frames as interlaced."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=size[0], height=size[1], format=av.VideoFormat(pix_fmt), time_base=base)
    setter, sink = graph.add("setfield", order), graph.add("buffersink")
    source.link_to(setter)
    setter.link_to(sink)
    graph.configure()
    return graph


def _tone(
    out: Any, codec: str, number: int, end: Fraction, heard: Callable[[np.ndarray], np.ndarray] | None, rate: int
) -> Any:
    """A sound track of `codec`: a tone of its own, as long as the picture. Returns the maker of its packets."""
    layout = LAYOUTS.get(codec, "mono")
    rate = 48000 if codec == "opus" else rate
    stream = out.add_stream(ENCODERS.get(codec, codec), rate=rate)
    context = stream.codec_context
    context.layout = layout
    context.format = context.codec.audio_formats[0].name
    context.options = {"strict": "-2"}
    stream.time_base = context.time_base = Fraction(1, rate)
    stream.metadata["language"] = ("eng", "deu", "fra", "ita")[number % 4]

    def packets() -> list[Any]:
        total = int(end * rate)
        seconds = np.arange(total) / rate
        wave = 0.3 * np.sin(seconds * 6.2832 * (300 + 170 * number)) if heard is None else heard(seconds)
        wave = np.tile(wave.astype(np.float32), (2 if layout == "stereo" else 1, 1))
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        made = []
        resampler = av.AudioResampler(context.format.name, layout, rate, context.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            made += stream.encode(part)
        return [p for p in [*made, *stream.encode(None)] if p.size]

    return packets


def _lines(out: Any, suffix: str, end: Fraction) -> Any:
    """A subtitle track: SubRip in Matroska, timed text in QuickTime and MP4."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "lines.srt"
        cues = []
        for i in range(max(1, int(end * 2))):
            second, half = f"00:00:{i // 2:02}", i % 2 * 500
            cues.append(f"{i + 1}\n{second},{half:03} --> {second},{half + 400:03}\nline {i}\n\n")
        text.write_text("".join(cues))
        with av.open(str(text)) as source:
            lines = [(p.pts, p.duration, bytes(p)) for p in source.demux() if p.size]
            base = source.streams[0].time_base
            stream = _mov_text(out) if suffix in (".mov", ".mp4") else out.add_stream_from_template(source.streams[0])
    stream.metadata["language"] = "eng"

    def packets() -> list[Any]:
        made = []
        for pts, duration, data in lines:
            packet = av.Packet(len(data).to_bytes(2, "big") + data if suffix in (".mov", ".mp4") else data)
            packet.pts = packet.dts = pts
            packet.duration, packet.time_base, packet.stream = duration, base, stream
            made.append(packet)
        return made

    return packets


def _mov_text(out: Any) -> Any:
    stream = out.add_stream("mov_text")
    stream.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n\n[Events]\n"
    stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
    return stream


def _chapters(count: int, end: Fraction) -> list[Any]:
    edges = [int(end * 1000 * i / count) for i in range(count + 1)]
    return [
        {"id": i, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": f"Part {i + 1}"}}
        for i, (a, b) in enumerate(pairwise(edges))
    ]


SEQUENCES = {
    ("dpx", 8): ("dpx", "gray"), ("dpx", 10): ("dpx", "gbrp10le"), ("dpx", 12): ("dpx", "gbrp12le"),
    ("tif", 8): ("tiff", "gray"), ("tif", 16): ("tiff", "gray16le"),
    ("png", 8): ("png", "gray"), ("png", 16): ("png", "gray16be"),
}  # fmt: skip
"""Encoder and pixel format of an image sequence, by suffix and bits."""


def write_sequence(
    folder: Path,
    suffix: str = "dpx",
    bits: int = 10,
    holes: Sequence[int] = (),
    frames: int = 12,
    first: int = 0,
    size: tuple[int, int] = SIZE,
    cuts: Sequence[int] = (),
    digits: int = 4,
) -> str:
    """Write a stamped image sequence, stamps counted from 0; returns its pattern. holes: numbers left out."""
    lower = suffix.lower().lstrip(".")
    codec, pix_fmt = SEQUENCES[lower, bits]
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(frames):
        if first + index in holes:
            continue
        context = av.CodecContext.create(codec, "w")
        context.width, context.height, context.pix_fmt = *size, pix_fmt
        context.time_base = 1 / RATE
        frame = frame_of(stamped(index, size, bits, True, shot_of(index, cuts)), pix_fmt, bits)
        frame.pts, frame.time_base = 0, 1 / RATE
        data = b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)])
        (folder / f"scan_{first + index:0{digits}d}.{suffix.lstrip('.')}").write_bytes(data)
    return str(folder / f"scan_%0{digits}d.{suffix.lstrip('.')}")


def tiny_weights(path: Path, seed: int = 2) -> Path:
    """Weights of a tiny random network, made in no time, whose colors are strong and depend on picture and look."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Iizuka2016(Iizuka2016Config(width=0.0625, head="mean", look_size=32, classes=3)).eval()
        with torch.no_grad():
            for name, values in network.named_parameters():
                if name.endswith("linear.weight"):
                    values.normal_(0, (2 / values[0].numel()) ** 0.5)  # keeps the signal's size through ReLUs
            network.vector.linear.weight.mul_(20)  # so that another look is another color
            network.out.weight.normal_(0, 1.0)
            network.out.bias.copy_(torch.tensor([0.4, -0.4]))
    weights.save(network, path, ("barn", "beach", "street"), {"note": "random numbers, for tests"})
    return path


def read_stamps(path: Path | str) -> list[int]:
    """The stamps of a file's picture, decoded in order (formats with a luma plane)."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            kind = np.dtype("u1") if depth_of(frame.format.name) == 8 else np.dtype("<u2")
            rows = np.frombuffer(plane, "u1").reshape(plane.height, plane.line_size)
            found.append(read_stamp(rows[:, : plane.width * kind.itemsize].copy().view(kind)))
    return found


def with_equal_times(source: Path, path: Path, every: int = 9) -> int:
    """Write an MPEG-TS of a reel with MP3 sound, of whose packets every so many have the time of the one before, as
    broadcasts have some; how many have."""
    with (
        av.open(str(source)) as old,
        av.open(str(path), "w", format="mpegts", options={"pes_payload_size": "0"}) as new,
    ):
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    data, at, before, number, changed = bytearray(path.read_bytes()), -1, b"", 0, 0
    while (at := data.find(b"\0\0\1\xc0", at + 1)) >= 0:  # a packet of sound (ISO 13818-1, 2.4.3.6), with a time
        if number % every == every // 2:
            data[at + 9 : at + 14] = before
            changed += 1
        before, number = bytes(data[at + 9 : at + 14]), number + 1
    path.write_bytes(data)
    return changed
