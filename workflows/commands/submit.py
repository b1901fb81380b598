"""`chromatheque submit`: any other command, run by a Ray cluster instead of this machine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import files, version
from pathlib import Path
from typing import Any

import click

from colorizer.basis.errors import ColorizeError
from workflows.commands.cluster_jobs import COMMANDS, address_option, follow, open_queue

MODULE = "workflows.commands.cli"
HOME = Path(__file__).resolve().parents[2]
PACKAGES = "colorizer", "pipeline", "workflows"
"""What is sent along, and the folder that holds them."""


@click.command(context_settings={"allow_interspersed_args": False})
@address_option
@click.option("--follow", "following", is_flag=True, help="Print the job's log until it ends; exit as it did.")
@click.option("--ship", is_flag=True, help="Send this very version along, to a cluster that has only what it needs.")
@click.option("--python", default="python", show_default=True, help="The cluster's Python.")
@click.argument("words", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def submit(address: str, words: tuple[str, ...], following: bool, ship: bool, python: str) -> None:
    """Put COMMAND into the job queue of a Ray cluster, and print the job's id.

    COMMAND is any other command of chromatheque with its arguments. Paths are the cluster's: every node must reach them
    by the same name. Where the command takes them, `--ray auto` (work on the cluster's workers) and `--progress json`
    are added, unless given. The job goes on when this machine is switched off; chromatheque jobs, status, logs and
    stop look after it. A cluster's token is read from RAY_AUTH_TOKEN_PATH or RAY_AUTH_TOKEN and sent nowhere else.

    Example: chromatheque submit --address http://head:8265 -- archive /film/in /film/out --workers 8
    """
    entrypoint = shlex.join([python, "-m", MODULE, *completed(words)])
    queue = open_queue(address)
    with tempfile.TemporaryDirectory() as place:
        id = queue.submit(entrypoint, packages(Path(place)) if ship else ())
    click.echo(id)
    if following:
        follow(queue, id)


def completed(words: Sequence[str]) -> list[str]:
    """A command as the cluster shall run it. Raises UsageError for what it would refuse there."""
    from workflows.commands.cli import cli

    name, rest = words[0], list(words[1:])
    parent = click.Context(cli, info_name="chromatheque")
    command = None if name in ("submit", *COMMANDS) else cli.get_command(parent, name)
    if command is None:
        raise click.UsageError(f"{name!r} is not a command that a cluster can run")
    context = click.Context(command, info_name=name, parent=parent)
    given, _, _ = command.make_parser(context).parse_args(list(rest))
    _check(command, context, given)
    added: list[str] = []
    for flag, value in (("--ray", "auto"), ("--progress", "json")):
        option = next((p for p in command.params if flag in p.opts), None)
        if option is None or option.name in given:
            continue
        if flag == "--ray" and name == "train" and "samples" not in given:
            continue  # such a run is one machine's
        added += [flag, value]
    return [name, *added, *rest]  # in front, for a `--` may come


def _check(command: click.Command, context: click.Context, given: dict[str, Any]) -> None:
    """Refuse a slip of the keyboard now; the queue may be long. Whether a file is there, only the cluster knows."""
    for param in command.params:
        value = given.get(param.name or "")
        for path in _paths(param, value):
            if not path.startswith("/") and "://" not in path:
                raise click.UsageError(
                    f"{path}: the job runs in another folder; write the whole path, as the cluster's machines know it",
                    context,
                )
        if not isinstance(param.type, click.Path):
            param.handle_parse_result(context, given, [])
        elif param.required and not isinstance(value, str | tuple | list):
            raise click.MissingParameter(ctx=context, param=param)


def _paths(param: click.Parameter, value: Any) -> Iterator[str]:
    """Those of a parameter's values that name files."""
    weights = param.name in ("weights", "begin")  # names of what ships, or files
    if isinstance(param.type, click.Path) or isinstance(param, click.Argument) or weights or param.name == "storage":
        for word in [value] if isinstance(value, str) else value if isinstance(value, tuple | list) else []:
            if isinstance(word, str) and (not weights or word.endswith(".safetensors")):
                yield word


def packages(place: Path) -> list[Path]:
    """Copies of the packages in `place`, of the files that belong to them and of nothing else that lies there, and a
    folder that tells their version. Raises ColorizeError."""
    for file in belonging():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HOME / file, place / file)
    ours = version("chromatheque")
    message = place / f"chromatheque-{ours}.dist-info"  # what is colored says which version did it
    message.mkdir()
    (message / "METADATA").write_text(f"Metadata-Version: 2.1\nName: chromatheque\nVersion: {ours}\n")
    return [*(place / package for package in PACKAGES), message]


def belonging() -> list[str]:
    """Files of the packages, relative to their home: those that git tracks in a checkout, else those of the wheel.

    Raises ColorizeError where neither says.
    """
    if (HOME / ".git").exists():
        asked = ["git", "-C", str(HOME), "ls-files", "-z", "--", *PACKAGES]
        try:
            listed = subprocess.run(asked, capture_output=True, check=True).stdout.decode().split("\0")
        except (OSError, subprocess.CalledProcessError) as error:
            raise ColorizeError(f"--ship sends what git tracks in {HOME}, and git does not tell: {error}") from error
        return [name for name in listed if name and (HOME / name).is_file()]
    found = [str(file) for file in files("chromatheque") or () if file.parts[0] in PACKAGES and file.suffix != ".pyc"]
    if not found:
        raise ColorizeError(f"--ship: nothing says which files in {HOME} belong to this program; install it as a wheel")
    return found
