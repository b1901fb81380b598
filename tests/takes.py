"""Reels whose cuts, dissolves and wipes are known, made of takes: drawn pictures, photographs and films of the media.

`make shots` prints what is found in them, beside PySceneDetect's detectors where that is installed; a slow test holds
the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from PIL import Image

from pipeline.reels.cleaned import Cleaner
from pipeline.reels.dissolves import Dissolve, DissolveDetector
from pipeline.reels.shots import CutDetector, areas, signs
from tests.films import MEDIA, codes, luma, scene

SIZE = (180, 240)
Take = Callable[[np.random.Generator, int], np.ndarray]
"""Makes so many frames of a shot, float32 (n, *SIZE)."""

PHOTOGRAPHS = ("ansel", "ddcolor", "lyken", "msold_autochrome")
FILMS = (
    ("film_bw/abomb_blast_effects_part.mp4", ((1, 43), (45, 133), (135, 298), (300, 359))),
    ("film_bw/white_zombie_sar2_truncated.mp4", ((1, 45),)),
    ("film_bw/concert_near_bw_errors.mp4", ((29, 78), (109, 161))),
    ("video_colour/sports_multishot_audio.mov", (
        (20, 70), (84, 205), (218, 280), (292, 334), (338, 406), (416, 480), (492, 585), (655, 703), (716, 778),
        (788, 828), (906, 924), (927, 1000), (1004, 1086), (1104, 1300))),
    ("video_odd/multishot_vfr.wmv", ((22, 78), (81, 245), (257, 315), (319, 386), (434, 460))),
    ("video_colour/cockatoo_audio_444.mp4", ((0, 279),)),
    ("video_colour/guitar_speech_audio.mp4", ((0, 300),)),
    ("video_colour/sam2_dog_audio.mp4", ((0, 288),)),
)  # fmt: skip
"""Shots [start, stop) with neither cuts nor dissolves, as seen by eye. Sports have whip pans, spray and titles."""

WIPES = ("left", "right", "up", "down", "slanted", "iris", "doors", "soft")


@dataclass(frozen=True)
class Truth:
    """First frames of cuts; spans [start, stop) that show two shots."""

    cuts: tuple[int, ...]
    dissolves: tuple[tuple[int, int], ...]
    wipes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Found:
    """What a detector says of a reel. blends: dissolves and wipes."""

    cuts: Sequence[int]
    blends: Sequence[tuple[int, int]] = ()


@dataclass
class Score:
    """Sums over reels. split: blends of the truth within which cuts were found; those count neither way as cuts."""

    cuts: int = 0
    hits: int = 0
    false: int = 0
    dissolves: int = 0
    dissolve_hits: int = 0
    wipes: int = 0
    wipe_hits: int = 0
    false_blends: int = 0
    split: int = 0
    misses: list[str] = field(default_factory=list)

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(1, self.cuts + self.hits + self.false)

    def add(self, truth: Truth, found: Found, name: str = "", slack: int = 2) -> None:
        """slack: frames that a cut may be off, for a flash beside it."""
        spans = (*truth.dissolves, *truth.wipes)
        left = list(truth.cuts)
        within = set()
        for cut in found.cuts:
            near = [c for c in left if abs(c - cut) <= slack]
            inside = [span for span in spans if span[0] - slack <= cut <= span[1] + slack]
            if near:
                left.remove(near[0])
            elif inside:
                within.add(inside[0])
            else:
                self.false += 1
                self.misses.append(f"{name}: false cut {cut}")
        self.cuts += len(truth.cuts)
        self.hits += len(truth.cuts) - len(left)
        self.misses += [f"{name}: missed cut {c}" for c in left]
        self.split += len(within)
        blends = list(found.blends)
        for kind, wanted in (("dissolve", truth.dissolves), ("wipe", truth.wipes)):
            for span in wanted:
                mine = [b for b in blends if _shared(b, span) >= 0.4]
                if mine:
                    blends.remove(mine[0])
                else:
                    self.misses.append(f"{name}: missed {kind} {span}")
                setattr(self, f"{kind}s", getattr(self, f"{kind}s") + 1)
                setattr(self, f"{kind}_hits", getattr(self, f"{kind}_hits") + bool(mine))
        self.false_blends += len(blends)
        self.misses += [f"{name}: false blend {b}" for b in blends]


def _shared(one: tuple[int, int], other: tuple[int, int]) -> float:
    """What two spans have in common, as a share of what either has."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    return both / (max(one[1], other[1]) - min(one[0], other[0]))


