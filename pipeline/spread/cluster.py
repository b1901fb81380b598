"""Joining or starting a Ray cluster; a wrong address or token is told at once, in one line."""

from __future__ import annotations

import os
import re
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from colorizer.basis.errors import ColorizeError
from pipeline.spread.token import SET_TOKEN, check_token, wanted

ANSWER = 2.0
"""Seconds in which the head of a cluster answers."""

PYTHON_LEVEL = "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL"
"""Ray's own variable: how far the versions of Python must agree, by "patch" unless it says "minor"."""

PARTING = 20.0
"""Seconds in which a cluster of one's own lets go of this process."""

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""What a gRPC client says first (RFC 9113, section 3.4); the server's first frame, too, is of kind 4, its settings."""


def leave(ray: Any, patience: float = PARTING) -> None:
    """`ray.shutdown`, which now and then asks the head of its own cluster to be let go and waits for ever.

    The head is to end in any case: after a while it is ended first. patience: in seconds.
    """
    late = threading.Timer(patience, _end_heads)
    late.daemon = True
    late.start()
    try:
        ray.shutdown()
    finally:
        late.cancel()


def _end_heads() -> None:
    """End the heads that this process started (Linux; elsewhere nothing is known of them)."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):  # it has ended
            name, _, rest = status.read_text().partition(" (")[2].rpartition(") ")
            if name == "gcs_server" and int(rest.split()[1]) == os.getpid():
                os.kill(int(status.parent.name), signal.SIGKILL)


def reach(address: str) -> None:
    """Find out whether a Ray cluster answers at HOST:PORT; other addresses ("local", "auto") are not looked at.

    Takes seconds at most, and does not import Ray. Asked for a closed port, or for that of its dashboard, Ray itself
    warns again and again and has not given up after two minutes; no library here speaks gRPC. Raises ColorizeError.
    """
    if "@" in address:
        raise ColorizeError("--ray: put no name and password into the address, they would show in errors")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER) as head:
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
                return  # it waits for another greeting
            head.settimeout(ANSWER)
            head.sendall(HELLO)
            answer = head.recv(9)
    except (OSError, OverflowError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or str(error)
        raise ColorizeError(
            f"no Ray cluster at {address}: {why}; start it, or give the address that `ray start --head` printed"
        ) from error
    if answer[3:4] != b"\4":
        raise ColorizeError(
            f"no Ray cluster at {address}: something else answers there; give the address that `ray start --head` "
            "printed (not its dashboard's)"
        )


def connect(ray: Any, address: str, workers: int, temp: Path | None) -> None:
    """Join a cluster, or start one ("local") for so many workers, in a folder `temp`. Raises ColorizeError."""
    local: dict[str, Any] = {}
    if address == "local":
        local = {"num_cpus": max(workers, os.cpu_count() or 1), "include_dashboard": False}
        if temp is not None:
            local["_temp_dir"] = str(temp)
    reach(address)
    try:
        if ":" in address:
            check_token(address)
            _knock(ray, address)
        with _own_signals():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **local)
    except ray.exceptions.AuthenticationError as error:
        raise wanted(address) from error
    except Exception as error:  # Ray raises plain ones too
        if address == "local":
            raise ColorizeError(_not_started(error, temp)) from error
        if not isinstance(error, ConnectionError | RuntimeError | ValueError | TimeoutError):
            raise
        if message := mismatch(str(error), address):
            leave(ray)  # it is connected by then
            raise ColorizeError(message) from error
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ColorizeError(
            f"no Ray cluster at {address}: {first}; if one runs and wants a token, {SET_TOKEN}"
        ) from error


def _not_started(error: Exception, temp: Path | None) -> str:
    """What to say where a Ray of this machine's own does not start."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    logs = (temp or Path(tempfile.gettempdir()) / "ray") / "session_latest" / "logs"
    return (
        f"--ray local: Ray does not start on this machine: {first.rstrip('.')}; its logs are in {logs}. Without --ray "
        "the same command works in one process"
    )


def mismatch(text: str, address: str) -> str:
    """What `ray.init` says in seven lines about versions, in one; "" if `text` is about something else."""
    found = re.findall(r"^ +Ray: (\S+)\n +Python: (\S+)$", text, re.MULTILINE)
    if not text.startswith("Version mismatch") or len(found) != 2:
        return ""
    (their_ray, their_python), (our_ray, our_python) = found
    message = (
        f"Ray at {address} is {their_ray} on Python {their_python}, and here is Ray {our_ray} on Python {our_python}"
    )
    todo = [f"pip install 'ray=={their_ray}'"] if their_ray != our_ray else []
    if their_python.split(".")[:2] != our_python.split(".")[:2]:
        todo.append(f"use Python {their_python}")
    elif their_python != our_python:
        todo.append(f"use Python {their_python} (or set {PYTHON_LEVEL}=minor to let it pass)")
    return f"{message}; {', and '.join(todo)}, or run this on a machine that has the cluster's versions"


def _knock(ray: Any, address: str) -> None:
    """Show the token once. `ray.init` does so for 20 s, warns each time, and then does not say what was wrong.

    Nothing public of Ray asks once: this is the one inner part of it that is used here, and without it `ray.init` is
    left to find out. Raises Ray's AuthenticationError.
    """
    client = getattr(ray._raylet, "GcsClient", None)
    if client is None:
        return
    with _quiet(), suppress(ray.exceptions.RpcError):  # `ray.init` says it better
        client(address=address)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what this program does when it is asked to end, of which `ray.init` has an idea of its own."""
    main = threading.current_thread() is threading.main_thread()
    former = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if main and former is not None:
            signal.signal(signal.SIGTERM, former)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Ray's C++ side writes from the terminal, for as long as one question takes.

    It warns of a refused token whatever RAY_BACKEND_LOG_LEVEL says, and goes past Python to the file itself.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
