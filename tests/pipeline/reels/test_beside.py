"""What frames carry beside their samples, and no codec of an output carries, is named."""

from fractions import Fraction
from pathlib import Path
from uuid import UUID

import av
import pytest
from PIL import Image

from pipeline.containers.profiles import PROFILES
from pipeline.containers.sei import FORMAT_DESCRIPTION
from pipeline.containers.side_data import NEW, Type
from pipeline.reels.beside import FEW, KINDS, NOTHING, OTHER_HDR, USER_DATA, Aside, Beside, aside_of, check_beside
from pipeline.reels.reel import turn_of
from pipeline.values.hdr import Hdr
from tests.endtoend import color, story, verify
from tests.synthetic import frame_of, stamped, write_sequence


def test_kinds_are_ffmpegs():
    """Each kind that is looked for is one that PyAV has a name for, or FFmpeg; one frame is a frame."""
    assert set(KINDS) <= {kind.name for kind in Type} | set(NEW.values())
    assert aside_of(av.VideoFrame(8, 8, "gray")) is NOTHING


def test_sentences_are_true_of_each_profile():
    """What no codec carries is said so; of what another does, that one is named; what is carried is not lost."""
    counts = {FORMAT_DESCRIPTION: 2, "HDR10+": 1, OTHER_HDR: 3, "closed captions": 4}
    said = {name: {f.what: f.detail for f in check_beside(counts, profile)} for name, profile in PROFILES.items()}
    for name, profile in PROFILES.items():
        assert said[name]["HDR10+"] == "in 1 frame; no profile writes it"
        assert (FORMAT_DESCRIPTION in said[name]) == (profile.codec.carry is None)
        assert "closed captions" not in said[name], "carried, or told of its side file"
    others = "H.264 (profile access) and H.265 (profile hevc) alone"
    assert said["archive"][FORMAT_DESCRIPTION] == f"in 2 frames; it is written into {others}"


def test_later_hdr_metadata_is_named():
    """A file says it once: frames that differ from the first are counted."""
    found = Beside(Hdr(light=(1000, 400)))
    for light in ((), (1000, 400), (600, 300), (1000, 400)):
        found.add(Aside(hdr=Hdr(light=light)))
    assert found.counts == {OTHER_HDR: 1}
    assert found.digest == ""


def messaged(path, *uuids):
    """H.264 whose every picture has a message of user data, of each of these UUIDs in turn."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=24, options={"x264-params": "keyint=1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(6):
            frame = frame_of(stamped(index), "yuv420p", 8)
            frame.pts = index
            for packet in [*stream.encode(frame), *(stream.encode(None) if index == 5 else [])]:
                data = bytes(packet)
                if uuids and packet.size:
                    body = uuids[packet.pts % len(uuids)].bytes + b"taken 1936-05-04"
                    data = b"\0\0\0\1" + bytes([6, 5, len(body)]) + body + b"\x80" + data
                other = av.Packet(data)
                other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
                other.time_base, other.stream, other.is_keyframe = packet.time_base, stream, True
                made.mux(other)
    return path


def test_user_data_is_named_by_its_uuid(studio, tmp_path):
    """What a camera or a lab wrote into the pictures of H.264, and no decoder reads; encoders' notes are not."""
    mine, other = UUID(int=0x123456789ABCDEF0123456789ABCDEF0), UUID(int=0x7777777777777777AAAAAAAAAAAAAAAA)
    plain = studio.color(messaged(tmp_path / "plain.mp4"), tmp_path / "plain.mkv")
    assert not [text for text in plain.lost if USER_DATA in text]
    source, out = messaged(tmp_path / "in.mp4", mine, other), tmp_path / "out.mkv"
    lost = [text for text in studio.color(source, out).lost if text.startswith(USER_DATA)]
    assert lost == [f"{USER_DATA} {uuid} (in 3 frames; no profile writes it)" for uuid in (mine, other)]
    assert verify(source, out)[0] == 0


def test_many_uuids_are_counted_together():
    """A plan has room for some."""
    found = Beside(Hdr())
    for number in range(40):
        found.add(Aside(kinds=frozenset({f"{USER_DATA} {UUID(int=number % 20)}"})))
    assert len(found.counts) == FEW + 1
    assert sum(found.counts.values()) == 40


PACKS = {0x62: b"\xff\xc2\x05\x98", 0x63: b"\xff\x85\x84\xd3"}


def recorded(packet):
    """A picture of DV with a date and a time of recording in packs that say nothing (IEC 61834-4)."""
    data, packs = bytearray(packet), [bytes([kind]) + content for kind, content in PACKS.items()]
    for block in range(0, len(data), 80):
        for at in range(block + 3, block + 78, 5) if data[block] >> 5 == 2 else ():
            if packs and data[at] == 0xFF:
                data[at : at + 5] = packs.pop()
    return bytes(data)


