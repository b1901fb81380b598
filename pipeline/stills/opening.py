"""Opens scans: TIFF by strips and tiles, other pictures whole. `Scan` and `ScanReader` are in reader.

with open_scan("plate.tif") as reader:
    band = reader.read(0, 0, 512, reader.scan.width)
"""

from __future__ import annotations

from pathlib import Path

from colorizer.basis.errors import SourceError, UnreadableSource, UnsupportedSource
from pipeline.stills.layout import MAX_BYTES, TOO_LITTLE_MEMORY
from pipeline.stills.pictures import open_picture
from pipeline.stills.reader import ScanReader
from pipeline.stills.tiff import open_tiff

MAX_PIXELS = 8_000_000_000
"""A picture larger than this is refused; the largest plates scanned today have a quarter of it."""
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_scan(
    path: str | Path, page: int = 0, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, inverted: bool = False
) -> ScanReader:  # fmt: skip
    """Open one page of a scan. page: from 0, among the file's full pictures.

    max_bytes: decoded ones held at a time: of the largest strip or tile, of other pictures all. More is refused.
    inverted: it is a negative, of which the positive is read, whatever its file says of the polarity of its samples.

    Raises SourceError (no such file or page), UnsupportedSource, UnreadableSource or DamagedSource: within seconds, and
    before anything is allocated because a header says so.
    """
    if page < 0:
        raise SourceError(str(path), f"has no page {page}: pages are counted from 0")
    reader = _open(path, page, max_pixels, max_bytes)
    reader.inverted = inverted
    return reader


def open_whole(path: str | Path, max_pixels: int) -> ScanReader:
    """Open the first page of a still so that all of its samples can be had as stored, which takes more memory.

    Raises as `open_scan`.
    """
    return _open(path, 0, max_pixels, MAX_BYTES, keep=True)


def _open(path: str | Path, page: int, max_pixels: int, max_bytes: int, keep: bool = False) -> ScanReader:
    name = str(path)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - the reader closes it
    except FileNotFoundError as error:
        raise SourceError(name, "no such file") from error
    except IsADirectoryError as error:
        raise SourceError(name, "a folder, not a scan; name the files in it") from error
    except OSError as error:
        raise UnreadableSource(name, f"cannot be read: {error.strerror or error}") from error
    try:
        start = file.read(4)
        if not start:
            raise SourceError(name, "the file is empty")
        if start in TIFF:
            reader = open_tiff(file, name, page, max_pixels, max_bytes)
        elif page:
            raise SourceError(name, f"has no page {page}: it is a single picture")
        else:
            reader = open_picture(file, name, max_pixels, max_bytes, keep)
            file.close()
        return reader
    except BaseException as error:
        file.close()
        if isinstance(error, MemoryError):
            raise UnsupportedSource(name, TOO_LITTLE_MEMORY) from error
        if isinstance(error, OSError):
            raise UnreadableSource(name, f"cannot be read: {error.strerror or error}") from error
        raise
