"""Story: the sidecar of an output as a page that a person reads; the JSON beside it stays what programs read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from colorizer.painting.scenes import said
from workflows.report.values import shown

MANY = 60
"""Values of a list that are shown; of more it is said how many there are."""
DEPTH = 8
"""Levels of values in values."""
ORDER = (
    "id", "catalog", "source", "output", "frames", "verdict", "not_carried_over", "damage", "verified", "notes",
    "tracks", "shots", "pages", "settings",
)  # fmt: skip
"""What a reader looks for first; the rest follows as it stands."""
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 0 auto; padding: 1.5rem 5vw 4rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); gap: .2rem 1.2rem; margin: 0; }
dt { color: GrayText; overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
body > dl > dt { font-weight: 650; color: inherit; } body > dl > dd { margin-bottom: .8rem; }
ol, ul { margin: 0; padding-left: 1.3rem; }
@media (max-width: 600px) { dl { grid-template-columns: minmax(0, 1fr); } dd { padding-left: 1rem; } }
"""


def story(name: str, values: Mapping[str, Any], raw: str) -> str:
    """One HTML page, without scripts. name: of the file. values: the sidecar's. raw: the URL of the JSON itself."""
    first = {key: values[key] for key in ORDER if key in values}
    rest = {key: value for key, value in values.items() if key not in first}
    title = escape(shown(name))
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{title}: its story</title><style>{STYLE}</style></head><body>\n"
        f'<h1>{title}</h1>\n<p><a href="{escape(raw)}">The same for programs (JSON)</a></p>\n'
        f"{''.join(_of({**first, **rest}, 0))}\n</body></html>\n"
    )


def _of(value: Any, depth: int) -> Iterator[str]:
    if depth > DEPTH:
        yield "..."
    elif isinstance(value, Mapping):
        yield from _pairs(value, depth)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from _list(value, depth)
    else:
        yield _scalar(value)


def _pairs(values: Mapping[str, Any], depth: int) -> Iterator[str]:
    if not values:
        yield "none"
        return
    yield "<dl>"
    for name, value in list(values.items())[:MANY]:
        shown_of = _said(value) if name == "scenes" else "".join(_of(value, depth + 1))
        yield f"<dt>{escape(_word(name))}</dt><dd>{shown_of}</dd>\n"
    if len(values) > MANY:
        yield f"<dt>more</dt><dd>{len(values) - MANY:,} in the JSON</dd>"
    yield "</dl>"


def _said(scenes: Any) -> str:
    """Of a scene what may be said; how likely each was has the JSON."""
    pairs = [s for s in scenes if isinstance(s, list) and len(s) == 2] if isinstance(scenes, list) else []
    tags = tuple((str(name), float(share)) for name, share in pairs if isinstance(share, int | float))
    return ", ".join(f"{_scalar(_word(name))} {share * 100:.0f} %" for name, share in said(tags)) or "not sure"


def _list(values: Sequence[Any], depth: int) -> Iterator[str]:
    if not values:
        yield "none"
    elif all(not isinstance(value, Mapping | list) for value in values) and not any(map(_long, values)):
        yield ", ".join(map(_scalar, values[:MANY])) + _more(values)
    else:
        yield "<ol>"
        for value in values[:MANY]:
            yield f"<li>{_finding(value) or ''.join(_of(value, depth + 1))}\n"
        yield f"</ol>{_more(values)}"


def _more(values: Sequence[Any]) -> str:
    return f" and {len(values) - MANY:,} more, which the JSON has" if len(values) > MANY else ""


def _finding(value: Any) -> str:
    """What was checked, in a line; "" for what is no finding."""
    if not isinstance(value, Mapping) or not {"what", "holds", "detail"} <= value.keys():
        return ""
    mark = "" if value["holds"] is True else "<b>lost:</b> "
    return f"{mark}{_scalar(value['what'])}: {_scalar(value['detail'] or 'none')}"


def _long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 30


def _scalar(value: Any) -> str:
    if value is None or value == "":
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(shown(str(value)))


def _word(name: str) -> str:
    return shown(re.sub(r"_+", " ", str(name)))
