"""Events as scripts read them: their names, what they say, and in which order."""

import json

import pytest

from pipeline.values import events as e

WRITTEN = [
    (e.Note("a note"), '{"event": "note", "text": "a note"}'),
    (e.Retry("segment 3, attempt 1: killed"), '{"event": "retry", "text": "segment 3, attempt 1: killed"}'),
    (e.FramesSurveyed(3, 10), '{"event": "survey", "frames": 3, "of": 10}'),
    (e.RowsSurveyed(64, 1000), '{"event": "survey", "rows": 64, "of": 1000}'),
    (e.ReelPlanned(96, 3, 4, 1), '{"event": "planned", "frames": 96, "shots": 3, "segments": 4, "done": 1}'),
    (
        e.ScanPlanned(2, 12.5, 4000, 6, 1),
        '{"event": "planned", "pages": 2, "megapixels": 12.5, "rows": 4000, "bands": 6, "done": 1}',
    ),
    (e.FramesPainted(5, 96), '{"event": "frame", "done": 5, "of": 96}'),
    (e.RowsPainted(512, 4000), '{"event": "rows", "done": 512, "of": 4000}'),
    (e.UnitPainted("segment", 3, 1, {"frames": 24}), '{"event": "segment", "number": 3, "attempt": 1, "frames": 24}'),
    (e.UnitPainted("band", 0, 2, {"rows": 512}), '{"event": "band", "number": 0, "attempt": 2, "rows": 512}'),
    (e.Joining(), '{"event": "joining"}'),
    (e.Checking(), '{"event": "checking"}'),
    (
        e.Finished("out.mkv", False, 4, "verified, but for 1 loss", ("a subtitle",)),
        '{"event": "finished", "out": "out.mkv", "already": false, "painted": 4, '
        '"verdict": "verified, but for 1 loss", "lost": ["a subtitle"]}',
    ),
    (e.Looking(1, 9), '{"event": "looking", "done": 1, "of": 9}'),
    (
        e.StepDone("films/a", "paint", "segment 3", 1.25),
        '{"event": "step", "name": "films/a", "stage": "paint", "step": "segment 3", "seconds": 1.25}',
    ),
    (e.StepRetry("films/a, killed", "paint"), '{"event": "retry", "text": "films/a, killed", "stage": "paint"}'),
    (
        e.GivenUp("films/a", "open", "no video"),
        '{"event": "aside", "name": "films/a", "stage": "open", "text": "no video"}',
    ),
    (
        e.ItemChanged("0f", "films/a", "painting", 1, 4, 2.4),
        '{"event": "item", "key": "0f", "name": "films/a", "state": "painting", "done": 1, "of": 4, "megapixels": 2.4}',
    ),
    (
        e.Total(1.5, 9.0, e.UnitCount(3, 12), {"done": 1, "waiting": 2}, 0.93, 2),
        '{"event": "total", "done": 1.5, "of": 9.0, "unit": "megapixels", "units": {"done": 3, "of": 12}, '
        '"items": {"done": 1, "waiting": 2}, "busy": 0.93, "workers": 2}',
    ),
    (
        e.NightFinished(3, 1, 0, False, 61.5, 0.93, 2, None),
        '{"event": "finished", "done": 3, "aside": 1, "left": 0, "late": false, "seconds": 61.5, "busy": 0.93, '
        '"losses": 2, "report": null}',
    ),
]


@pytest.mark.parametrize(
    ("event", "line"), WRITTEN, ids=[f"{n}-{type(event).__name__}" for n, (event, _) in enumerate(WRITTEN)]
)
def test_scripts_read_the_same_as_ever(event, line):
    """The line that `--progress json` writes, byte for byte."""
    assert json.dumps(event.to_json()) == line


def test_no_event_is_forgotten():
    """Every kind of event that can be sent is written above; those with kinds of their own are not sent."""
    kinds = {kind for kind in vars(e).values() if isinstance(kind, type) and issubclass(kind, e.Event)}
    assert {type(event) for event, _ in WRITTEN} == kinds - {e.Event, e.Surveyed, e.Painted}
