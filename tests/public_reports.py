"""Inputs rebuilt from public reports: what each should give, and what it gives, as a table, by `make reports`.

    python -m tests.public_reports ../shared/media/reports

What is right is judged from outputs by PyAV, and from what the run says. The inputs are in none of our repositories.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import tifffile

from tests.endtoend import run_command
from tests.synthetic import tiny_weights


@dataclass(frozen=True)
class Given:
    """What a run came to. code, said: of the command; source, out: its files; story: its sidecar."""

    code: int
    said: str
    source: Path
    out: Path

    @property
    def story(self) -> dict[str, Any]:
        """The sidecar, {} where there is none."""
        path = Path(f"{self.out}.json")
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    @property
    def told(self) -> str:
        """All that the sidecar names and notes, and that was printed."""
        return "\n".join([self.said, *self.story.get("not_carried_over", []), *self.story.get("notes", [])])


def video(given: Given) -> Any:
    """The output's picture: facts of the stream, and its frames."""
    with av.open(str(given.out)) as container:
        stream = max(container.streams.video, key=lambda s: int(s.disposition) & 1)  # the default, else the first
        frames = list(container.decode(stream))
        seconds = Fraction(container.duration or 0, 1_000_000)
        return stream.width, len(frames), frames[0].time, seconds, stream.average_rate, frames[0]


def sound_end(given: Given) -> float:
    """Seconds at which the output's sound ends."""
    with av.open(str(given.out)) as container:
        times = [(p.pts + (p.duration or 0)) * p.time_base for p in container.demux(audio=0) if p.pts is not None]
    return float(max(times))


def colored(given: Given) -> list[str]:
    """Names of what a collection made."""
    return sorted(p.name for p in given.out.rglob("*") if p.suffix in (".tif", ".mkv"))


def mirrored(given: Given) -> bool:
    """Whether the display matrix of the output changes left and right and turns nothing."""
    held: Any = video(given)[5].side_data.get("DISPLAYMATRIX")
    if held is None:
        return False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(held))
    return given.code == 0 and (a < 0 < d) and (b, c) == (0, 0)


def covered(given: Given) -> bool:
    """Whether the cover is one again, byte for byte: an attachment of Matroska, else a picture that is attached."""
    with av.open(str(given.source)) as source, av.open(str(given.out)) as container:
        was, now = (
            [bytes(p) for p in c.demux(*[s for s in c.streams.video if int(s.disposition) & 0x400]) if p.size]
            for c in (source, container)
        )
        named = [s.metadata.get("filename") for s in container.streams if int(s.disposition) & 0x400]
    suits = named == ["cover.jpg"] if given.out.suffix == ".mkv" else True
    return given.code == 0 and was == now and len(was) == 1 and suits


def names(*words: str) -> Callable[[Given], bool]:
    """Right where the run says these words."""
    return lambda given: given.code == 0 and all(word in given.told for word in words)


def tone(words: str) -> Callable[[Given], bool]:
    """Right where a scan's samples are seen by a tone of these words."""
    return lambda given: given.code == 0 and words in json.dumps(given.story)


def trimmed(given: Given) -> bool:
    """Whether what an edit list hides is not heard, and is told."""
    _, count, first, *_ = video(given)
    return (
        given.code == 0
        and count == 67
        and first < 0.05
        and sound_end(given) < 2.8
        and "an edit list hides 33" in given.told
    )


def only_reel(given: Given) -> Given | None:
    """The one output of a collection, a reel; None where it has others, or its run did not end well."""
    made = list(given.out.rglob("*.mkv"))
    whole = given.code == 0 and len(made) == 1 and colored(given) == [made[0].name]
    return Given(0, made[0].with_suffix(".mkv.json").read_text(), given.source, made[0]) if whole else None


def titles(given: Given) -> bool:
    """Whether a title in two files is one reel of all its frames, with nothing that was not shown."""
    made = only_reel(given)
    if made is None:
        return False
    account = made.story["plan"]["account"]
    return (video(made)[1], account["frames"], account["packets"]) == (100, 100, 100)


def of_sequence(given: Given) -> bool:
    """Whether pictures numbered 95 to 112 are one reel in that order, seen by their luma."""
    made = only_reel(given)
    if made is None:
        return False
    folder = given.source if given.source.is_dir() else given.source.parent
    wanted = [picture(folder / f"frame{number}.dpx") for number in range(95, 113)]
    with av.open(str(made.out)) as container:
        found = [frame.to_ndarray(format="gray") for frame in map(luma_of, container.decode(video=0))]
    return len(found) == 18 and all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))


