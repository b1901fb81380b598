"""Reaching a cluster: what is not there, or is something else, is told in seconds. Real clusters are in laws."""

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from colorizer.basis.errors import ColorizeError
from pipeline.spread.cluster import ANSWER, connect, reach
from pipeline.spread.token import SET_TOKEN
from tests import endtoend
from tests.synthetic import tiny_weights, write_reel

ROOT = Path(__file__).parents[3]


@contextmanager
def listening(answer):
    """A server on a free port that says `answer` to whoever comes (None: accepts and stays silent); its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        guests = []

        def serve():
            while True:
                try:
                    guest, _ = server.accept()
                except OSError:
                    return
                guests.append(guest)
                if answer is not None:
                    guest.recv(64)
                    guest.sendall(answer)
                    guest.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for guest in guests:
            guest.close()


def closed():
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def refused(address):
    """The error's text; it must come in less than 3 s."""
    begun = time.monotonic()
    with pytest.raises(ColorizeError) as caught:
        reach(address)
    assert time.monotonic() - begun < 3
    said = str(caught.value)
    assert said.startswith(f"no Ray cluster at {address}: ")
    assert "\n" not in said
    return said


SETTINGS = b"\0\0\0\4\0\0\0\0\0"


def test_a_cluster_that_answers_is_reached():
    """gRPC's first frame is enough."""
    with listening(SETTINGS) as address:
        reach(address)


def test_nobody_there_is_told_at_once():
    """A closed port and a port that does not exist: the address, the reason, what to do."""
    assert "Connection refused; start it, or give the address that `ray start --head` printed" in refused(closed())
    refused("127.0.0.1:99999")


def test_a_head_that_hangs_is_not_waited_for():
    """A machine that takes the connection and says nothing."""
    with listening(None) as address:
        assert "no answer" in refused(address)
    assert ANSWER < 3


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"SSH-2.0-OpenSSH_9.9\r\n"])
def test_something_else_is_not_taken_for_ray(answer):
    """The dashboard's port, an SSH server, or one that hangs up."""
    with listening(answer) as address:
        assert "something else answers there" in refused(address)


def test_servers_behind_tls_are_left_to_ray(monkeypatch):
    """With TLS the greeting is another; that somebody listens is all that is asked."""
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with listening(None) as address:
        reach(address)


@pytest.mark.parametrize("address", ["none", "local", "auto", "ray://127.0.0.1:10001"])
def test_other_addresses_are_not_looked_at(address):
    """Only HOST:PORT can be asked."""
    reach(address)


class Stranger:
    """A Ray whose cluster does not know this process's token; `init` must not be called."""

    class exceptions:  # noqa: N801
        class AuthenticationError(Exception):
            """Ray's own."""

        class RpcError(Exception):
            """Ray's own."""

    def __init__(self):
        self.asked = 0
        self._raylet = SimpleNamespace(GcsClient=self.client)

    def client(self, address):
        self.asked += 1
        raise self.exceptions.AuthenticationError("0badc0de is not the token")


def told(ray):
    """What joining a cluster that answers comes to."""
    with listening(SETTINGS) as address, pytest.raises(ColorizeError) as caught:
        connect(ray, address, 1, None)
    assert "0badc0de" not in str(caught.value)
    return str(caught.value).replace(address, "HEAD")


