"""What ExifTool and MediaInfo list of a file and of no output, and no run names: as a table, by `make witnesses`.

    python -m tests.witnesses ../shared/media

Reels are colored into .mkv and .mp4, stills into .tif. A text or date that a reader lists of the source must be listed
of the output by any reader, under whatever name, or stand in the sidecar. Tags that say how a file is laid out, coded
or timed are left out by their names. What is printed is for a person to judge: readers make texts of numbers, too.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.values.suffixes import REELS
from tests.endtoend import run_command
from tests.synthetic import tiny_weights

STILLS = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".exr", ".dpx", ".webp")
WORDS = re.compile(
    r"date|title|author|artist|creator|copyright|comment|descri|rights|gps|location|coordinat|keyword|language|identif"
    r"|^make$|model|subject|rating|album|camera|credit|source$|city|country|name$|caption|headline|url|text|info"
    r"|emphasis|threshold|halftone|gamma|chromatic|whitepoint|orientation|resolution|serial|lens|owner|reel|scene",
    re.IGNORECASE,
)
"""Names of tags that say something of the film; all others say how it is laid out, coded or timed."""
STRUCTURE = re.compile(
    r"^(File|Directory|SourceFile|Warning|Error|Handler|Media(Duration|Language|Header)|Compressor|ExifByte|.*Version"
    r"|Encod|ColorSpace|.*_Source$|Format|Codec|MIMEType|.*Bitrate|.*TrackUID|TrackName$|Profile|ICC|Text(Face|Font|Size"
    r"|Color|Junk)|FontName|Thumbnail|.*(Offset|Length)$|ServiceType|StreamName|LangName|Duration|Delay|.*CodecName"
    r"|.*CodecDescription|(X|Y)Resolution$|ResolutionUnit|DeviceM|SlicesGroupName|Encoded_Library|AttachedFile|Filter)"
)
"""Of those the ones that do not after all, by the way that readers name things."""
READERS = (
    ("exiftool", ["exiftool", "-j", "-G1", "-a", "-s", "-ee", "-struct"]),
    ("MediaInfo", ["mediainfo", "--Output=JSON"]),
    ("ffprobe", ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json"]),
)


def listed(command: list[str], path: Path) -> list[tuple[str, str]]:
    """Names and texts that a reader lists of a file; nothing where it cannot read it."""
    done = subprocess.run([*command, str(path)], capture_output=True, timeout=120, check=False)
    try:
        return list(_flat(json.loads(done.stdout.decode("utf-8", "replace"))))
    except ValueError:
        return []


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, name)
    else:
        yield name, str(value)


def plain(text: str) -> str:
    """A text without what readers add; of a date its digits."""
    digits = re.sub(r"\D", "", text)
    dated = re.match(r"\s*(UTC )?\d{4}[-:/]\d{2}[-:/]\d{2}", text)
    return digits[:12] if dated and len(digits) >= 8 else " ".join(text.split()).casefold()


def named(tag: str, told: str) -> bool:
    """Whether a run names a tag by its name, or the packet of XMP that it is in."""
    group, _, name = tag.rpartition(":")
    bare = told.casefold().replace(" ", "")
    return (len(name) > 5 and name.casefold() in bare) or (group.startswith("XMP") and "xmp" in bare)


def unseen(source: Path, out: Path) -> list[str]:
    """What no reader lists of an output, and no line of its sidecar says."""
    there = {plain(text) for _, command in READERS for _, text in listed(command, out)}
    story = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
    told = " ".join([*story["not_carried_over"], *story["notes"], json.dumps(story.get("tracks", []))])
    digits, held = re.sub(r"\D", "", told), " ".join(there)
    found = []
    for reader, command in READERS[:2]:
        for tag, text in listed(command, source):
            name, word = tag.rpartition(":")[2], plain(text)
            silent = not re.search(r"[a-z]{3}|[1-9]\d{3}", word) or not WORDS.search(name) or STRUCTURE.match(name)
            if (
                silent
                or named(tag, told)
                or word in held
                or word in told.casefold()
                or (word.isdigit() and word in digits)
            ):
                continue
            found.append(f"{reader}: {tag} = {text[:80]!r}")
    return sorted(set(found))


def colored(root: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Color every file of the test media in one run; sources and their outputs."""
    rows = []
    for path in sorted(root.glob("*/*")):
        suffix, name = path.suffix.lower(), "__".join(path.relative_to(root).parts)
        kinds = [(".mkv", "archive"), (".mp4", "access")] if suffix in REELS else [(".tif", "")] * (suffix in STILLS)
        rows += [(str(path), f"{name}{out}", profile) for out, profile in kinds if path.is_file()]
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "out", "profile"), *rows])
    weights = tiny_weights(folder / "tiny.safetensors")
    how = ("--weights", weights, "--working-size", 32, "--precision", "fp32", "--progress", "none")
    run_command("archive", folder / "list.csv", folder / "out", *how)
    for path, name, _ in rows:
        if (folder / "out" / name).exists():
            yield Path(path), folder / "out" / name


def main(root: Path) -> int:
    """Print the table; how many lines it has."""
    lines = files = 0
    with tempfile.TemporaryDirectory() as folder:
        for source, out in colored(root, Path(folder)):
            files += 1
            for line in unseen(source, out):
                lines += 1
                print(f"neither | {source.relative_to(root)} to {out.suffix} | {line}", flush=True)
    print(f"{lines} texts of the sources of {files} outputs are neither carried nor named in these words")
    return lines


if __name__ == "__main__":
    sys.exit(min(1, main(Path(sys.argv[1]))))