def luma_of(frame: av.VideoFrame) -> av.VideoFrame:
    """Plane 0 alone, as stored."""
    plane = frame.planes[0]
    codes = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(codes), "gray")


def picture(path: Path) -> np.ndarray:
    """The codes of a gray picture."""
    with av.open(str(path)) as container:
        return luma_of(next(container.decode(video=0))).to_ndarray(format="gray")


def by_pattern(given: Given) -> bool:
    """The same of a reel by its pattern."""
    return given.code == 0 and of_sequence(Given(0, given.said, given.source, given.out.parent))


def parted(given: Given, reels: int, frames: int) -> bool:
    """Whether a folder gave so many reels of so many frames, and a plate, under names of their own."""
    made = [Given(0, "", given.source, path) for path in given.out.rglob("*.mkv")]
    names = {name.lower() for name in colored(given)}
    return given.code == 0 and len(names) == reels + 1 and [video(g)[1] for g in made] == [frames] * reels


def telecined(given: Given) -> bool:
    """Whether every picture is shown as long as in the source, at the rate of the film, and the flags are told."""
    with av.open(str(given.source)) as source:
        was = sorted((f.pts * f.time_base, f.duration * f.time_base) for f in source.decode(video=0))
    with av.open(str(given.out)) as made:
        now = [f.pts * f.time_base for f in made.decode(video=0)]
        rate, seconds = made.streams.video[0].average_rate, (made.duration or 0) / 1e6
    moved = max(abs(float((a - was[0][0]) - (b - now[0]))) for (a, _), b in zip(was, now, strict=True))
    lasts = float(was[-1][0] + was[-1][1] - was[0][0])
    told = "24 frames" in given.told and "repeat" in given.told
    return given.code == 0 and told and rate == Fraction(24000, 1001) and moved < 0.0011 and seconds < lasts + 0.6


def flagged(given: Given) -> bool:
    """Whether each frame of the output says as its source's whether it has fields."""
    was, now = ([bool(f.interlaced_frame) for f in frames_in(path)] for path in (given.source, given.out))
    return given.code == 0 and was == now


def frames_in(path: Path) -> list[av.VideoFrame]:
    """All frames of a file's picture."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def slides(given: Given) -> bool:
    """Whether three stills are shown for 5, 3 and 10 seconds."""
    with av.open(str(given.out)) as made:
        times = [f.time for f in made.decode(video=0)]
    return given.code == 0 and times == [0, 5, 8] and abs(video(given)[3] - 18) < 0.05


def retagged(given: Given) -> bool:
    """Whether chroma has the matrix that is tagged, which is another than the source's, and is told."""
    matrix = video(given)[5].colorspace
    return given.code == 0 and matrix in (1, 5, 6, 9) and "YCgCo became" in given.told


def seen(mean: float, words: str) -> Callable[[Given], bool]:
    """Right where a gray scan comes out as light as it is meant, 0 to 1, and is said to be read so."""

    def right(given: Given) -> bool:
        codes = tifffile.imread(given.out).astype(float)
        light = codes.mean() / np.iinfo(tifffile.imread(given.out).dtype).max
        return given.code == 0 and words in json.dumps(given.story) and abs(light - mean) < 0.01

    return right


