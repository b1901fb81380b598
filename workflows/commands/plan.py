"""`chromatheque plan`: shots merged and split, looks borrowed; then the same run again paints what that touched."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflows.terminal.loading import loading
from workflows.terminal.options import Named
from workflows.terminal.plain import bare

if TYPE_CHECKING:
    from colorizer.painting.colorizer import Colorizer
    from pipeline.jobs.plan import Plan
    from pipeline.jobs.plan_file import PlanFile

Edit = Callable[["PlanFile", "Plan"], "tuple[Any, str]"]
"""From a plan to another one and what was done, in words."""

place_argument = click.argument("place", metavar="PLACE")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say how much would be painted again.")


class Numbers(click.ParamType):
    """Numbers of shots or pages as the report counts them: 7 or 3,5 or 3..5."""

    name = "SHOT[,SHOT..]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        found: list[int] = []
        for part in value.split(","):
            first, dots, last = part.partition("..")
            ends = (first, last if dots else first)
            if not all(end.isdecimal() and end.isascii() and len(end) < 7 for end in ends) or int(ends[0]) > int(
                ends[1]
            ):
                self.fail(f"{value!r} names no shots; write 7 or 3,5 or 3..5", param, ctx)
            found += range(int(ends[0]), int(ends[1]) + 1)
        return tuple(dict.fromkeys(found))


class Edits(click.Group):
    """A group that says what was meant by a name that is none of its commands'."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            near = get_close_matches(cmd_name, self.commands, 1)
            meant = (
                f"did you mean {near[0]}?" if near else f"chromatheque plan show {shlex.quote(cmd_name)} lists shots"
            )
            raise click.UsageError(f"No such command {cmd_name!r}; {meant}", ctx)
        return found


@click.group(cls=Edits)
def plan() -> None:
    """Edit the shots and looks of something colored; then run its command again.

    PLACE is the folder of `reel --job` or `scan --job`, or a file of a collection below its OUT_DIR: by its path, its
    name or its catalog id. Shots are numbered as in the report, from 1, pages from 0. Only the segments that an edit
    touches are painted again, where pieces were kept (--job, archive --keep-pieces); else the whole file.

    Example: chromatheque plan show colored/reel-0042
    """


def find(place: str) -> PlanFile:
    """The plan that somebody means. Raises ColorizeError."""
    from pipeline.collection.lookup import find_plan

    return find_plan(place)


def on_screen() -> bool:
    """Whether somebody looks at what is printed, not a file or a program."""
    return sys.stdout.isatty()


@plan.command()
@place_argument
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
def show(place: str, as_json: bool) -> None:
    """List shots or pages: number, frames, time, scenes, and where the look comes from.

    Example: chromatheque plan show colored/reel-0042
    """
    with loading():
        file = find(place)
        from workflows.terminal.console import show as print_table
        from workflows.terminal.plan_table import parts_of, table_of, text_of

        of = file.read()
    if as_json:
        click.echo(json.dumps({"name": file.name, "kind": of.kind.name, "parts": parts_of(of)}, indent=1))
    elif on_screen():
        print_table(table_of(of, file.name), whole=True)
    else:
        click.echo(text_of(of, file.name))


@plan.command()
@place_argument
@click.argument("shots", metavar="SHOT..", nargs=-1, required=True, type=Numbers())
@dry_run_option
def merge(place: str, shots: tuple[tuple[int, ...], ...], dry_run: bool) -> None:
    """Make neighboring shots one. Its look is the mean of theirs, weighted by frames.

    Example: chromatheque plan merge colored/reel-0042 3..5
    """

    def edit(file: PlanFile, old: Plan) -> tuple[Any, str]:
        from pipeline.jobs import edits

        of = _divisible(old, "merged")
        typed = sorted({number for part in shots for number in part})
        wanted = _places(of, typed)
        if len(typed) < 2:
            _refuse(f"shot {typed[0]} alone cannot be merged; name its neighbor too, as in {typed[0]}..{typed[0] + 1}")
        if wanted != list(range(wanted[0], wanted[-1] + 1)):
            span = f"{typed[0]}..{typed[-1]}"
            _refuse(f"shots {_listed(typed)} are not neighbors; {span} merges all from {typed[0]} to {typed[-1]}")
        return edits.merged(of, wanted[0], wanted[-1]), (
            f"shots {_listed(typed)} are one now, shot {typed[0]}" + _shifted(of, typed[-1], f"{len(typed) - 1} less")
        )

    _edit(place, edit, dry_run)


