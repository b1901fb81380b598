"""What an archive keeps beside an output: digests of every frame's luma, and a manifest of all files.

Both are read by common tools: `ffmpeg -i OUT -map 0:v:0 -vf extractplanes=y -f framemd5 -` prints the first again, and
`sha256sum --check manifest-sha256.txt` holds the second (as in a BagIt bag; RFC 8493, 2.1.3) against the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter

from colorizer.basis.atomic import claim, publish, scratch_of, write_bytes
from colorizer.basis.errors import JoinError, LedgerError
from pipeline.reels.reel import open_source, readable
from pipeline.storage.atomic import read_json, sha256, writable
from pipeline.storage.job_folder import CAPTIONS, DIGESTS, SIDECAR

MANIFEST = "manifest-sha256.txt"
LINE = re.compile(r"^(\\?)([0-9a-f]{64}) [ *](.+)$", re.MULTILINE)


def write_framemd5(reel: Path, target: Path) -> int:
    """Digests of the luma of every frame of a reel with a luma plane, in FFmpeg's framemd5 format; how many.

    Raises SourceError for a file that does not decode, StorageError where nothing can be written.
    """
    scratch, count = scratch_of(target, ""), 0
    with readable(str(reel)), open_source(str(reel)) as source, writable(target):
        picture = source.streams.video[0]
        graph = av.filter.Graph()
        chain = graph.add_buffer(template=picture), graph.add("extractplanes", "y"), graph.add("buffersink")
        chain[0].link_to(chain[1])
        chain[1].link_to(chain[2])
        graph.configure()
        claim(scratch)
        with av.open(str(scratch), "w", format="framemd5") as sink:
            stream = sink.add_stream("rawvideo", rate=picture.average_rate)
            stream.width, stream.height = picture.width, picture.height
            for frame in source.decode(picture):
                graph.push(frame)
                luma: Any = graph.pull()
                if not count:
                    stream.pix_fmt = luma.format.name
                    stream.time_base = stream.codec_context.time_base = picture.time_base or Fraction(1, 1000)
                sink.mux(stream.encode(luma))
                count += 1
            sink.mux(stream.encode())
    with writable(target):
        publish(scratch, target)
    return count


def hashes(path: Path) -> list[str]:
    """The digests in a framemd5 file, in order."""
    lines = path.read_text(encoding="ascii").splitlines()
    return [line.rpartition(",")[2].strip() for line in lines if line and not line.startswith("#")]


def read_manifest(folder: Path) -> dict[str, str]:
    """Digests by place, as FOLDER/manifest-sha256.txt has them; nothing where there is none."""
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}
    found = {}
    for escaped, digest, place in LINE.findall(text):
        found[_unescaped(place) if escaped else place] = digest
    return found


def _unescaped(place: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), place)


def write_manifest(folder: Path, digests: Mapping[str, str]) -> Path:
    """Write FOLDER/manifest-sha256.txt. digests: sha256 in hex by a file's place below the folder."""
    target = folder / MANIFEST
    # sha256sum's own escapes for names that would break a line
    lines = []
    for place, digest in sorted(digests.items()):
        plain = place.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f"{chr(92) if plain != place else ''}{digest}  {plain}\n")
    with writable(target):
        data = "".join(lines).encode("utf-8", "surrogateescape")  # sha256sum reads bytes
        write_bytes(target, data, scratch_of(target, ""))
    return target


def keep_proof(reel: Path, digests: Sequence[str], exact: bool) -> Path:
    """Write OUT.framemd5 beside a reel's output. digests: of the source's luma; exact: they must be the output's too.

    Raises JoinError if they are not.
    """
    target = reel.with_name(f"{reel.name}{DIGESTS}")
    write_framemd5(reel, target)
    if exact and hashes(target) != list(digests):
        target.unlink()
        raise JoinError(f"{reel}: the digests of its frames are not its source's; run the same command again")
    return target


def digests_of(folder: Path, place: str) -> dict[str, str]:
    """Digests of an output and of what lies beside it, by place. place: relative to the folder.

    An output's is taken from its sidecar, which was written when the output was read through; an output without one is
    read, if it is here.
    """
    sidecar, found = folder / f"{place}{SIDECAR}", {}
    try:
        found[place] = str(read_json(sidecar)["output"]["sha256"])
    except (LedgerError, KeyError, TypeError):
        if (folder / place).is_file():
            found[place] = sha256(folder / place)
    for beside in (sidecar, folder / f"{place}{DIGESTS}", folder / f"{place}{CAPTIONS}"):
        if beside.exists():
            found[beside.relative_to(folder).as_posix()] = sha256(beside)
    return found
