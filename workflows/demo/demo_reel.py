"""The demo's source material: a short black-and-white reel with sound, from photographs that pip installs.

Owns what the reel shows and how old it looks: camera moves, grain, flicker, gate weave, dust, scratches, a
projector and a piano. Everything is drawn from one seed: the same machine makes the same file. Nothing is
downloaded, for the photographs lie in the scikit-image wheel (the `demo` extra). Color is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path

import av
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from colorizer.basis.atomic import scratch_of, whole
from colorizer.basis.errors import ColorizeError
from colorizer.basis.installing import install
from colorizer.basis.light import LUMA_WEIGHTS, Matrix, Primaries, Range, Transfer

Array = NDArray[np.float32]

WIDTH, HEIGHT, RATE = 640, 480, 24
SEED = 1916
SAMPLE_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Take:
    """One shot: a photograph, its length in frames, and the camera's view at the first and the last of them.

    A view is center x, center y, width, in pixels of the photograph; it is as wide to high as the reel.
    """

    photograph: str
    frames: int
    first: tuple[float, float, float]
    last: tuple[float, float, float]


TAKES = (
    Take("camera.png", 36, (256, 300, 500), (256, 272, 440)),
    Take("rocket.jpg", 34, (304, 262, 420), (304, 208, 470)),
    Take("astronaut.png", 34, (250, 260, 496), (240, 172, 400)),
    Take("coffee.png", 30, (278, 200, 520), (338, 200, 500)),
    Take("chelsea.png", 30, (218, 148, 384), (242, 140, 330)),
    Take("motorcycle_left.png", 36, (340, 246, 620), (394, 256, 600)),
)
FRAMES = sum(take.frames for take in TAKES)
CUTS = tuple(accumulate(take.frames for take in TAKES))[:-1]  # the first frame of every take but the first

# A slow waltz, one bar per row: bass, chord, and the melody's (beat, note); MIDI note numbers
BARS = (
    (48, (64, 67), ((0.0, 76), (2.0, 74))),
    (45, (60, 64), ((0.0, 72), (1.5, 74), (2.0, 76))),
    (41, (60, 65), ((0.0, 69), (1.0, 72), (2.0, 77))),
    (43, (59, 62), ((0.0, 74), (1.5, 71), (2.0, 72))),
)


def make_reel(path: Path) -> None:
    """Write the reel (H.264 and AAC; .mp4, .mov or .mkv); it appears whole or not at all.

    Example: make_reel(Path("demo.mp4"))
    """
    with whole(path, scratch_of(path, "")) as part, av.open(str(part), "w") as out:
        video = out.add_stream("libx264", rate=RATE, options={"crf": "18", "tune": "grain", "preset": "fast"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        coding = video.codec_context
        coding.thread_count = 2  # x264's choices depend on it
        coding.color_range, coding.color_primaries = Range.LIMITED, Primaries.SMPTE170M
        coding.color_trc, coding.colorspace = Transfer.SMPTE170M, Matrix.SMPTE170M
        sound = out.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        sound.bit_rate = 128_000
        for index, luma in enumerate(frames()):
            out.mux(video.encode(_picture(luma, index)))
        out.mux(video.encode(None))
        for block in _blocks(soundtrack()):
            out.mux(sound.encode(block))
        out.mux(sound.encode(None))


def frames() -> Iterator[NDArray[np.uint8]]:
    """Every frame's luma codes, 16..235, (HEIGHT, WIDTH)."""
    weave = _drift(0, 0.55, 0.86)[:, None] * (1.0, 0.0) + _drift(1, 0.4, 0.7)[:, None] * (0.0, 1.0)
    flicker = 1 + _drift(2, 0.022, 0.6) + _drift(3, 0.012, 0.0)
    index = 0
    for number, take in enumerate(TAKES):
        photograph = _photograph(take.photograph)
        scratches = _scratches(number)
        for step in range(take.frames):
            view = _view(take, step, weave[index])
            random = np.random.default_rng([SEED, index])
            film = _expose(_project(photograph, view), float(flicker[index]), random)
            film = _dirty(film, scratches, step, random)
            yield np.rint(16 + 219 * film.clip(0, 1)).astype(np.uint8)
            index += 1


def soundtrack() -> Array:
    """The whole reel's sound, mono, -1..1: a piano on an optical track, and the projector in the room."""
    seconds = FRAMES / RATE
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    random = np.random.default_rng([SEED, FRAMES])
    wow = time + 0.0009 * np.sin(2 * np.pi * 0.7 * time) + 0.00004 * np.sin(2 * np.pi * 5.3 * time)
    piano = np.zeros_like(time)
    beat = seconds / len(BARS) / 3
    for bar, (bass, chord, melody) in enumerate(BARS):
        start = 3 * bar
        for at, note, loud in (
            (start, bass, 0.8),
            *((start + step, note, 0.28) for step in (1, 2) for note in chord),
            *((start + step, note, 0.6) for step, note in melody),
        ):
            piano += loud * _struck(wow - at * beat - 0.03, note)
    room = random.standard_normal(time.size)
    track = _band(piano, 90, 4500) + 0.004 * _band(room, 200, 5000)
    projector = _band(room * _clatter(time, random), 350, 3200) + 0.12 * np.sin(2 * np.pi * 2 * RATE * time)
    mixed = 0.5 * track / np.abs(track).max() + 0.022 * projector / projector.std()
    fade = np.minimum(1, np.minimum(time, seconds - time) / 0.25)
    return np.asarray(mixed * fade, np.float32).clip(-1, 1)