@pytest.mark.parametrize("token", [{}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0badc0de"}], ids=["off", "wrong"])
def test_a_token_that_is_not_the_clusters_is_told_at_once(token, environment):
    """Wrong or not asked for: one line that says what to set, and never what was in it."""
    environment(**token)
    ray = Stranger()
    assert told(ray) == f"Ray at HEAD wants its token: {SET_TOKEN}"
    assert ray.asked == 1


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ({}, "Ray at HEAD wants its token: "),
        ({"RAY_AUTH_TOKEN": " \n"}, "Ray at HEAD wants its token: "),
        ({"RAY_AUTH_TOKEN_PATH": "empty"}, "Ray at HEAD wants its token: "),
        ({"RAY_AUTH_TOKEN_PATH": "nowhere"}, "no token for Ray at HEAD in nowhere: No such file or directory; "),
        ({"RAY_AUTH_TOKEN": "0badc0de\n\u00e9"}, "the token for Ray at HEAD is not plain text; "),
        ({"RAY_AUTH_TOKEN_PATH": "picture"}, "the token for Ray at HEAD is not plain text; "),
    ],
    ids=["none", "blank", "empty file", "no file", "letters", "bytes"],
)  # fmt: skip
def test_a_token_that_cannot_be_sent_is_not_shown_to_ray(token, text, environment):
    """Ray's client would end this process: nothing is asked of it."""
    environment(RAY_AUTH_MODE="token", **token)
    ray = Stranger()
    assert told(ray) == text + SET_TOKEN
    assert ray.asked == 0


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """Sets variables, in a folder with some files and a home without a token."""
    (tmp_path / "empty").touch()
    (tmp_path / "picture").write_bytes(bytes(range(128, 256)))
    monkeypatch.chdir(tmp_path)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def given(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return given


PARTING = """
import subprocess, sys, time
from types import SimpleNamespace
from pipeline.spread.cluster import leave

head = subprocess.Popen([sys.argv[1], "60"])
leave(SimpleNamespace(shutdown=lambda: None), 0.1)
time.sleep(0.3)
print(head.poll())
leave(SimpleNamespace(shutdown=lambda: head.wait(30)), 0.2)
print(head.returncode)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells of children")
def test_a_head_that_does_not_let_go_is_ended(tmp_path):
    """Ray's farewell has no end of its own; one that comes in time leaves the head to Ray.

    In a process of its own: the tests' process may have a head that others here still need, and dies a minute after it.
    """
    head = shutil.copy(shutil.which("sleep"), tmp_path / "gcs_server")
    done = subprocess.run([sys.executable, "-c", PARTING, head], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["None", "-9"], "")


@pytest.mark.parametrize("error", [Exception("The current node timed out during startup.\nmore"), OSError(28, "full")])
def test_a_ray_that_does_not_start_is_a_line_with_what_to_do(error, tmp_path):
    """Whatever Ray raises where its own processes do not come up: why, where its logs are, and what works without."""

    def init(**_):
        raise error

    ray = SimpleNamespace(init=init, exceptions=SimpleNamespace(AuthenticationError=KeyError))
    with pytest.raises(ColorizeError) as told:
        connect(ray, "local", 2, tmp_path)
    assert "\n" not in str(told.value)
    for words in ("does not start", str(tmp_path / "session_latest" / "logs"), "Without --ray"):
        assert words in str(told.value)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_of_a_killed_run_s_ray_is_left_for_long(tmp_path):
    """After SIGKILL of a run with --ray local no process of its Ray is there two minutes later."""
    source = write_reel(tmp_path / "in.mkv", 400, cuts=(200,))
    words = ("reel", source, tmp_path / "out.mkv", "--ray", "local", "--working-size", "64", "--weights")
    tiny = tiny_weights(tmp_path / "tiny.safetensors")
    job = subprocess.Popen(
        endtoend.command_line(*words, tiny), env=endtoend.environment(), cwd=ROOT, start_new_session=True
    )
    until = time.monotonic() + 120
    while not any("raylet" in name for name in session(job.pid)) and time.monotonic() < until:
        time.sleep(0.2)
    assert session(job.pid)
    job.kill()
    job.wait()
    until = time.monotonic() + 150
    while session(job.pid) and time.monotonic() < until:
        time.sleep(1)
    assert session(job.pid) == []


def session(leader):
    """Names of the processes of a session that live."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = status.read_text().partition(" (")[2].rpartition(") ")
            state, _, _, of = rest.split()[:4]
            found += [name] if int(of) == leader and state != "Z" else []
    return found