@plan.command()
@place_argument
@click.argument("shot", metavar="SHOT", type=Numbers())
@click.option(
    "--at", required=True, metavar="FRAME|TIME",
    help="First frame of the second part: its number, a time as in the report (0:04.2), or the reel's time code.",
)  # fmt: skip
@click.option("--own", is_flag=True, help="Give both parts looks of their own.")
@dry_run_option
def split(place: str, shot: tuple[int, ...], at: str, own: bool, dry_run: bool) -> None:
    """Make a shot two. Both keep its look, and so their colors, unless --own is given.

    Example: chromatheque plan split colored/reel-0042 3 --at 1:02.5
    """

    def edit(file: PlanFile, old: Plan) -> tuple[Any, str]:
        from pipeline.jobs import edits
        from workflows.terminal.plan_table import frame_at

        of = _divisible(old, "split")
        [number] = _places(of, shot) if len(shot) == 1 else _refuse("one shot can be split at a time")
        new = edits.split(of, number, frame_at(of, number, at))
        if own:
            new = _with_own(file, _for_looks(new), [number, number + 1])
        start = new.shots[number + 1].start
        what = f"shot {number + 1} ends before frame {start} now, where shot {number + 2} begins"
        return new, what + _shifted(of, number + 1, "1 more")

    _edit(place, edit, dry_run)


@plan.command()
@place_argument
@click.argument("shots", metavar="SHOT[,SHOT..]", type=Numbers())
@click.option("--of", type=Numbers(), metavar="SHOT", help="The look of that shot or page.")
@click.option(
    "--picture", type=Named(dir_okay=False, path_type=Path),
    help="The look of a picture: a photograph whose scene and light are like the shot's. Its colors are not taken "
    "over: a look is what the network makes of a picture's luminance.",
)  # fmt: skip
@click.option("--own", is_flag=True, help="Its own look again, from its own frames.")
@dry_run_option
def look(
    place: str, shots: tuple[int, ...], of: tuple[int, ...] | None, picture: Path | None, own: bool, dry_run: bool
) -> None:
    """Give shots, or pages of a scan, another look: another shot's, a picture's, or their own again.

    Example: chromatheque plan look colored/reel-0042 7,9 --of 3
    """
    if (of is not None) + (picture is not None) + own != 1:
        raise click.UsageError("one of --of, --picture and --own says which look")

    def edit(file: PlanFile, old: Plan) -> tuple[Any, str]:
        from pipeline.jobs import edits

        old = _for_looks(old)
        wanted = _places(old, shots)
        named = f"{old.kind.part}{'s' * (len(shots) > 1)} {_listed(shots)} {'have' if len(shots) > 1 else 'has'}"
        if own:
            return _with_own(file, old, wanted), f"{named} {'looks' if len(shots) > 1 else 'a look'} of their own now"
        if of is not None:
            [lender] = _places(old, of) if len(of) == 1 else _refuse("--of takes one number")
            return edits.borrowed(old, wanted, lender), f"{named} the look of {old.kind.part} {of[0]} now"
        assert picture is not None
        return _with_picture(old, wanted, picture), f"{named} the look of {picture.name} now"

    _edit(place, edit, dry_run)


@plan.command()
@place_argument
@dry_run_option
def undo(place: str, dry_run: bool) -> None:
    """Take the last edit back; again, the one before.

    Example: chromatheque plan undo colored/reel-0042
    """
    with loading():
        file = find(place)
    with file.held():
        former = file.former()
        if not dry_run:
            file.undo()
    _tell(file, former, "the last edit is undone", dry_run)


