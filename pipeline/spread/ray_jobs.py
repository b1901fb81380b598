"""A Ray cluster's queue of submitted jobs, by the Ray Jobs API: they run whatever becomes of this machine."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import os
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from colorizer.basis.errors import ColorizeError
from colorizer.basis.installing import install
from pipeline.spread.cluster import reach
from pipeline.spread.token import SET_TOKEN, check_token, wanted

ANSWER = 5.0
"""Seconds in which a dashboard answers the first question."""

PATIENCE = (ANSWER, 120.0)
"""Seconds to connect and to answer later; Ray itself would wait for ever."""

QUIET = 60.0
"""Seconds without a line after which a job that is followed is asked whether it is over."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted job. started, ended: seconds since 1970; code: its driver's exit code, once there is one."""

    id: str
    status: str
    command: str
    message: str = ""
    started: float | None = None
    ended: float | None = None
    code: int | None = None

    @property
    def over(self) -> bool:
        """Whether it will not run again."""
        return self.status in ("SUCCEEDED", "FAILED", "STOPPED")

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has run so far; None before its start."""
        return None if self.started is None else max(0.0, (self.ended or time.time()) - self.started)


class Queue:
    """The jobs submitted to a cluster, known by its dashboard's address. Raises ColorizeError, whatever goes wrong.

    note: told what is worth a look but stops nothing.
    """

    def __init__(self, address: str, note: Callable[[str], None]) -> None:
        self.address = dashboard(address)
        _check_parts()
        _greet(self.address)
        check_token(self.address)
        try:
            import ray
            from ray.job_submission import JobSubmissionClient
        except ImportError as error:
            raise ColorizeError(f"Ray is not installed: {install('submit')}") from error
        for handler in logging.getLogger("ray").handlers:
            handler.setLevel(logging.ERROR)  # it tells of every upload, and of every log that ends
        self._refused = ray.exceptions.AuthenticationError
        os.environ["RAY_API_SERVER_ADDRESS"] = self.address  # Ray prefers it to the address that it is given
        with self._own_errors():
            self._client = JobSubmissionClient(self.address)
        # nothing public sets it, and a dashboard that hangs would be waited for without end
        self._client._do_request = partial(self._client._do_request, timeout=PATIENCE)
        theirs = getattr(self._client, "_server_ray_version", None)
        if theirs and theirs != ray.__version__:
            message = f"Ray {theirs} runs at {self.address}, and here is Ray {ray.__version__}"
            if theirs.split(".")[:2] != ray.__version__.split(".")[:2]:
                raise ColorizeError(f"{message}; pip install ray=={theirs}, or submit from a machine that has it")
            note(f"{message}; they should be the same")

    def submit(self, entrypoint: str, ship: Sequence[Path] = ()) -> str:
        """Put a shell command into the queue; the job's id. ship: folders of packages that travel along."""
        environment: dict[str, Any] = {}
        if ship:
            environment = {
                "py_modules": [str(folder) for folder in ship],
                "excludes": ["__pycache__"],
                # else packages of the same names where the job starts would win
                "env_vars": {"PYTHONSAFEPATH": "1"},
            }
        with self._own_errors():
            return str(self._client.submit_job(entrypoint=entrypoint, runtime_env=environment))

    def jobs(self) -> list[Submission]:
        """All of them, the latest last. Programs that joined the cluster unsubmitted are not among them."""
        with self._own_errors():
            found = [_submission(job) for job in self._client.list_jobs() if job.submission_id]
        return sorted(found, key=lambda job: (job.started or time.time(), job.id))

    def job(self, id: str) -> Submission:
        """One of them."""
        with self._own_errors(id):
            return _submission(self._client.get_job_info(self._part(id)))

    def stop(self, id: str) -> bool:
        """Ask a job to end; False if it is over already."""
        with self._own_errors(id):
            return bool(self._client.stop_job(self._part(id)))

    def logs(self, id: str) -> str:
        """All that a job has printed."""
        with self._own_errors(id):
            return str(self._client.get_job_logs(self._part(id)))

    def follow(self, id: str) -> Iterator[str]:
        """What a job prints, as it is printed, until it is over. A connection that breaks is taken up again."""
        shown = 0
        loop = asyncio.new_event_loop()
        try:
            over = self.job(id).over
            while not over:
                seen = 0
                for text in self._tail(loop, id):  # from the log's beginning, each time
                    fresh = text[max(0, shown - seen) :]
                    seen += len(text)
                    shown += len(fresh)
                    yield fresh
                over = self.job(id).over
                time.sleep(0 if over else 1)
        finally:
            loop.close()
        yield self.logs(id)[shown:]

    def _tail(self, loop: asyncio.AbstractEventLoop, id: str) -> Iterator[str]:
        """The log from its beginning, until the job is over or the connection breaks."""
        import aiohttp

        stream = self._client.tail_job_logs(self._part(id))
        waiting: asyncio.Future[str] | None = None
        try:
            while True:
                waiting = asyncio.ensure_future(anext(stream, ""), loop=loop)
                while not waiting.done():
                    loop.run_until_complete(asyncio.wait({waiting}, timeout=QUIET))
                    if not waiting.done() and self.job(id).over:  # a connection may die without a word
                        return
                text = waiting.result()
                if not text:
                    return
                yield text
        except (OSError, RuntimeError, aiohttp.ClientError):
            return
        finally:
            if waiting is not None:
                waiting.cancel()
                loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
            loop.run_until_complete(stream.aclose())

    def _part(self, id: str) -> str:
        """An id as a part of a URL. Dots alone would name another page of the API."""
        if not any(letter.isalnum() for letter in id):
            raise self._unknown(id)
        return quote(id, safe="")

    def _unknown(self, id: str) -> ColorizeError:
        return ColorizeError(
            f"no job {id!r} at {self.address}; `chromatheque jobs --address {self.address}` lists those there are"
        )

    @contextmanager
    def _own_errors(self, id: str = "") -> Iterator[None]:
        """Errors of Ray's client as ours. Its texts are not passed on where they could hold the token."""
        try:
            yield
        except self._refused as error:
            if "Authentication failed" in str(error):
                raise ColorizeError(f"Ray at {self.address} refuses this token; {SET_TOKEN}") from error
            raise wanted(self.address) from error
        except RuntimeError as error:
            status = re.search(r"status code (\d+)", str(error))
            if id and status is not None and status[1] == "404":
                raise self._unknown(id) from error
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise ColorizeError(f"Ray at {self.address} could not do it: {lines[-1] if lines else error!r}") from error
        except OSError as error:
            raise ColorizeError(
                f"Ray at {self.address} stopped answering: {_why(error)}; if it is still there, try again"
            ) from error


