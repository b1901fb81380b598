"""Sound in containers without times: laid out along the picture, sample by sample."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reels.tracks import GAP, Lay
from tests.endtoend import color, verify
from tests.synthetic import write_reel

RATE = 48000
SIZE = (256, 128)


def part(place, samples):
    """A frame of mono sound at a place."""
    frame = av.AudioFrame.from_ndarray(np.asarray(samples, np.int32)[None], "s32", "mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, place, Fraction(1, RATE)
    return frame


@given(
    st.lists(st.tuples(st.integers(-3000, 6000), st.integers(1, 2000)), max_size=6), st.integers(1, 20_000),
    st.integers(-4000, 4000),
)  # fmt: skip
def test_every_sample_has_its_place(parts, length, start):
    """As long as the picture, whatever came; each sample is at its own time, or silence is there."""
    lay, made, place, wanted = Lay("s32", "mono", RATE, length), [], start, np.zeros(length, np.int64)
    reached = 0
    for skip, count in parts:
        place += skip
        at = reached if reached and abs(place - reached) <= RATE * GAP else place
        for frame in lay.put(part(place, range(1, count + 1))):
            made.append(frame.to_ndarray()[0])
        for number in range(count):
            if reached <= at + number < length and at + number >= 0:
                wanted[at + number] = number + 1
        reached = max(reached, min(length, at + count))
        place += count
    rest = lay.rest()
    if rest is not None:
        made.append(rest.to_ndarray()[0])
    heard = np.concatenate(made) if made else np.zeros(0)
    assert len(heard) == length
    assert np.array_equal(heard, wanted)


def moved(source, target, seconds, frames=48):
    """The same reel with its sound later or earlier."""
    with av.open(str(source)) as a, av.open(str(target), "w") as b:
        streams = {s.index: b.add_stream_from_template(s) for s in a.streams}
        packets = [p for p in a.demux() if p.size]
        for packet in packets:
            if packet.stream.type == "audio":
                late = round(seconds / packet.time_base)
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            packet.stream = streams[packet.stream.index]
            b.mux(packet)
    return target


def heard(path):
    """All samples of the first sound track, mono, as fractions of full scale."""
    with av.open(str(path)) as container:
        frames = [f.to_ndarray().reshape(-1) for f in container.decode(audio=0)]
    return np.concatenate(frames) / 2**31


@pytest.mark.parametrize("late", [Fraction(0), Fraction(1, 4)])
def test_sound_of_mxf_is_beside_its_picture(tmp_path, tiny_for_sound, late):
    """A tone that begins later than the picture begins as much later in a file that knows no times; silence before."""
    plain = write_reel(tmp_path / "plain.mov", 24, SIZE, codec="libx264", pix_fmt="yuv420p", audio=["pcm_s16le"])
    source = moved(plain, tmp_path / "in.mov", late) if late else plain
    out = tmp_path / "out.mxf"
    result = color(source, out, tiny_for_sound)
    code, printed = verify(source, out)
    assert code == 0, printed
    samples = heard(out)
    assert len(samples) == 48000
    first = int(np.argmax(np.abs(samples) > 0.01))
    assert abs(first / RATE - float(late)) < 0.002
    assert any("lie beside no picture" in text for text in result.lost) == bool(late)


def test_a_piece_and_a_short_track(tmp_path, tiny_for_sound):
    """Sound of a piece begins with its first frame; where a track ends before the picture, no frame is dropped."""
    source = write_reel(tmp_path / "in.mov", 24, SIZE, codec="libx264", pix_fmt="yuv420p", audio=["aac"])
    out = tmp_path / "piece.mxf"
    color(source, out, tiny_for_sound, start="0.25", stop="0.75")
    assert verify(source, out)[0] == 0
    assert len(heard(out)) == 24000
    assert np.abs(heard(out)[:2000]).max() > 0.2


@pytest.fixture(scope="module")
def tiny_for_sound(tmp_path_factory):
    from tests.synthetic import tiny_weights

    return tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