def detect(planes: Iterable[np.ndarray]) -> Found:
    """What the survey finds, from the areas of each frame."""
    cleaner, cuts, dissolves = Cleaner(), CutDetector(), DissolveDetector()
    found: list[int] = []
    blends: list[Dissolve] = []

    def cut(more: list[int]) -> None:
        for index in more:
            dissolves.cut(index)
            found.append(index)

    def take(more: list[np.ndarray]) -> None:
        for plane in more:
            turned = signs(plane)
            cut(cuts.push(turned, plane))
            blends.extend(dissolves.push(plane, turned))

    for plane in planes:
        take(cleaner.push(plane))
    take(cleaner.flush())
    cut(cuts.flush())
    blends += dissolves.flush()
    return Found(found, [(d.start, d.stop) for d in blends])


def window(picture: np.ndarray, rng: np.random.Generator, length: int) -> np.ndarray:
    """A camera that stands, pans, or goes nearer over a picture."""
    (h, w), speed = picture.shape, rng.choice([0, 0.15, 0.4, 0.8])
    side = rng.uniform(0.6, 0.75) * min(h / SIZE[0], w / SIZE[1])
    zoom = rng.choice([0, 0, 0.0015, -0.0015])
    angle, frames = rng.uniform(0, 2 * np.pi), []
    source = Image.fromarray(picture.astype(np.float32))
    box = np.array([SIZE[1], SIZE[0]]) * side
    start = rng.uniform(0, 1, 2) * (np.array([w, h]) - box)
    for i in range(length):
        scaled = np.minimum(box * (1 + zoom * i), [w, h])
        corner = start + i * speed * side * np.array([np.cos(angle), np.sin(angle)])
        room = np.array([w, h]) - scaled
        corner = np.where(room > 1e-6, room - np.abs(room - corner % np.maximum(2 * room, 1e-6)), 0)  # there and back
        frames.append(np.asarray(source.resize(SIZE[::-1], 2, (*corner, *(corner + scaled)))))
    return np.stack(frames)


def drawn(rng: np.random.Generator, length: int) -> np.ndarray:
    """A picture with the spectrum of photographs, shapes on it, and one or two things that move."""
    picture = scene(rng, (300, 400)).astype(np.float32)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    for _ in range(rng.integers(2, 7)):
        (y, x), (b, a) = rng.uniform(0, (300, 400)), rng.uniform(10, 90, 2)
        inside = np.maximum(abs(rows - y) / b, abs(columns - x) / a) < 1
        inside = inside if rng.random() < 0.5 else ((rows - y) / b) ** 2 + ((columns - x) / a) ** 2 < 1
        picture[inside] += rng.uniform(-60, 60)
    frames = window(picture.clip(0, 255), rng, length)
    for _ in range(rng.integers(0, 3)):
        size, at = rng.uniform(15, 45, 2), rng.uniform(0, SIZE)
        speed, level = rng.normal(0, 1.5, 2), rng.uniform(20, 230)
        for i, frame in enumerate(frames):
            top, left = np.rint(at + i * speed).astype(int)
            bottom, right = np.maximum(np.add([top, left], size.astype(int)), 0)
            frame[max(0, top) : bottom, max(0, left) : right] = level
    return frames


def leader(rng: np.random.Generator, length: int) -> np.ndarray:
    """Film without a picture."""
    return np.full((length, *SIZE), rng.choice([20.0, 128.0, 225.0]), np.float32)