def _photograph(name: str) -> Array:
    """A photograph's luma, 0..1, (h, w)."""
    package = find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise ColorizeError(f"the demo's photographs are not installed: {install('demo')}")
    file = Path(package.submodule_search_locations[0]) / "data" / name
    if not file.is_file():
        raise ColorizeError(f"{file}: this scikit-image comes without it: pip install scikit-image==0.26.0")
    decode = imagecodecs.jpeg_decode if file.suffix == ".jpg" else imagecodecs.png_decode
    picture = np.asarray(decode(file.read_bytes()), np.float32) / 255
    luma = picture if picture.ndim == 2 else picture[..., :3] @ np.asarray(LUMA_WEIGHTS["bt601"], np.float32)
    return np.ascontiguousarray(luma, np.float32)


def _drift(stream: int, amount: float, memory: float) -> Array:
    """One number per frame, wandering around 0 by `amount` (its deviation): the more memory, the slower."""
    steps = np.random.default_rng([SEED, FRAMES + 1 + stream]).standard_normal(FRAMES + 50)
    walk = list(accumulate(steps, lambda at, step: memory * at + (1 - memory**2) ** 0.5 * step))
    return np.asarray(walk[50:], np.float32) * np.float32(amount)


def _view(take: Take, step: int, weave: Array) -> tuple[float, float, float]:
    """The camera's view of one frame: eased between the take's two, and shifted by the gate (reel pixels)."""
    t = step / (take.frames - 1)
    eased = 0.35 * t + 0.65 * t * t * (3 - 2 * t)
    x, y, width = (a + (b - a) * eased for a, b in zip(take.first, take.last, strict=True))
    return x + float(weave[0]) * width / WIDTH, y + float(weave[1]) * width / WIDTH, width


def _project(photograph: Array, view: tuple[float, float, float]) -> Array:
    """What the camera sees of a photograph, (HEIGHT, WIDTH), sampled between pixels for smooth moves."""
    x, y, width = view
    step = width / WIDTH  # pixels of the photograph per pixel of the reel
    rows, down = _taps(y + step * (np.arange(HEIGHT) + 0.5 - HEIGHT / 2), photograph.shape[0])
    columns, across = _taps(x + step * (np.arange(WIDTH) + 0.5 - WIDTH / 2), photograph.shape[1])
    tall = sum(photograph[r] * w[:, None] for r, w in zip(rows, down, strict=True))
    return np.asarray(sum(tall[:, c] * w for c, w in zip(columns, across, strict=True)), np.float32)


def _taps(at: NDArray[np.floating], size: int) -> tuple[NDArray[np.int64], Array]:
    """The four pixels around each place and their Catmull-Rom weights, (4, n) both; edges repeat."""
    first = np.floor(at - 0.5).astype(np.int64)
    t = (at - 0.5 - first).astype(np.float32)
    weights = [
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    ]
    return (first + np.arange(-1, 3)[:, None]).clip(0, size - 1), np.stack(weights)


def _soften(picture: Array) -> Array:
    """A 1-2-1 blur both ways: the lens, and the size of a grain."""
    wide = np.pad(picture, 1, mode="edge")
    rows = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4, np.float32)


