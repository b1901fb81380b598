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

from tests.endtoend import run_command
from tests.synthetic import tiny_weights

YCGCO = 8


@dataclass(frozen=True)
class Given:
    """What a run came to. code, said: of the command; out: the output; story: its sidecar."""

    code: int
    said: str
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
    """Whether the display matrix of the output turns the picture over."""
    held: Any = video(given)[5].side_data.get("DISPLAYMATRIX")
    if held is None:
        return "mirror" in given.told
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(held))
    return bool(a * d - b * c < 0)


def covered(given: Given) -> bool:
    """Whether the cover is one again: a picture that is attached, or an attachment; or it is named."""
    with av.open(str(given.out)) as container:
        attached = [s for s in container.streams.video if int(s.disposition) & 0x400]
        return bool(attached or [s for s in container.streams if s.type == "attachment"] or "cover" in given.told)


def names(*words: str) -> Callable[[Given], bool]:
    """Right where the run says these words."""
    return lambda given: given.code == 0 and all(word in given.told for word in words)


def tone(words: str) -> Callable[[Given], bool]:
    """Right where a scan's samples are seen by a tone of these words."""
    return lambda given: words in json.dumps(given.story)


def trimmed(given: Given) -> bool:
    """Whether what an edit list hides is not heard, and is told."""
    _, count, first, *_ = video(given)
    return count == 67 and first < 0.05 and sound_end(given) < 2.8 and "an edit list hides 33" in given.told


def titles(given: Given) -> bool:
    """Whether a title in two files is one reel of all its frames, or each file says which pictures it cannot show."""
    reels = [name for name in colored(given) if name.endswith(".mkv")]
    return len(reels) == 1 and video(Given(0, "", next(given.out.rglob("*.mkv"))))[1] == 100


def of_sequence(given: Given) -> bool:
    """Whether pictures numbered 95 to 112 are one reel."""
    return len(colored(given)) == 1 and video(Given(0, "", next(given.out.rglob("*.mkv"))))[1] == 18


CASES: tuple[tuple[str, str, str, Callable[[Given], bool]], ...] = (
    ("names_case_twins", "", "three outputs whose names differ without case",
     lambda g: len({n.lower() for n in colored(g)}) == 3),
    ("dpx_two_reels_one_stem", "", "two reels and a plate", lambda g: len({n.lower() for n in colored(g)}) == 3),
    ("dpx_numbers_without_zeros", "", "one reel of 18 pictures", of_sequence),
    ("mirrored_matrix.mp4", ".mkv", "mirrored, or named", mirrored),
    ("mirrored_matrix.mp4", ".mp4", "mirrored, or named", mirrored),
    ("proxy_track_first.mkv", ".mkv", "the default picture, 96 wide", lambda g: video(g)[0] == 96),
    ("cover.mp4", ".mkv", "a cover again, or named", covered),
    ("cover.mp4", ".mp4", "a cover again, or named", covered),
    ("cover.mp4", ".mov", "a cover again, or named", covered),
    ("dvd_title_in_two_files", "", "one reel of 100 frames", titles),
    ("dvd_title_in_two_files/VTS_01_2.VOB", ".mkv", "ten pictures that give no frame are told",
     names("10 need a picture that is not in the file", "but for what is named")),
    ("open_gop_start.ts", ".mkv", "78 packets, 76 frames, told", names("78 in the source", "2 need a picture")),
    ("progressive_then_interlaced.ts", ".mkv", "counts of both kinds told", names("25 progressive and 25 interlaced")),
    ("soft_telecine.vob", ".mkv", "24 frames had repeat flags, told", names("24 frames", "repeat")),
    ("soft_telecine.vob", ".mov", "pictures at 24000/1001", lambda g: video(g)[4] == Fraction(24000, 1001)),
    ("edit_list_trim.mp4", ".mkv", "2.7 s from 0, 33 hidden frames told", trimmed),
    ("edit_list_trim.mp4", ".mp4", "2.7 s from 0, 33 hidden frames told", trimmed),
    ("slides_last_10_seconds.mp4", ".mkv", "18 s", lambda g: abs(video(g)[3] - 18) < 0.05),
    ("slides_last_10_seconds.mp4", ".mp4", "18 s", lambda g: abs(video(g)[3] - 18) < 0.05),
    ("slides_last_10_seconds.mp4", ".mov", "18 s", lambda g: abs(video(g)[3] - 18) < 0.05),
    ("ycgco_tag.mp4", ".mkv", "chroma of the matrix that is tagged",
     lambda g: g.code == 1 or video(g)[5].colorspace != YCGCO),
    ("xmp_in_mp4.mp4", ".mkv", "carried or named", names("XMP")),
    ("xmp_in_mp4.mp4", ".mp4", "carried or named", names("XMP")),
    ("png16_linear_gama.png", ".tif", "gAMA applied", tone("gamma 1 applied")),
    ("png8_gama_1.8.png", ".tif", "gAMA applied", tone("gamma 0.55556 applied")),
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
    return Given(done.returncode, done.stdout + done.stderr, out)


def judged(case: tuple[str, str, str, Callable[[Given], bool]], root: Path, weights: Path) -> tuple[bool, str]:
    """Whether an input gives what is right, and the last line that the run said."""
    name, suffix, _, right = case
    with tempfile.TemporaryDirectory() as folder:
        made = given(root / name, suffix, Path(folder), weights)
        try:
            fine = bool(right(made))
        except Exception as error:  # no output, or one that cannot be read
            return False, f"{type(error).__name__}: {error}"
        losses = [line for line in made.said.splitlines() if "not carried over" in line]
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
