"""Files in stores: whole or not at all, the same bytes there and back, and errors in a line without secrets."""

import errno
import os
import time
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colorizer.basis.errors import SourceError, StorageError
from pipeline.storage import stores
from pipeline.storage.stores import Store, is_uri, masked, store_of
from tests.object_store import s3_server


@pytest.fixture
def s3(monkeypatch):
    """An empty bucket."""
    with s3_server(monkeypatch) as uri:
        yield uri


@pytest.fixture(params=["memory", "s3", "file"])
def store(request, tmp_path):
    """An empty store of each kind: objects in memory, a real S3 server, and one with renames."""
    if request.param == "s3":
        return Store(request.getfixturevalue("s3") + "/deep/er")
    if request.param == "file":
        return Store(f"file://{tmp_path / 'share'}")
    return Store(f"memory://{uuid.uuid4().hex}")


def test_files_come_back_as_they_went(store, tmp_path):
    """Put, listed, looked at, fetched, read by ranges, replaced and removed."""
    data = bytes(range(256)) * 4000
    here = tmp_path / "here" / "a b.bin"
    here.parent.mkdir()
    here.write_bytes(data)
    entry = store.push(here, "x/ü#1 %d.bin")
    store.write("y.json", b"{}")
    found = store.find()
    assert set(found) == {"x/ü#1 %d.bin", "y.json"}
    assert found["x/ü#1 %d.bin"] == entry == store.look("x/ü#1 %d.bin")
    assert set(store.find("x")) == {"x/ü#1 %d.bin"}
    assert store.pull("x/ü#1 %d.bin", tmp_path / "back" / "b.bin") == entry
    assert (tmp_path / "back" / "b.bin").read_bytes() == data
    assert [p.name for p in (tmp_path / "back").iterdir()] == ["b.bin"]
    with store.open("x/ü#1 %d.bin") as file:
        file.seek(500_000)
        assert file.read(10) == data[500_000:500_010]
    here.write_bytes(data[:-1])
    assert store.push(here, "x/ü#1 %d.bin").stamp != entry.stamp
    assert store.read("y.json") == b"{}"
    store.remove("y.json")
    store.remove("y.json")
    assert store.read("y.json") is None
    assert store.look("y.json") is None
    store.remove("x")
    assert store.find() == {}


def test_what_is_not_there_is_one_line(store, tmp_path):
    """No file appears, nothing is left, and the line names the URI."""
    with pytest.raises(SourceError, match=r"gone\.mov: no such file"):
        store.pull("gone.mov", tmp_path / "gone.mov")
    assert list(tmp_path.glob("*gone*")) == []


def test_a_same_sized_change_is_another_version(store, tmp_path):
    """What a collection remembers of a file tells another content from it, also one of the same length."""
    (tmp_path / "a").write_bytes(b"1234")
    first = store.push(tmp_path / "a", "a")
    (tmp_path / "a").write_bytes(b"5678")
    assert store.push(tmp_path / "a", "a").stamp != first.stamp


@pytest.mark.parametrize(
    "uri", ["s3://user:secret@films/x", "s3://films/x", "sftp://me:secret@host:22/a@b", "smb://me:p@secret@host/b"]
)
def test_no_secret_is_shown(uri):
    """Names and passwords in a URI are left out of every message."""
    assert "secret" not in masked(uri)
    assert masked(uri).split("://")[1].endswith(uri.rpartition("/")[2])


def test_a_wrong_bucket_is_one_line_without_the_key(s3, tmp_path, monkeypatch):
    """Also where something would be written; no credentials are in it, and nobody waits."""
    monkeypatch.setattr(stores, "PAUSES", ())
    (tmp_path / "a").write_bytes(b"1")
    for attempt, kind in (
        (lambda: Store("s3://no-such-bucket/x").push(tmp_path / "a", "a"), StorageError),
        (lambda: Store("s3://no-such-bucket/x").pull("a", tmp_path / "b"), SourceError),
    ):
        with pytest.raises(kind) as caught:
            attempt()
        said = str(caught.value)
        assert "s3://no-such-bucket/x/a" in said
        assert "most-secret" not in said
        assert "\n" not in said


def test_an_unknown_store_says_so():
    """A scheme that nobody knows, or whose package is not installed, is told with what to do."""
    with pytest.raises(StorageError, match=r"no store is called florp://"):
        Store("florp://x/y").check()
    with pytest.raises(StorageError, match=r"pip install -e \S*\[gs\]"):
        Store("gs://x/y").check()


def test_a_short_outage_is_waited_out(tmp_path, monkeypatch):
    """What fails for reasons of the network is tried again; what is forbidden is not."""
    monkeypatch.setattr(stores, "PAUSES", (0.0, 0.0))
    tries = []

    def failing(times, error):
        tries.append(1)
        if len(tries) <= times:
            raise error
        return "there"

    assert stores._patiently(lambda: failing(2, TimeoutError("slow"))) == "there"
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(PermissionError):
        stores._patiently(lambda: failing(2, PermissionError("no")))
    assert len(tries) == 1


