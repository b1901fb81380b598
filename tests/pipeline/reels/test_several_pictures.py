"""Of several moving pictures in a file, the one that players show is colored, and that is said."""

import av
from av.stream import Disposition

from pipeline.jobs.reel_job import ReelChoices, ReelJob
from pipeline.reels.reel import probe
from pipeline.values.events import Note
from tests.synthetic import write_reel


def two(path, folder, default):
    """A small picture, then a larger one; which of them is the default."""
    sizes = [(48, 36), (64, 48)]
    parts = [write_reel(folder / f"{w}.mkv", 6, size=(w, h), codec="ffv1") for w, h in sizes]
    sources = [av.open(str(part)) for part in parts]
    with av.open(str(path), "w") as out:
        streams = [out.add_stream_from_template(source.streams.video[0]) for source in sources]
        for number, stream in enumerate(streams):
            stream.disposition = Disposition.default if number == default else Disposition(0)
        out.start_encoding()
        for source, stream in zip(sources, streams, strict=True):
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    for source in sources:
        source.close()
    return path


def test_the_default_picture_is_colored(studio, tmp_path):
    """The second where it is the default, beside the first as it is; the first where it is, or where none is."""
    source, out, notes = two(tmp_path / "a.mkv", tmp_path, 1), tmp_path / "out.mkv", []
    asked = ReelChoices(weights=str(studio.weights), working_size=32, precision="fp32")
    result = ReelJob(
        str(source), out, asked, None, lambda e: notes.append(e.text) if isinstance(e, Note) else None
    ).color()
    assert result.verdict == "verified"
    assert (probe(str(out)).width, probe(str(out)).stream) == (64, 1)
    assert "of several pictures track 1 (64 x 48) is colored; as they are stay 0 (48 x 36)" in notes
    assert probe(str(two(tmp_path / "b.mkv", tmp_path, 0))).width == 48
    assert probe(str(two(tmp_path / "c.mkv", tmp_path, None))).width == 48
