"""Covers of films: pictures beside the moving one, the same bytes in every kind of output that holds some."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.containers.covers import put_covers
from pipeline.reels.covers import covers_of, is_cover
from tests.endtoend import color, verify
from tests.synthetic import read_stamps, write_reel


def picture(codec, shade=90):
    """A small picture in a codec."""
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = 32, 48
    context.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24", "bmp": "bgr24"}[codec]
    context.time_base = 1
    frame = av.VideoFrame.from_ndarray(np.full((48, 32, 3), shade, np.uint8), "rgb24").reformat(format=context.pix_fmt)
    frame.pts = 0
    return b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)])


def covered(path, *covers, **more):
    """A reel with covers, each a codec and its picture."""
    write_reel(path, 4, audio=1, **more)
    if path.suffix == ".mkv":
        with av.open(str(path)) as source, av.open(str(path.with_name("with.mkv")), "w", format="matroska") as out:
            streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
            for number, (codec, data) in enumerate(covers):
                kind = {"mjpeg": "jpeg"}.get(codec, codec)
                out.add_attachment(f"front {number}.{kind}", f"image/{kind}", data)
            for packet in source.demux():
                if packet.size:
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
        path.with_name("with.mkv").rename(path)
    else:
        put_covers(path, covers)
    return path


def found(path):
    """Covers in a file: codecs and digests' worth of bytes."""
    with av.open(str(path)) as container:
        mine = [s.index for s in container.streams.video if is_cover(s)]
    return [(cover.codec, cover.data) for cover in covers_of(str(path), mine)]


@pytest.mark.parametrize("source", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_covers_are_carried(studio, tmp_path, source, suffix):
    """From and to every kind of file that holds some, sound and picture as they were."""
    covers = [("mjpeg", picture("mjpeg")), ("png", picture("png", 20))]
    path, out = covered(tmp_path / f"film{source}", *covers, chapters=2), tmp_path / f"out{suffix}"
    result = color(str(path), out, studio.weights)
    assert found(path) == found(out) == covers
    assert read_stamps(out) == list(range(4))
    assert not [text for text in result.lost if "cover" in text]
    code, told = verify(path, out)
    assert (code, "ok    covers" in told) == (0, True)
    if source == suffix == ".mkv":
        with av.open(str(out)) as container:
            assert [s.metadata["filename"] for s in container.streams.video[1:]] == ["front 0.jpeg", "front 1.png"]


def test_where_none_is_held_it_is_named(studio, tmp_path):
    """By the codec, and with the kinds of files that hold some."""
    path, out = covered(tmp_path / "film.mp4", ("mjpeg", picture("mjpeg"))), tmp_path / "out.webm"
    [lost] = [text for text in color(str(path), out, studio.weights).lost if "cover" in text]
    assert "only .mkv, .mov, .mp4 files hold covers" in lost
    assert "cover" in str(json.loads(Path(f"{out}.json").read_text())["tracks"])
    assert verify(path, out)[0] == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("flags", ["use_metadata_tags", "use_metadata_tags+faststart"])
def test_the_rest_of_a_file_moves_with_a_cover(tmp_path, suffix, flags):
    """Wherever the movie box is, each packet of all tracks is where the tables say."""
    path = write_reel(tmp_path / f"film{suffix}", 6, audio=1, chapters=2)
    again = tmp_path / f"again{suffix}"
    with av.open(str(path)) as source, av.open(str(again), "w", container_options={"movflags": flags}) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams if s.type != "data"}
        for packet in source.demux(*(source.streams[i] for i in streams)):
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)

    def packets():
        with av.open(str(again)) as made:
            kept = [s for s in made.streams if s.type != "data" and not (s.type == "video" and is_cover(s))]
            return [(p.stream.index, p.pts, bytes(p)) for p in made.demux(*kept) if p.size]

    before, data = packets(), picture("png")
    put_covers(again, [("png", data)])
    assert packets() == before
    assert found(again) == [("png", data)]
    with pytest.raises(ValueError, match="tags already"):
        put_covers(again, [("png", data)])


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_file_that_is_another_is_left_alone(tmp_path_factory, junk, cut):
    """Whatever is in it, it is refused and has the bytes it had."""
    path = tmp_path_factory.mktemp("junk") / "a.mp4"
    moov = b"\0\0\0\x30moov" + b"\0\0\0\x28trak" + junk[:32].ljust(32, b"\0")
    data = (junk + moov)[:cut]
    path.write_bytes(data)
    try:
        put_covers(path, [("png", b"x")])
    except ValueError:
        assert path.read_bytes() == data