def test_a_file_that_changes_while_it_is_fetched_is_refused(tmp_path, monkeypatch):
    """Half of one version and half of another would be a film that nobody has."""
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("a", b"first")
    seen = iter(range(100))
    original = Store.look

    def moving(self, place=""):
        store.write("a", b"%d" % next(seen))
        return original(self, place)

    monkeypatch.setattr(Store, "look", moving)
    with pytest.raises(SourceError, match="changes while it is read"):
        store.pull("a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("halves", [1, 2, 9])
def test_half_a_download_is_no_file(tmp_path, monkeypatch, halves):
    """A connection that ends early without an error: fetched again once, then refused; half a film gets no name."""
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("a", b"all of it")
    fs, _ = store._path("a")
    whole, tries = fs.get_file, []

    def short(remote, local):
        tries.append(1)
        whole(remote, local)
        if len(tries) <= halves:
            os.truncate(local, 4)

    monkeypatch.setattr(fs, "get_file", short)
    if halves == 1:
        assert store.pull("a", tmp_path / "a").bytes == 9
        assert (tmp_path / "a").read_bytes() == b"all of it"
        return
    with pytest.raises(SourceError):
        store.pull("a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.from_regex(r"[a-z][a-z0-9+.-]{1,8}://[A-Za-z0-9._-]{1,20}(/[^/\s]{1,12}){1,3}", fullmatch=True))
def test_a_uri_is_a_store_and_a_place(uri):
    """Joined again they are the URI."""
    assert is_uri(uri)
    store, place = store_of(uri)
    assert store.at(place) == uri


@pytest.mark.parametrize("path", ["/a/b", "a.mov", "C:\\films\\a.mov", "reel 2: the sea.mkv", "./s3:/x"])
def test_paths_are_no_uris(path):
    """Names with colons in them are names."""
    assert not is_uri(path)


@pytest.mark.parametrize("folder", ["out [1]", "out*", "ou?", "a::b", "g#h", "k%20l"])
def test_a_store_is_its_own_folder_only(tmp_path, folder):
    """A URI is taken literally: what it holds is found, and nothing of a folder whose name its signs would match."""
    home = f"memory://{uuid.uuid4().hex}"
    store = Store(f"{home}/{folder}")
    for name in ("out 1", "out", "ou1", "a", "b", "g", "k l"):
        Store(f"{home}/{name}").write("x/lease.json", b"another's")
    before = set(Store(home).find())
    store.write("x/lease.json", b"mine")
    assert set(store.find()) == {"x/lease.json"}
    assert store.pull("x/lease.json", tmp_path / "lease.json").bytes == 4
    store.remove("x/lease.json")
    assert store.find() == {}
    assert set(Store(home).find()) == before


def test_only_what_is_wrong_with_a_file_is_a_source_error(tmp_path, monkeypatch):
    """A store that is out of reach, a full disk here or missing credentials are no fault of the file that met them."""
    monkeypatch.setattr(stores, "PAUSES", ())
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("a", b"1")
    fs, _ = store._path("a")

    class NoCredentialsError(Exception):
        pass

    denied = PermissionError("The provided token has expired.")
    denied.__cause__ = Exception()
    denied.__cause__.response = {"Error": {"Code": "ExpiredToken"}}
    for error in (
        OSError(errno.ENOSPC, "No space left on device"), TimeoutError("slow"), NoCredentialsError("none"), denied,
    ):  # fmt: skip
        with monkeypatch.context() as patched:
            patched.setattr(fs, "get_file", _raising(error))
            with pytest.raises(StorageError, match="fix this, then run the command again"):
                store.pull("a", tmp_path / "a")
    for error in (FileNotFoundError(), PermissionError("Access Denied"), OSError(errno.EINVAL, "encrypted")):
        with monkeypatch.context() as patched:
            patched.setattr(fs, "get_file", _raising(error))
            with pytest.raises(SourceError):
                store.pull("a", tmp_path / "a")
    with monkeypatch.context() as patched:
        refusal = PermissionError("The operation is not valid for the object's storage class")
        patched.setattr(fs, "get_file", _raising(refusal))
        with pytest.raises(SourceError, match="restore it there first"):
            store.pull("a", tmp_path / "a")
    with monkeypatch.context() as patched:  # a HEAD has no body that says why
        patched.setattr(fs, "info", _raising(PermissionError("Forbidden")))
        patched.setattr(fs, "ls", _raising(denied))
        with pytest.raises(StorageError):
            store.look("a")


def _raising(error):
    def fail(*args, **more):
        raise error

    return fail


def test_long_names_can_be_fetched(tmp_path, monkeypatch):
    """As long as a file's name may be."""
    monkeypatch.setattr(stores, "PAUSES", ())
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("x" * 251 + ".tif", b"1")
    store.pull("x" * 251 + ".tif", tmp_path / ("x" * 251 + ".tif"))


def test_in_haste_nobody_waits(monkeypatch):
    """A person who stops a run while the store is out of reach does not wait for it."""
    monkeypatch.setattr(stores, "PAUSES", (60.0,))
    began = time.monotonic()
    with stores.hasty(), pytest.raises(TimeoutError):
        stores._patiently(_raising(TimeoutError("slow")))
    with stores.hasty(), pytest.raises(TimeoutError):
        stores.in_parallel("s3://bucket", stores._patiently, [_raising(TimeoutError("slow"))])
    assert time.monotonic() - began < 30


def test_keys_and_tokens_of_a_query_are_not_shown():
    """Whatever they are called; the rest stays readable."""
    shown = masked("https://u:most-secret@host/a.mov?v=2&X-Amz-Signature=most-secret&token=most-secret&part=3")
    assert "most-secret" not in shown
    assert shown == "https://host/a.mov?v=2&X-Amz-Signature=***&token=***&part=3"


@pytest.mark.parametrize("said", [
    'Invalid bucket name "me:most-secret@films"', "https:///me:most-secret@films/a.mov is no place",
    "user me, password most-secret: refused", "Invalid bucket name 'me:most%2Dsecret@films'",
])  # fmt: skip
def test_what_a_library_repeats_of_a_password_is_not_shown(said):
    """In parts, without the scheme, or with another number of slashes; neither in reading nor in writing."""
    for way in (stores.reading, stores.writing):
        with pytest.raises(StorageError) as raised, way("s3://me:most%2Dsecret@films/a.mov"):
            raise ValueError(said)
        assert "secret" not in str(raised.value)
