"""What pictures carry that FFmpeg tells nobody of is named, once for each kind, with how many frames have it."""

import pytest

from pipeline.reels.user_data import BARS
from tests.captioned import spoken, write_captioned
from tests.endtoend import color, verify

FRAMES = 12
BAR = b"GA94\x06\xcf\xc0\x08\xc0\x38"
LOST = [
    f"{BARS} (in 12 frames; no profile writes it)",
    "user data of pictures (in 1 frame; no profile writes it)",
    "user data that begins with 'ACME' (in 2 frames; no profile writes it)",
]


@pytest.mark.parametrize("out", [".mkv", ".mp4"])
def test_bars_and_words_of_pictures_are_named(tmp_path, studio, out):
    """Of each kind one line, whatever is in it; captions, which are carried, stay what they were."""
    more = dict.fromkeys(range(FRAMES), BAR)
    more |= {3: BAR + b"\0\0\1\xb2ACME 001", 4: BAR + b"\0\0\1\xb2ACME 002", 5: BAR + b"\0\0\1\xb2\x07\x08"}
    source, made = tmp_path / "in.ts", tmp_path / f"out{out}"
    write_captioned(source, spoken({0: "HELLO"}, FRAMES), more=more)
    lost = color(source, made, studio.weights).lost
    assert [text for text in lost if text in LOST] == LOST
    assert not any("user data" in text or BARS in text for text in lost if text not in LOST)
    code, told = verify(source, made)
    assert (code, told.count("lost  bar data")) == (0, 1)


def test_captions_alone_are_no_user_data(tmp_path, studio):
    """What FFmpeg makes side data of is told as that."""
    source, made = tmp_path / "in.ts", tmp_path / "out.mp4"
    write_captioned(source, spoken({0: "HELLO"}, FRAMES, second=True), {2: 10})
    assert not any("user data" in text for text in color(source, made, studio.weights).lost)
