"""Labels: what a file says of a track beside its packets: language, title and flags such as "forced".

Containers hold different ones; what an output cannot hold is told in words, which the check looks for later.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from av.stream import Disposition

from pipeline.containers.containers import Container
from pipeline.containers.holding import held

SAME_LANGUAGE = {
    "deu": "ger", "nld": "dut", "swe": "sve", "fre": "fra", "cze": "ces", "zho": "chi", "slo": "slk", "rum": "ron",
    "ell": "gre", "isl": "ice", "fas": "per", "sqi": "alb", "hye": "arm", "eus": "baq", "bod": "tib", "cym": "wel",
    "mya": "bur", "kat": "geo", "mkd": "mac", "msa": "may",
}  # fmt: skip
"""ISO 639-2 has two codes for these (Swedish: QuickTime has its own); QuickTime's table knows the second."""

NATURE = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Flags that say what a track is, not how it is meant: a muxer sets them itself."""


NO_LANGUAGE = "{} files have no code for its language {}"
NO_TITLE = "{} files do not hold its title"
NO_FLAG = "{} files do not hold its flag {}"
NO_STEREO = "{} files do not hold its stereo mode {}"
BESIDE = "{} s of it lie beside no picture and are left out"
ROUNDED = "samples of more than {} bits are rounded"
COMPRESSED = "its samples are compressed with loss, as {}"
RESAMPLED = "its samples are {} a second, where they were {}"
UNNUMBERED = "the places of its channels, {}, have no number in {}, and few players read them"
UNHEARD = "not decoded here, since it ends the program that asks for its sound"
CHANGES = "its sound changes from {} Hz {} to {} Hz {} at {} s"
"""What an output does not hold of a track, by its suffix. Sidecars keep these words, and `verify` looks for them there:
who words one anew leaves the old one among the forms."""

_FORMS = [
    re.compile(re.escape(form).replace(r"\{\}", ".*"))
    for form in (
        NO_LANGUAGE,
        NO_TITLE,
        NO_FLAG,
        NO_STEREO,
        BESIDE,
        ROUNDED,
        COMPRESSED,
        RESAMPLED,
        UNNUMBERED,
        UNHEARD,
        CHANGES,
    )
]


@cache
def language_in(container: Container, code: str) -> str:
    """A language as an output of this kind can say it (QuickTime: "ger", not "deu"); "" if it cannot."""
    names = (code, SAME_LANGUAGE.get(code, code))
    return next((n for n in names if held(container, {"language": n}).tags.get("language") == n), "")


def same_language(a: str, b: str) -> bool:
    """Whether two codes name one language; "und" is no language."""
    a, b = ("" if code == "und" else code for code in (a, b))
    return a == b or SAME_LANGUAGE.get(a) == b


def title_of(tags: Any) -> str:
    """A track's title. QuickTime's is its "name", UTF-8 that FFmpeg reads as Mac Roman."""
    title, name = str(tags.get("title", "")), str(tags.get("name", ""))
    try:
        return title or name.encode("mac_roman").decode()
    except UnicodeError:
        return name


@cache
def _holds_title(container: Container, title: str) -> bool:
    return title_of(held(container, {"title": title}).tags) == title


@cache
def _holds_flag(container: Container, flag: int) -> bool:
    return bool(held(container, flags=flag).flags & flag)


def _flags(stream: Any, container: Container) -> list[Disposition]:
    """Flags that count: where a container has none, no track is another one's default."""
    left_out = NATURE if container.labels else NATURE | Disposition.default
    return [f for f in Disposition if f & int(stream.disposition) and not f & left_out]


def _stereo(stream: Any) -> str:
    """How two pictures lie in a frame, as Matroska calls it; "" where there is one."""
    mode = str(stream.metadata.get("stereo_mode", ""))
    return "" if mode == "mono" else mode


def unheld(stream: Any, container: Container) -> str:
    """What an output of this kind cannot say of a stream, in words; "" if it can say everything."""
    language, title = stream.metadata.get("language", "und"), title_of(stream.metadata)
    messages = []
    if language != "und" and not language_in(container, language):
        messages.append(_no_language(container, language))
    if title and not _holds_title(container, title):
        messages.append(_no_title(container))
    if (stereo := _stereo(stream)) and not container.stereo:
        messages.append(NO_STEREO.format(container.suffix, stereo))
    messages += [_no_flag(container, f) for f in _flags(stream, container) if not _holds_flag(container, int(f))]
    return "; ".join(messages)


def losses_in(why: str) -> str:
    """Of what is said of a track's fate, that which is not in the output, now or when its sidecar was written."""
    return "; ".join(text for text in why.split("; ") if any(form.fullmatch(text) for form in _FORMS))


def _no_language(container: Container, language: str) -> str:
    return NO_LANGUAGE.format(container.suffix, language)


def _no_title(container: Container) -> str:
    return NO_TITLE.format(container.suffix)


def _no_flag(container: Container, flag: Disposition) -> str:
    return NO_FLAG.format(container.suffix, flag.name)


def changed(source: Any, output: Any, container: Container, declared: str, chosen: bool) -> list[str]:
    """What an output says otherwise of a stream and has not declared.

    chosen: a track of this kind is the default one in the source; where none is, containers choose the first.
    """
    messages = []
    was, now = (s.metadata.get("language", "") for s in (source, output))
    if not same_language(was, now) and _no_language(container, was) not in declared:
        messages.append(f"language {was or 'none'} became {now or 'none'}")
    was, now = title_of(source.metadata), title_of(output.metadata)
    if was != now and _no_title(container) not in declared:
        messages.append(f"title {was!r} became {now!r}")
    was, now = _stereo(source), _stereo(output)
    if was != now and NO_STEREO.format(container.suffix, was) not in declared:
        messages.append(f"stereo mode {was or 'mono'} became {now or 'mono'}")
    had, has = _flags(source, container), _flags(output, container)
    messages += [f"flag {f.name} is gone" for f in had if f not in has and _no_flag(container, f) not in declared]
    added = [f for f in has if f not in had and (f != Disposition.default or chosen)]
    return messages + [f"flag {f.name} is new" for f in added]