CASES: tuple[tuple[str, str, str, Callable[[Given], bool]], ...] = (
    ("names_case_twins", "", "three outputs whose names differ without case",
     lambda g: g.code == 0 and len({n.lower() for n in colored(g)}) == 3),
    ("dpx_two_reels_one_stem", "", "two reels of 12 and a plate", lambda g: parted(g, 2, 12)),
    ("dpx_numbers_without_zeros", "", "one reel of 18 pictures in their order", of_sequence),
    ("dpx_numbers_without_zeros/frame%d.dpx", ".mkv", "one reel of 18 pictures in their order", by_pattern),
    ("mirrored_matrix.mp4", ".mkv", "mirrored, not turned", mirrored),
    ("mirrored_matrix.mp4", ".mp4", "mirrored, not turned", mirrored),
    ("proxy_track_first.mkv", ".mkv", "the default picture, 96 wide, told",
     lambda g: g.code == 0 and video(g)[0] == 96 and "track 1 (96 x 72) is colored" in g.told),
    ("cover.mp4", ".mkv", "a cover again, byte for byte", covered),
    ("cover.mp4", ".mp4", "a cover again, byte for byte", covered),
    ("cover.mp4", ".mov", "a cover again, byte for byte", covered),
    ("dvd_title_in_two_files", "", "one reel of 100 frames", titles),
    ("dvd_title_in_two_files/VTS_01_2.VOB", ".mkv", "ten pictures that give no frame are told",
     names("10 need a picture that is not in the file", "but for")),
    ("open_gop_start.ts", ".mkv", "78 packets, 76 frames, told", names("78 in the source", "2 need a picture")),
    ("progressive_then_interlaced.ts", ".mkv", "counts of both kinds told", names("25 progressive, 25 ")),
    ("progressive_then_interlaced.ts", ".mp4", "each frame is called what it is", flagged),
    ("soft_telecine.vob", ".mkv", "24000/1001, times as they are, 24 flags told", telecined),
    ("soft_telecine.vob", ".mov", "24000/1001, times as they are, 24 flags told", telecined),
    ("edit_list_trim.mp4", ".mkv", "2.7 s from 0, 33 hidden frames told", trimmed),
    ("edit_list_trim.mp4", ".mp4", "2.7 s from 0, 33 hidden frames told", trimmed),
    ("slides_last_10_seconds.mp4", ".mkv", "5, 3 and 10 s", slides),
    ("slides_last_10_seconds.mp4", ".mp4", "5, 3 and 10 s", slides),
    ("slides_last_10_seconds.mp4", ".mov", "5, 3 and 10 s", slides),
    ("ycgco_tag.mp4", ".mkv", "chroma of the matrix that is tagged, told", retagged),
    ("xmp_in_mp4.mp4", ".mkv", "carried or named", names("XMP")),
    ("xmp_in_mp4.mp4", ".mp4", "carried or named", names("XMP")),
    ("png16_linear_gama.png", ".tif", "gAMA applied: mean 0.601", seen(0.601, "gamma 1 applied")),
    ("png8_gama_1.8.png", ".tif", "gAMA applied: mean 0.654", seen(0.654, "gamma 0.55556 applied")),
    ("apng_3_pictures.png", ".tif", "further pictures named", names("2 of further pictures")),
    ("webp_3_pictures.webp", ".tif", "further pictures named", names("3 pictures of an animation")),
    ("jpeg_comment_and_exif_description.jpg", ".tif", "the comment kept or named", names("Exif says another")),
    ("jpeg_photoshop_copyright.jpg", ".tif", "flag and URL named", names("copyright flag", "URL")),
    ("tiff_12_bits_in_16_maxsample.tif", ".tif", "4095 is white", tone("0 to 4095 as black to white")),
    ("jpeg_padded_to_block.jpg", ".tif", "colored, padding named", names("bytes behind the end of the JPEG picture")),
)  # fmt: skip
"""Input, suffix of the output ("": of a collection), what is right, and whether it is."""


def given(source: Path, suffix: str, folder: Path, weights: Path) -> Given:
    """Color an input."""
    out = folder / f"out{suffix}"
    still = suffix == ".tif"
    command = "archive" if not suffix else "scan" if still else "reel"
    done = run_command(command, source, out, "--weights", weights, "--working-size", 32, "--ray", "none")
    return Given(done.returncode, done.stdout + done.stderr, source, out)


def judged(case: tuple[str, str, str, Callable[[Given], bool]], root: Path, weights: Path) -> tuple[bool, str]:
    """Whether an input gives what is right, and the last line that the run said."""
    name, suffix, _, right = case
    with tempfile.TemporaryDirectory() as folder:
        made = given(root / name, suffix, Path(folder), weights)
        try:
            fine = bool(right(made))
        except Exception as error:  # no output, or one that cannot be read
            return False, f"{type(error).__name__}: {error}"
        losses = [line for line in made.said.splitlines() if "lost: " in line]
        return fine, (losses or made.said.strip().splitlines() or [""])[-1].replace(folder, "")


def main(root: Path) -> int:
    """Print the table; how many are not right."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        weights = tiny_weights(Path(folder) / "tiny.safetensors")
        for case in CASES:
            fine, said = judged(case, root, weights)
            wrong += not fine
            name = f"{case[0]}{' to ' + case[1] if case[1] else ''}"
            print(f"{'right' if fine else 'WRONG'} | {name} | {case[2]} | {said[:110]}", flush=True)
    print(f"{len(CASES) - wrong} of {len(CASES)} are right")
    return wrong


if __name__ == "__main__":
    sys.exit(min(1, main(Path(sys.argv[1]))))
