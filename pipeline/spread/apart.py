"""Apart: one process beside this one, for what may end its process, as native decoders do on some bytes.

Its death is WorkerDied, an ordinary failed try; the next call starts another. It is asked in JSON and bytes, and
answers in JSON and one array: nothing that it sends is run, and nothing is allocated that the caller did not foresee.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from colorizer.basis.errors import DamagedSource, SourceError, UnreadableSource, UnsupportedSource, WorkerDied
from pipeline.values.words import signal_name

Answer = tuple[Any, np.ndarray | None]
"""Of a function that is called apart: plain values, and an array or None. It is given plain values and bytes."""

ROOT = Path(__file__).parents[2]
START = "import sys; sys.path.insert(0, sys.argv[1]); from pipeline.spread.apart import answer; answer(sys.argv[2:])"
SOURCE_ERRORS = {kind.__name__: kind for kind in (SourceError, UnsupportedSource, DamagedSource, UnreadableSource)}
MOST_WORDS = 1 << 26
"""Bytes of an answer's plain values."""
PIPE = 1 << 20
"""Bytes that fit into a pipe, which are sent without waiting."""
PATIENCE = 5.0
"""Seconds that an idle process has to end when it is told to."""


class Failed(Exception):
    """What another library raised there, in its words."""


class Apart:
    """A process of one's own, started when it is first needed. modules: imported there before all else.

    May be called by any thread; calls come one after the other.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self.modules = tuple(modules)
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def call(self, function: str, values: Any, data: Sequence[bytes] = (), most: int = 0) -> Answer:
        """What a function, as "module:name", makes of plain values and bytes. most: bytes of the array it may give.

        Raises WorkerDied where the process ended, SourceError and MemoryError as they are raised there, and Failed.
        """
        with self._lock:
            process = self._running()
            try:
                send(cast(BinaryIO, process.stdin), {"function": function, "values": values, "folder": _folder()}, data)
                reply, array = _received(cast(BinaryIO, process.stdout), most)
            except (OSError, EOFError) as error:
                raise WorkerDied(f"the process that decodes ended ({self._end(process)})") from error
            except ValueError as error:
                self._end(process)
                raise WorkerDied(f"the process that decodes answered what makes no sense ({error})") from error
            except BaseException:  # a stop midway: what would come next is the reply to this
                self._end(process)
                raise
        if "error" in reply:
            raise _raised(reply)
        return reply["values"], array

    def _running(self) -> subprocess.Popen[bytes]:
        """The process; another one where it has ended, or belongs to the process that this one was forked from."""
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._process, self._owner = _started(self.modules), os.getpid()
        return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> str:
        """End a process; of what it died, in words."""
        self._process = None
        for pipe in (process.stdin, process.stdout):
            _close(pipe)
        try:
            code = process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "it did not end by itself"
        return _words(code)

    def close(self) -> None:
        """Let the process go."""
        with self._lock:
            process, self._process = self._process, None
            if process is None or self._owner != os.getpid():
                return
            for pipe in (process.stdin, process.stdout):
                _close(pipe)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _started(modules: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, str(ROOT), *modules],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, pipesize=PIPE,
    )  # fmt: skip


def _folder() -> str:
    """Where relative paths begin, which may change between calls; "" where it was removed."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return  # its other end is gone


def _words(code: int) -> str:
    """An exit code, as a person says it."""
    return signal_name(-code) if code < 0 else f"exit code {code}"


def send(pipe: BinaryIO, message: Any, data: Sequence[Any]) -> None:
    """Write one message: the length of its words, the words, the number of its parts, and each with its length."""
    words = json.dumps(message).encode()
    pipe.write(struct.pack("<Q", len(words)) + words + struct.pack("<Q", len(data)))
    for part in data:
        view = memoryview(part).cast("B")
        pipe.write(struct.pack("<Q", len(view)))
        pipe.write(view)
    pipe.flush()


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _number(pipe: BinaryIO) -> int:
    return int(struct.unpack("<Q", _exactly(pipe, 8))[0])


def _received(pipe: BinaryIO, most: int) -> Answer:
    """A reply: its words, and its array if it has one. Raises EOFError, ValueError for what is no reply."""
    length = _number(pipe)
    if length > MOST_WORDS:
        raise ValueError("more words than make sense")
    reply = json.loads(_exactly(pipe, length))
    if not _number(pipe):
        return reply, None
    size, kind, shape = _number(pipe), np.dtype(str(reply["dtype"])), tuple(map(int, reply["shape"]))
    if size > most or min(shape, default=0) < 0 or int(np.prod(shape, dtype=object)) * kind.itemsize != size:
        raise ValueError("an array that was not asked for")
    array = np.empty(shape, kind)
    bytes_ = array.reshape(-1).view(np.uint8)
    at = 0
    while at < size:
        if not (taken := pipe.readinto(bytes_[at:].data)):  # type: ignore[attr-defined]
            raise EOFError
        at += taken
    return reply, array


def _raised(reply: dict[str, Any]) -> Exception:
    name, words = str(reply["error"]), [str(word) for word in reply["words"]]
    if name == "MemoryError":
        return MemoryError(*words)
    if name in SOURCE_ERRORS and len(words) == 2:
        return SOURCE_ERRORS[name](*words)
    return Failed(*words)


APART = Apart()
"""This process's own; whoever calls apart calls it."""
atexit.register(lambda: APART.close())


def called(function: str, values: Any, data: Sequence[bytes] = (), most: int = 0) -> Answer:
    """See `Apart.call`; of this process's own."""
    return APART.call(function, values, data, most)


# --- on the other side


def answer(modules: Sequence[str]) -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the asking process says when to end
    asked, out = sys.__stdin__, os.fdopen(os.dup(1), "wb")
    assert asked is not None
    os.dup2(2, 1)  # what libraries print must not come between the answers
    _leave_no_core()
    for module in modules:
        import_module(module)
    try:
        while True:
            _answer_one(cast(BinaryIO, asked.buffer), out)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # without the libraries' farewells, which may take long or fail


def _leave_no_core() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _answer_one(asked: BinaryIO, out: BinaryIO) -> None:
    question = json.loads(_exactly(asked, _number(asked)))
    data = [_exactly(asked, _number(asked)) for _ in range(_number(asked))]
    module, _, name = question["function"].partition(":")
    try:
        if question["folder"]:
            os.chdir(question["folder"])
        function: Callable[..., Answer] = getattr(import_module(module), name)
        values, array = function(question["values"], data)
    except Exception as error:
        words = [error.uri, error.what] if isinstance(error, SourceError) else [str(error) or type(error).__name__]
        send(out, {"error": type(error).__name__, "words": words}, ())
        return
    if array is None:
        send(out, {"values": values}, ())
        return
    array = np.ascontiguousarray(array)
    shape = {"dtype": array.dtype.str, "shape": array.shape}
    send(out, {"values": values, **shape}, [array.reshape(-1).view(np.uint8)] if array.size else [b""])