def _edit(place: str, edit: Edit, dry_run: bool) -> None:
    """Find the plan, edit it while nothing else uses it, and tell what comes of that."""
    with loading():
        file = find(place)
    with file.held():
        old = file.read()
        new, what = edit(file, old)
        changed = new.to_json() != old.to_json()
        if changed and not dry_run:
            file.replace(new)
    if changed:
        _tell(file, new, what, dry_run)
    else:
        click.echo("nothing changes, it is so already")


def _shifted(old: Any, last: int, by: str) -> str:
    """What becomes of the numbers of the shots after an edit. last: number of the last shot that was edited."""
    return f"; those after it count {by}" if last < len(old.shots) else ""


def _tell(file: PlanFile, plan: Plan, what: str, dry_run: bool) -> None:
    todo, of = file.units(plan)
    unit = plan.kind.unit
    count = f"{todo or 'none'} of {of} {unit}s" if todo < of else f"all {of} {unit}s" if of > 1 else f"its one {unit}"
    if not file.has_pieces:
        count += ", since none are kept" + (" (archive --keep-pieces keeps them)" if file.collected else "")
    if dry_run:
        click.echo(f"nothing was changed; the next run would paint {count}")
    else:
        command = "archive command" if file.collected else "same command"
        click.echo(f"{what}\nrun the {command} as before: it paints {count}")


def _with_own(file: PlanFile, plan: Any, places: Sequence[int]) -> Any:
    """Looks of their own: a page's at the next survey, a shot's as the survey found it, or from its frames now."""
    from pipeline.jobs import edits
    from pipeline.reels.survey import survey_shots

    plan, unseen = edits.owned(plan, places, file.own_shot)
    if not unseen:
        return plan
    if not plan.reel.is_sequence and not Path(plan.reel.uri).is_file():
        _refuse(f"{plan.reel.uri}: no such file from here; edit it in the folder where it was colored")
    frames = sum(plan.shots[place].stop - plan.shots[place].start for place in unseen)
    with click.progressbar(length=frames, label="frames", file=bare(sys.stderr), hidden=not sys.stderr.isatty()) as bar:
        return survey_shots(plan, unseen, _colorizer(plan), lambda done: bar.update(done - bar.pos))


def _with_picture(plan: Any, places: Sequence[int], picture: Path) -> Any:
    from pipeline.jobs import edits
    from pipeline.scans.survey import picture_look
    from pipeline.storage.atomic import sha256
    from pipeline.values.look_source import LookSource

    found = picture_look(picture, _colorizer(plan))
    sources = (LookSource(picture=picture.name, sha256=sha256(picture)),)
    return edits.relooked(plan, places, found, sources)


def _colorizer(plan: Any) -> Colorizer:
    """The network that the plan was made with; in single precision where this machine has no half."""
    from pipeline.spread.pools import device, planned_colorizer

    settings = plan.settings
    precision = "fp32" if settings.precision == "fp16" and device() == "cpu" else settings.precision
    return planned_colorizer(settings.weights, settings.weights_digest, precision)


def _divisible(plan: Plan, verb: str) -> Any:
    """A plan whose parts can be merged and split."""
    kind = plan.kind
    if not kind.divisible:
        _refuse(f"{kind.part}s of a {kind.name} cannot be {verb}; only their looks can be edited")
    return plan


def _for_looks(plan: Plan) -> Plan:
    if not plan.own_looks:
        _refuse("with --looks per-frame every frame has a look of its own, which cannot be edited")
    return plan


def _places(plan: Any, typed: Sequence[int]) -> list[int]:
    """Places in the plan of shots or pages by the numbers that people know."""
    from pipeline.jobs.edits import numbers

    known = numbers(plan)
    for number in typed:
        if number not in known:
            word, last = plan.kind.part, f" to {known[-1]}" if len(known) > 1 else ""
            _refuse(f"there is no {word} {number}; the {word}s here are {known[0]}{last}")
    return [known.index(number) for number in typed]


def _listed(numbers: Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}" if most else last


def _refuse(what: str) -> Any:
    from colorizer.basis.errors import Mistyped

    raise Mistyped(what)
