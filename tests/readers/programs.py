"""Readers that are none of ours: programs of Debian's packages, what they say of a file, and a picture server."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PACKAGES = {
    "ffprobe": "ffmpeg", "mediainfo": "mediainfo", "mediaconch": "mediaconch", "exiftool": "libimage-exiftool-perl",
    "mkvextract": "mkvtoolnix", "mkvinfo": "mkvtoolnix", "tiffinfo": "libtiff-tools", "vips": "libvips-tools",
    "openslide-show-properties": "openslide-tools", "openslide-write-png": "openslide-tools",
    "/usr/lib/iipimage-server/iipsrv.fcgi": "iipimage-server",
}  # fmt: skip
"""The package that brings a program."""
SERVER = "/usr/lib/iipimage-server/iipsrv.fcgi"
DEADLINE = 60.0
"""Seconds that a program may take on a busy machine."""


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test where programs are missing, and says which package brings them."""
    missing = sorted({PACKAGES[p] for p in programs if shutil.which(p) is None})
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (Debian's packages)")


def said(*command: object, quiet: bool = True) -> str:
    """What a program prints. quiet: it must complain of nothing."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    assert not (quiet and done.stderr), done.stderr
    return done.stdout


def ffprobe(path: Path) -> dict[str, Any]:
    """Streams, chapters and tags as Debian's FFprobe tells them, which decodes every frame of the picture."""
    shown = ("-show_format", "-show_streams", "-show_chapters", "-count_frames", "-of", "json")
    found: dict[str, Any] = json.loads(said("ffprobe", "-v", "error", *shown, path))
    return found


def mediainfo(path: Path) -> list[dict[str, Any]]:
    """The tracks as MediaInfo tells them; the first is the file itself."""
    tracks: list[dict[str, Any]] = json.loads(said("mediainfo", "--Output=JSON", path))["media"]["track"]
    return tracks


def mediaconch(path: Path) -> str:
    """MediaConch's implementation check: "pass!", "fail!" with its reasons, or "N/A!" for a format it has none of."""
    return said("mediaconch", "-mc", path)


def exiftool(path: Path, *options: str) -> dict[str, Any]:
    """What ExifTool finds, by group and name."""
    [found] = json.loads(said("exiftool", "-j", "-G1", *options, path))
    return dict(found)


@contextmanager
def picture_server(root: Path) -> Iterator[Server]:
    """IIPImage's server of the pictures below a folder, on a free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [SERVER, "--bind", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={"FILESYSTEM_PREFIX": f"{root}/", "LOGFILE": str(root / "iipsrv.log"), "VERBOSITY": "1"},
    ) as process:  # fmt: skip
        try:
            end = time.monotonic() + DEADLINE
            while not _answers(port):
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.05)
            yield Server(port)
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Server:
    """A FastCGI responder (FastCGI 1.0, section 6.2) on the loopback."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, query: str) -> bytes:
        """The body of its answer."""
        words = {"QUERY_STRING": query, "REQUEST_METHOD": "GET", "HTTP_HOST": "localhost", "REQUEST_URI": f"/?{query}"}
        params = b"".join(
            struct.pack(">BI", len(k), len(v) | 1 << 31) + k.encode() + v.encode() for k, v in words.items()
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as line:
            line.sendall(
                _record(1, struct.pack(">HB5x", 1, 0)) + _record(4, params) + _record(4, b"") + _record(5, b"")
            )
            raw = b"".join(iter(lambda: line.recv(1 << 16), b""))
        answer, at = b"", 0
        while at + 8 <= len(raw):
            kind, length, padding = struct.unpack(">xB2xHBx", raw[at : at + 8])
            answer += raw[at + 8 : at + 8 + length] if kind == 6 else b""
            at += 8 + length + padding
        _, _, body = answer.partition(b"\r\n\r\n")
        return body


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack(">BBHHBx", 1, kind, 1, len(data), 0) + data