def _expose(scene: Array, exposure: float, random: np.random.Generator) -> Array:
    """The scene on film: soft lens, vignette, flicker, a film's tones; grain, strongest in mid-tones."""
    y, x = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None], np.linspace(-1, 1, WIDTH, dtype=np.float32)
    light = _soften(scene) * (1 - 0.1 * (x * x + y * y)) * np.float32(exposure)
    tone = light.clip(0, 1) ** np.float32(0.85)
    film = 0.035 + 0.925 * (0.65 * tone + 0.35 * tone * tone * (3 - 2 * tone))
    fine = random.standard_normal((HEIGHT, WIDTH), np.float32)
    coarse = random.standard_normal((HEIGHT // 2, WIDTH // 2), np.float32).repeat(2, 0).repeat(2, 1)
    grain = 0.048 * _soften(fine) + 0.022 * _soften(coarse)
    return np.asarray(film + grain * (0.3 + 2.4 * film * (1 - film)), np.float32)


def _scratches(number: int) -> list[tuple[float, float, int]]:
    """The scratches of one take: column, drift in columns per frame, and a seed for how they come and go."""
    random = np.random.default_rng([SEED, FRAMES + 10, number])
    count = int(random.choice(3, p=(0.3, 0.45, 0.25)))
    return [
        (random.uniform(0.06, 0.94) * WIDTH, random.normal(0, 0.12), int(random.integers(1 << 30)))
        for _ in range(count)
    ]


def _dirty(film: Array, scratches: list[tuple[float, float, int]], step: int, random: np.random.Generator) -> Array:
    """The frame with its scratches, and the dust that lay on it when it was copied."""
    rows, columns = np.arange(HEIGHT), np.arange(WIDTH)
    for column, drift, seed in scratches:
        at = column + drift * step + 0.8 * np.sin(step / 3.1 + seed)
        breaks = np.sin(rows / 67 + step * 1.7 + seed) + np.sin(rows / 23 + step * 2.9)
        strength = 0.16 * np.clip(0.45 + 0.5 * breaks, 0, 1)[:, None]
        film = film + strength * np.exp(-(((columns - at) / 0.7) ** 2))
    for _ in range(random.poisson(0.9)):
        film = _speck(film, random)
    if random.random() < 0.035:
        film = _hair(film, random)
    return np.asarray(film, np.float32)


def _speck(film: Array, random: np.random.Generator) -> Array:
    """A grain of dust: small, ragged, mostly white, for it lay on the negative."""
    x, y, angle = random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(0, np.pi)
    size = 1.1 + random.exponential(1.1)
    long = size * random.uniform(1, 1.9)
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    window = (np.abs(down - y) < 4 * long + 3) & (np.abs(across - x) < 4 * long + 3)
    dx, dy = across[window] - x, down[window] - y
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    around = np.arctan2(v, u)
    ragged = 1 + 0.2 * np.sin(2 * around + 7 * angle) + 0.12 * np.sin(5 * around + 3 * angle)
    cover = 0.85 * np.clip(1.6 - np.hypot(u / long, v / size) / ragged, 0, 1)
    shade = 0.93 if random.random() < 0.7 else 0.06
    out = film.copy()
    out[window] += (shade - film[window]) * cover
    return out


def _hair(film: Array, random: np.random.Generator) -> Array:
    """A fiber in the printer: thin, curved, dark or bright, for one frame."""
    start = random.uniform((0, 0), (WIDTH, HEIGHT))
    bend, end = start + random.normal(0, 22, 2), start + random.normal(0, 30, 2)
    t = np.linspace(0, 1, 80)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    low = np.maximum(np.floor(curve.min(0)).astype(int) - 3, 0)
    high = np.minimum(np.ceil(curve.max(0)).astype(int) + 4, (WIDTH, HEIGHT))
    if (low >= high).any():
        return film
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    y, x = np.mgrid[part]
    distance = np.hypot(x[..., None] - curve[:, 0], y[..., None] - curve[:, 1]).min(-1)
    out = film.copy()
    out[part] += (random.choice((0.08, 0.9)) - film[part]) * 0.75 * np.exp(-((distance / 0.9) ** 2))
    return out


def _struck(time: NDArray[np.float64], note: int) -> NDArray[np.float64]:
    """A piano string struck at time 0: partials slightly sharp of harmonic, the higher the sooner gone."""
    out = np.zeros_like(time)
    sounding = (time > 0) & (time < 3)
    t = time[sounding]
    pitch = 440 * 2 ** ((note - 69) / 12)
    for n in range(1, 9):
        sharp = n * (1 + 0.0004 * n * n) ** 0.5
        out[sounding] += np.sin(2 * np.pi * pitch * sharp * t) * np.exp(-t * (1.1 + 0.55 * n)) / n**1.35
    out[sounding] *= 1 - np.exp(-t / 0.004)
    return out


def _clatter(time: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """How loud the projector is: the claw at every pull-down, the sprocket after it, the fan between."""
    turn = time * RATE
    uneven = random.uniform(0.75, 1.0, FRAMES + 1)[turn.astype(int)]
    claw, sprocket = turn % 1, (turn + 0.42) % 1
    return np.asarray(0.10 + uneven * np.exp(-claw / 0.16) + 0.45 * uneven * np.exp(-sprocket / 0.12))


def _band(sound: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """The part of a sound between two frequencies in Hz, with soft edges."""
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)
    gain = 1 / (1 + (frequency / high) ** 4) * frequency**2 / (frequency**2 + low**2)
    return np.fft.irfft(spectrum * gain, sound.size)


def _picture(luma: NDArray[np.uint8], index: int) -> av.VideoFrame:
    """The frame to encode: luma as given, neutral chroma."""
    picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    picture[:HEIGHT] = luma
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    frame.pts, frame.time_base = index, Fraction(1, RATE)
    frame.color_range, frame.colorspace = Range.LIMITED, Matrix.SMPTE170M
    return frame


def _blocks(sound: Array) -> Iterator[av.AudioFrame]:
    """The sound in pieces of a second."""
    for start in range(0, sound.size, SAMPLE_RATE):
        piece = np.ascontiguousarray(sound[None, start : start + SAMPLE_RATE])
        block = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield block