@pytest.mark.parametrize("suffix", [".avi", ".mov"])
def test_packs_of_dv_are_named_in_any_file(studio, tmp_path, suffix):
    """When a camera recorded is lost from DV in AVI and QuickTime as from raw DV, and named alike."""
    source, out = tmp_path / f"in{suffix}", tmp_path / "out.mkv"
    with av.open(str(source), "w") as file:
        video = file.add_stream("dvvideo", rate=25)
        video.width, video.height, video.pix_fmt = 720, 576, "yuv420p"
        for number in range(4):
            frame = frame_of(stamped(number, (720, 576)), "yuv420p", 8) if number < 3 else None
            if frame is not None:
                frame.pts = number
            for packet in video.encode(frame):
                made = av.Packet(recorded(bytes(packet)))
                made.stream, made.time_base, made.is_keyframe = video, packet.time_base, True
                made.pts = made.dts = packet.pts
                file.mux(made)
    lost = [loss for loss in color(source, out, studio.weights).lost if loss.startswith("DV pack")]
    assert lost == [
        "DV pack 0x62 date of recording 1998-05-02 (in 3 frames; no profile writes it)",
        "DV pack 0x63 time of recording (in 3 frames; no profile writes it)",
    ]
    code, said = verify(source, out)
    assert (code, said.count("lost  DV pack")) == (0, 2)


def test_a_time_code_that_counts_on_is_not_lost(studio, tmp_path):
    """Of DPX the first one's goes into the output, and says all of the others'; one that jumps is named, zeros are not.

    A piece begins with its own.
    """
    pattern = write_sequence(tmp_path / "in", frames=30)

    def stamp(codes):
        for number, code in enumerate(codes):
            path = Path(pattern % number)
            data = bytearray(path.read_bytes())
            data[1920:1924] = bytes.fromhex(code.replace(":", ""))[:: -1 if data[:4] == b"XPDS" else 1]
            path.write_bytes(data)
        return codes

    stamp([f"01:00:{n // 24:02}:{n % 24:02}" for n in range(30)])
    for number, cut in enumerate(({}, {"start": "0.5", "stop": "1.1"})):
        out = tmp_path / f"out{number}.mkv"
        assert color(pattern, out, studio.weights, **cut).lost == ()
        assert story(out).timecode == ("01:00:00:12" if cut else "01:00:00:00")
        code, said = verify(pattern, out)
        assert (code, "time code of each" in said) == (0, False)
    stamp([f"01:00:{n // 24 + 7 * (n > 27):02}:{n % 24:02}" for n in range(30)])
    [lost] = color(pattern, tmp_path / "jump.mkv", studio.weights).lost
    assert lost == "time code of each frame (in 2 frames another than the reel's counts to; no profile writes it)"
    code, said = verify(pattern, tmp_path / "jump.mkv")
    assert (code, "lost  time code of each frame" in said) == (0, True)
    stamp(["00:00:00:00"] * 30)
    assert color(pattern, tmp_path / "zero.mkv", studio.weights).lost == ()


def test_kinds_that_pyav_has_no_name_for(studio, tmp_path):
    """Exif in the pictures of a reel, by which PyAV gives none of a frame's side data: it is named with its frames, and
    the display matrix beside it is read."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 5, "taken in 1936"  # mirrored and turned
    for index in range(3):
        picture = Image.fromarray(stamped(index, bits=8, full=True))
        picture.save(tmp_path / f"{index}.jpg", exif=exif, quality=95)
    with av.open(str(tmp_path / "a.mkv"), "w") as made:
        stream = made.add_stream("mjpeg", rate=24)
        stream.height, stream.width, stream.pix_fmt = *stamped(0).shape, "yuvj420p"
        for index in range(3):
            packet = av.Packet((tmp_path / f"{index}.jpg").read_bytes())
            packet.pts = packet.dts = index
            packet.stream, packet.time_base = stream, Fraction(1, 24)
            made.mux(packet)
    with av.open(str(tmp_path / "a.mkv")) as source:
        frame = next(source.decode(video=0))
    assert aside_of(frame).kinds == {"Exif"}
    assert turn_of(frame)[1], "mirrored"
    lost = color(tmp_path / "a.mkv", tmp_path / "out.mkv", studio.weights).lost
    assert [loss for loss in lost if loss.startswith("Exif (in 3 frames")], lost
    assert verify(tmp_path / "a.mkv", tmp_path / "out.mkv")[0] == 0


def test_any_number_is_a_kind():
    """Of FFmpegs to come, too."""
    assert [Type(n).name for n in (0, 29, 500)] == ["PANSCAN", "VIEW_ID", "KIND_500"]
    with pytest.raises(ValueError, match="not a valid Type"):
        Type("none")