@cache
def photographs() -> tuple[Take, ...]:
    """Cameras that move over the photographs of the media."""
    paths = [p for p in sorted((MEDIA / "photos_bw").iterdir()) if p.name.startswith(PHOTOGRAPHS)]
    pictures = []
    for path in paths:
        with Image.open(path) as image:
            gray = image.convert("L")
            gray.thumbnail((640, 640))
            pictures.append(np.asarray(gray, np.float32))
    return tuple(lambda rng, length, p=p: window(p, rng, length) for p in pictures)


@cache
def films() -> tuple[Take, ...]:
    """Shots of the films of the media, and leader."""
    takes: list[Take] = []
    for name, shots in FILMS:
        film = np.stack([Image.fromarray(p).resize(SIZE[::-1], Image.Resampling.BOX) for p in luma(name)])
        takes += [lambda rng, n, shot=film[a:b]: _part(shot, rng, n) for a, b in shots]
    return (*takes, leader, leader)


def _part(shot: np.ndarray, rng: np.random.Generator, length: int) -> np.ndarray:
    """So many frames of a shot from some frame on; there and back where it is short."""
    start = rng.integers(0, max(1, len(shot) - length + 1))
    at = np.arange(start, start + length) % (2 * len(shot) - 2)
    return shot[np.minimum(at, 2 * len(shot) - 2 - at)].astype(np.float32)


def reel(
    rng: np.random.Generator, takes: Sequence[Take], joints: Sequence[str], wear: float
) -> tuple[list[np.ndarray], Truth]:
    """A reel of takes joined as said, "cut", "dissolve" or "wipe", and worn; its frames, and what there is to find.

    wear: deviation of the flicker, as a share of the light; 0 leaves all clean. Film without a picture is met and left
    by cuts; the one that counts is where a picture shows again.
    """
    frames: list[np.ndarray] = []
    cuts, dissolves, wipes = [], [], []
    held = np.zeros((0, *SIZE), np.float32)
    blank = False
    for number, take in enumerate(takes):
        joint = joints[number - 1] if number else "cut"
        if take is leader or blank:
            joint = "cut"
        length = int(rng.choice([8, 12, 16, 24, 36, 48])) if joint == "dissolve" else 0
        length = int(rng.choice([12, 16, 24, 36, 48])) if joint == "wipe" else length
        alone, after = int(rng.integers(36, 72)), 50
        made = take(rng, length + alone + after)
        if joint == "cut":
            if take is not leader and any(other is not leader for other in takes[:number]):
                cuts.append(len(frames))
            frames += list(made[:alone])
        else:
            share = (np.arange(length) + 1) / (length + 1)
            kind = str(rng.choice(WIPES))
            masks = (np.full(SIZE, x) if joint == "dissolve" else _shown(kind, x) for x in share)
            old, new = held[:length], made[:length]
            (dissolves if joint == "dissolve" else wipes).append((len(frames), len(frames) + length))
            frames += [a * (1 - m) + b * m for a, b, m in zip(old, new, masks, strict=True)]
            frames += list(made[length : length + alone])
        held, blank = made[length + alone :], take is leader
    return worn(rng, frames, wear), Truth(tuple(cuts), tuple(dissolves), tuple(wipes))