def dashboard(address: str) -> str:
    """The address of a dashboard as a URL without a path. Raises ColorizeError for what cannot be one."""
    text = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise ColorizeError(f"{address}: not the address of a Ray dashboard; write http://HOST:8265")
    if parts.username or parts.password:
        raise ColorizeError(f"http://{parts.hostname}: put no password into the address, it would show in errors")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _check_parts() -> None:
    """Ray installs the client of its Jobs API always, and what that needs only when asked."""
    from importlib.util import find_spec

    if find_spec("aiohttp") is None or find_spec("pydantic") is None:
        raise ColorizeError(f"a cluster's job queue needs more of Ray than is here: {install('submit')}")


def _greet(address: str) -> None:
    """Find out in seconds whether a dashboard answers, and what does if it is none. Sends no token."""
    advice = "give the dashboard's address, http://HOST:8265"
    try:
        with urllib.request.urlopen(f"{address}/api/version", timeout=ANSWER) as answer:
            known = "ray_version" in json.loads(answer.read(65536))
    except urllib.error.HTTPError as error:
        known = error.code in (401, 403)
        error.close()
    except (http.client.HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, http.client.HTTPException | ConnectionResetError) and _speaks_grpc(address):
            raise ColorizeError(f"{address} is a port of Ray's own, not its dashboard's; {advice}") from error
        if isinstance(reason, OSError):
            raise ColorizeError(
                f"no Ray dashboard at {address}: {_why(error)}; start a head with ray[default] installed, or {advice}"
            ) from error
        known = False
    if not known:
        raise ColorizeError(f"no Ray dashboard at {address}: something else answers there; {advice}")


def _speaks_grpc(address: str) -> bool:
    parts = urlsplit(address)
    try:
        reach(f"{parts.hostname}:{parts.port or 80}")
    except ColorizeError:
        return False
    return True


def _why(error: BaseException) -> str:
    """The innermost reason, in the system's own few words."""
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error.__context__
    if inner is not None:
        return _why(inner)
    if isinstance(error, socket.gaierror):
        return "no machine of that name"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"it does not answer by TLS ({error.reason})"
    return getattr(error, "strerror", None) or type(error).__name__


def _submission(job: Any) -> Submission:
    def moment(milliseconds: int | None) -> float | None:
        return milliseconds / 1000 if milliseconds else None

    return Submission(
        job.submission_id or job.job_id, str(job.status), job.entrypoint,
        (job.message or "").partition(", last available logs")[0].strip(),
        moment(job.start_time), moment(job.end_time), job.driver_exit_code,
    )  # fmt: skip
