"""Stores: folders elsewhere, by URI (s3://, gs://, memory://, smb:// and whatever else fsspec knows).

Files are fetched whole and put whole. Object stores show a file only when all of it is there; where a store has
renames instead, a file grows under another name first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from errno import EINVAL, ENAMETOOLONG, ENOSPC
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from colorizer.basis.atomic import claim, publish, scratch_of
from colorizer.basis.errors import ColorizeError, SourceError, StorageError
from colorizer.basis.installing import install
from pipeline.values.secrets import SECRET

S = TypeVar("S")
T = TypeVar("T")

OBJECTS = frozenset(["s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss", "memory"])
"""Stores in which a file is there at once and whole."""
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
"""What brings a store's package."""
VERSIONS = ("ETag", "etag", "generation", "md5Hash", "content_md5", "mtime", "LastModified", "last_modified", "created")
"""What the stores call that which changes with a file's content, the surest first."""
PAUSES = (1.0, 5.0, 20.0, 60.0, 180.0)
"""Seconds before another attempt: a network that is gone for some minutes does not end a night."""
FINAL = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError, ImportError, ValueError, TypeError)
UNSENT = ("NoCredentialsError", "PartialCredentialsError", "RefreshError", "DefaultCredentialsError")
"""Errors that another attempt would meet again; the second kind by name, since their libraries may not be here."""
OF_A_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
REFUSED = frozenset(
    ["ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "RequestTimeTooSkewed", "SignatureDoesNotMatch"]
)
"""What S3 says where it is the credentials that will not do, whatever is asked for with them."""

AT_ONCE = 16
"""Requests in flight, where there are many small ones."""

_haste: ContextVar[Event] = ContextVar("haste", default=Event())  # noqa: B039 - the default is never set


def is_uri(text: str) -> bool:
    """Whether a text names something in a store, not a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


SHORTEST = 4
"""Letters of a password from which it is looked for by itself; shorter ones are part of any word."""


def masked(uri: str) -> str:
    """A URI without the name and password that may be in it, and without what its query says of keys and tokens."""
    return SECRET.sub(r"\1***", re.sub(r"://[^/]*@", "://", uri))


@lru_cache(maxsize=16)
def _opened(uri: str) -> tuple[Any, str]:
    from fsspec.core import get_filesystem_class  # here, so that commands which need no store start without it

    # url_to_fs does this too, but would take a "::" in a name or in a host's address for two stores, one in the other
    kind: Any = get_filesystem_class(urlsplit(uri).scheme)
    return kind(**kind._get_kwargs_from_urls(uri)), kind._strip_protocol(uri).rstrip("/")


def _why(error: Exception, uri: str) -> str:
    """An error of whatever library the store has, in a line."""
    scheme = urlsplit(uri).scheme
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if "storage class" in str(error).lower():  # S3's InvalidObjectState comes as a refusal, too
        return "archived in its store (Glacier or alike); restore it there first, then run the command again"
    if isinstance(error, PermissionError):
        return "may not be read or written; check the credentials this process has"
    if type(error).__name__ in UNSENT:
        return "no credentials are found; set those its library reads (S3: AWS_PROFILE, or AWS_ACCESS_KEY_ID and more)"
    if isinstance(error, ImportError):
        what = install(EXTRAS[scheme]) if scheme in EXTRAS else " ".join(str(error).split())
        return f"{scheme}:// needs a package that is not installed; {what}"
    if isinstance(error, ValueError) and "rotocol" in str(error):
        return f"no store is called {scheme}://; fsspec knows {', '.join(sorted(EXTRAS))}, memory, smb, sftp and more"
    text = " ".join(str(error).split()) or type(error).__name__
    return masked(_unnamed(text, uri))[:300]


def _unnamed(text: str, uri: str) -> str:
    """What a library says, without the name and password of a URI, which it may repeat in parts or in other forms."""
    for told in (uri, unquote(uri)):
        holder = told.partition("://")[2].partition("/")[0].rpartition("@")[0]
        word = holder.partition(":")[2]
        text = text.replace(f"{holder}@", "") if holder else text
        text = text.replace(word, "***") if len(word) >= SHORTEST else text
    return text


@contextmanager
def hasty() -> Iterator[None]:
    """While this lasts, this thread tries once: a person waits for it, or it is tried again soon in any case."""
    now = Event()
    now.set()
    before = _haste.set(now)
    try:
        yield
    finally:
        _haste.reset(before)


def _patiently(work: Callable[[], T]) -> T:
    """Do something in a store, again after a while if the network lets it down."""
    haste = _haste.get()
    for pause in PAUSES:
        try:
            return work()
        except FINAL:
            raise
        except Exception as error:
            if type(error).__name__ in UNSENT or getattr(error, "errno", None) in (EINVAL, ENAMETOOLONG, ENOSPC):
                raise
            if haste.is_set():
                raise
            haste.wait(pause)
    return work()


def in_parallel(uri: str, work: Callable[[S], T], things: Sequence[S]) -> list[T]:
    """Results of something small that is asked of a store about many things, in order, many at a time.

    An answer takes as long as the way there and back, which a thousand in a row make minutes. Only object stores are
    asked so: other stores have one connection. The first error is raised, and what is in flight then hurries.
    """
    if urlsplit(uri).scheme not in OBJECTS:
        return [work(thing) for thing in things]
    haste = Event()
    if _haste.get().is_set():
        haste.set()

    def one(thing: S) -> T:
        _haste.set(haste)
        return work(thing)

    pool = ThreadPoolExecutor(AT_ONCE, "store")
    try:
        return list(pool.map(one, things))
    except BaseException:
        haste.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def reading(uri: str) -> Iterator[None]:
    """Maps what is wrong with one file to SourceError, all else to StorageError: other files would meet it too."""
    try:
        yield
    except ColorizeError:
        raise
    except Exception as error:
        if _of_a_file(error, uri):
            raise SourceError(masked(uri), _why(error, uri)) from error
        raise StorageError(
            f"{masked(uri)}: cannot be read: {_why(error, uri)}; fix this, then run the command again"
        ) from error


def _of_a_file(error: Exception, uri: str) -> bool:
    """Whether an error has its reason in one file. A refusal may be of the file or of whoever asks."""
    if isinstance(error, OF_A_FILE) or getattr(error, "errno", None) == ENAMETOOLONG:
        return True
    if not isinstance(error, PermissionError) and getattr(error, "errno", None) != EINVAL:
        return False
    return not _is_refused(error) and not _is_refused(_met_by_others(uri))


def _met_by_others(uri: str) -> Exception | None:
    """What a look at a file's folder meets; its answer has the reason in it, which that of a look at a file lacks."""
    try:
        fs, folder = _opened(uri.rpartition("/")[0])
        fs.ls(folder, detail=False)
    except Exception as error:
        return error
    return None


def _is_refused(error: BaseException | None) -> bool:
    response = getattr(error and error.__cause__, "response", None)
    text = response.get("Error") if isinstance(response, dict) else None
    return type(error).__name__ in UNSENT or (isinstance(text, dict) and text.get("Code") in REFUSED)


@contextmanager
def writing(uri: str) -> Iterator[None]:
    """Maps what fails to StorageError."""
    try:
        yield
    except ColorizeError:
        raise
    except Exception as error:
        raise StorageError(
            f"{masked(uri)}: cannot be written: {_why(error, uri)}; fix this, then run the command again"
        ) from error


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a store. place: below the store, with forward slashes. stamp: differs when the content does."""

    place: str
    bytes: int
    stamp: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Store:
    """A folder in a store, or one file. Can be sent to other processes; credentials come from their surroundings."""

    uri: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "uri", self.uri.rstrip("/"))

    def at(self, place: str) -> str:
        """The URI of a file in it."""
        return f"{self.uri}/{place}" if place else self.uri

    def _path(self, place: str) -> tuple[Any, str]:
        fs, root = _opened(self.uri)
        return fs, f"{root}/{place}" if place else root

    def check(self) -> None:
        """Find out, without patience, whether the store answers. Raises SourceError, StorageError."""
        with reading(self.uri):
            fs, root = _opened(self.uri)
            fs.invalidate_cache()
            fs.exists(root)
            with suppress(FileNotFoundError):
                fs.ls(root, detail=False)

    def find(self, place: str = "") -> dict[str, StoredFile]:
        """All files below a folder, by their place. None is no error. Raises SourceError, StorageError."""
        with reading(self.at(place)):
            fs, path = self._path(place)
            fs.invalidate_cache()
            try:
                found = _patiently(lambda: fs.find(path, detail=True))
            except FileNotFoundError:
                return {}
        root = _opened(self.uri)[1]
        entries = {}
        for name, info in found.items():
            below = name.removeprefix(root).lstrip("/")
            if info.get("type", "file") == "file" and below and not below.endswith("/"):
                entries[below] = _entry(below, info)
        return entries

    def look(self, place: str = "") -> StoredFile | None:
        """A file as it is now, or None. Raises SourceError, StorageError."""
        with reading(self.at(place)):
            fs, path = self._path(place)
            fs.invalidate_cache()
            try:
                info = _patiently(lambda: fs.info(path))
            except FileNotFoundError:
                return None
        return _entry(place, info) if info.get("type") == "file" else None

    def pull(self, place: str, path: Path) -> StoredFile:
        """Fetch a file; `path` appears whole or not at all. Raises SourceError, StorageError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = scratch_of(path)
        with reading(self.at(place)):
            fs, remote = self._path(place)
            try:
                for _ in range(2):
                    entry = self.look(place)
                    if entry is None:
                        raise FileNotFoundError(self.at(place))
                    claim(part)
                    _patiently(lambda: fs.get_file(remote, str(part)))
                    if part.stat().st_size == entry.bytes and self.look(place) == entry:
                        publish(part, path, lasting=False)
                        return entry
                raise SourceError(masked(self.at(place)), "it changes while it is read; try again when it is at rest")
            finally:
                part.unlink(missing_ok=True)

    def push(self, path: Path, place: str) -> StoredFile:
        """Put a file, whole or not at all. Raises StorageError."""
        size = path.stat().st_size
        with writing(self.at(place)):
            fs, remote = self._path(place)
            if urlsplit(self.uri).scheme in OBJECTS:
                _patiently(lambda: fs.put_file(str(path), remote))
            else:
                part = str(scratch_of(PurePosixPath(remote), ""))
                fs.makedirs(remote.rpartition("/")[0], exist_ok=True)
                _patiently(lambda: fs.put_file(str(path), part))
                _patiently(lambda: fs.mv(part, remote))
            entry = self.look(place)
            if entry is None or entry.bytes != size:
                raise OSError("it is not there as it was sent")
        return entry

    def read(self, place: str) -> bytes | None:
        """A small file, or None. Raises SourceError, StorageError."""
        with reading(self.at(place)):
            fs, path = self._path(place)
            try:
                return bytes(_patiently(lambda: fs.cat_file(path)))
            except FileNotFoundError:
                return None

    def write(self, place: str, data: bytes) -> None:
        """A small file. Raises StorageError."""
        with writing(self.at(place)):
            fs, path = self._path(place)
            if urlsplit(self.uri).scheme not in OBJECTS:
                fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            _patiently(lambda: fs.pipe_file(path, data))

    def remove(self, place: str) -> None:
        """Remove a file, or a folder with all in it, if it is there. Raises StorageError."""
        with writing(self.at(place)):
            fs, path = self._path(place)
            fs.invalidate_cache()
            for name in _patiently(lambda: fs.find(path)):  # rm would take some signs in a name for patterns
                with suppress(FileNotFoundError):
                    _patiently(partial(fs.rm_file, name))

    def open(self, place: str) -> Any:
        """A file to read in, by ranges. Raises SourceError."""
        with reading(self.at(place)):
            fs, path = self._path(place)
            fs.invalidate_cache()
            return fs.open(path, "rb")


def _entry(place: str, info: dict[str, Any]) -> StoredFile:
    size = int(info.get("size") or 0)
    version = next((info[name] for name in VERSIONS if info.get(name)), "")
    if isinstance(version, datetime):  # what lists a file and what looks at it need not agree on how to say a time
        version = version.timestamp()
    return StoredFile(place, size, (size, f"{version:.6f}" if isinstance(version, float) else str(version)))


def store_of(uri: str) -> tuple[Store, str]:
    """The store of one file, and its place in it."""
    folder, _, name = uri.rpartition("/")
    return Store(folder), name


def fetch_bytes(uri: str) -> bytes:
    """A small file of a store. Raises SourceError."""
    store, place = store_of(uri)
    data = store.read(place)
    if data is None:
        raise SourceError(masked(uri), "no such file")
    return data