@cache
def _distances(kind: str) -> np.ndarray:
    """When a wipe comes to each place, 0 to 1."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / (np.array(SIZE)[:, None, None] - 1.0)
    ways = {
        "left": 1 - x, "right": x, "up": 1 - y, "down": y, "slanted": (x + y) / 2, "soft": x,
        "iris": np.hypot(x - 0.5, y - 0.5) / np.hypot(0.5, 0.5), "doors": 2 * abs(x - 0.5),
    }  # fmt: skip
    return ways[kind]


def _shown(kind: str, share: float) -> np.ndarray:
    """Where the new picture shows."""
    edge = 0.15 if kind == "soft" else 0.004
    return ((share * (1 + edge) - _distances(kind)) / edge).clip(0, 1)


def worn(rng: np.random.Generator, frames: Sequence[np.ndarray], wear: float) -> list[np.ndarray]:
    """Flicker, weave, grain, dirt, scratches and flashes of one or two frames; codes."""
    if not wear:
        return [codes(frame) for frame in frames]
    gain, flash, out = 1.0, 0, []
    h, w = SIZE
    grains = rng.normal(0, 6, (16, h + 32, w + 32)).astype(np.float32)
    for frame in frames:
        dy, dx = rng.normal(0, 1.2, 2).round().astype(int)
        gain = 0.6 * (gain - 1) + 1 + rng.normal(0, 0.8 * wear)
        y, x = rng.integers(0, 32, 2)
        dirty = np.roll(frame, (dy, dx), (0, 1)) * gain + grains[rng.integers(16), y : y + h, x : x + w]
        for _ in range(rng.poisson(1)):
            y, x = rng.integers(0, (h - 12, w - 12))
            dirty[y : y + rng.integers(2, 12), x : x + rng.integers(2, 12)] = rng.choice([15, 235])
        if rng.random() < 0.1:
            x = rng.integers(0, w)
            dirty[:, x : x + 2] = 230
        flash = flash - 1 if flash else int(rng.integers(1, 3)) * (rng.random() < 0.02)
        out.append(codes(dirty * 0.3 + 180 if flash else dirty))
    return out


KINDS = {"drawn": lambda: (drawn,) * 8, "photographs": photographs, "films": films}
WEAR = (0.0, 0.12, 0.25)
JOINTS = ("cut",) * 3 + ("dissolve",) * 2 + ("wipe",) * 2


def constructed(kind: str, wear: float, seed: int) -> tuple[list[np.ndarray], Truth]:
    """The reel of eight takes of a kind, the same for the same seed."""
    rng = np.random.default_rng([seed, round(wear * 100), len(kind)])
    pool = KINDS[kind]()
    takes = [pool[i] for i in rng.choice(len(pool), 8, replace=False)]
    return reel(rng, takes, [str(joint) for joint in rng.permutation(JOINTS)], wear)


def ours(frames: Iterable[np.ndarray]) -> Found:
    """What the survey finds in luma planes."""
    return detect(areas(frame) for frame in frames)


def others() -> dict[str, Callable[[Sequence[np.ndarray]], Found]]:
    """PySceneDetect's detectors, on luma and for shots of five frames and more, if it is installed."""
    try:
        from scenedetect import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector, ContentDetector
    except ImportError:
        return {}

    def of(kind: type) -> Callable[[Sequence[np.ndarray]], Found]:
        def found(frames: Sequence[np.ndarray]) -> Found:
            detector, cuts = kind(luma_only=True, min_scene_len=5), []
            for index, frame in enumerate(frames):
                cuts += detector.process_frame(FrameTimecode(index, 24.0), np.dstack([frame] * 3))
            cuts += detector.post_process(FrameTimecode(len(frames) - 1, 24.0))
            return Found([int(cut.frame_num) for cut in cuts])

        return found

    return {kind.__name__: of(kind) for kind in (ContentDetector, AdaptiveDetector)}


def main() -> None:
    """The table of docs/reels.md."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--reels", type=int, default=6, help="of each kind and wear")
    parser.add_argument("--seed", type=int, default=1000, help="of the first")
    asked = parser.parse_args()
    detectors = {"ours": ours, **others()}
    print("| reels | detector | cuts found / false: F1 | dissolves | wipes | false blends | cut to pieces |")
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS:
        for wear in WEAR:
            scores = {name: Score() for name in detectors}
            for seed in range(asked.seed, asked.seed + asked.reels):
                frames, truth = constructed(kind, wear, seed)
                for name, detector in detectors.items():
                    scores[name].add(truth, detector(frames))
            for name, s in scores.items():
                cells = (
                    f"{kind}, {f'worn {wear:.0%}' if wear else 'clean'}", name,
                    f"{s.hits} of {s.cuts} / {s.false}: {s.f1:.3f}", f"{s.dissolve_hits} of {s.dissolves}",
                    f"{s.wipe_hits} of {s.wipes}", str(s.false_blends), str(s.split),
                )  # fmt: skip
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
