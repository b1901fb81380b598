"""A real S3 server on loopback, for tests: moto's, with its buckets in this process."""

import logging
import uuid
from contextlib import contextmanager

import fsspec

from pipeline.storage import stores
from pipeline.storage.stores import Store


@contextmanager
def s3_server(monkeypatch):
    """The URI of an empty bucket; credentials and address are in the environment, also for processes started now."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "most-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    fsspec.filesystem("s3").clear_instance_cache()
    bucket = f"films-{uuid.uuid4().hex[:8]}"
    try:
        fsspec.filesystem("s3").mkdir(bucket)
        yield f"s3://{bucket}"
    finally:
        fsspec.filesystem("s3").clear_instance_cache()
        stores._opened.cache_clear()
        server.stop()


def fill(uri, folder):
    """Put all files of a folder into a store."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            Store(uri).push(path, path.relative_to(folder).as_posix())


def contents(uri):
    """Bytes of all files in a store, by their place."""
    fs, root = fsspec.core.url_to_fs(uri)
    fs.invalidate_cache()
    return {name.removeprefix(root).lstrip("/"): fs.cat_file(name) for name in fs.find(root)}
