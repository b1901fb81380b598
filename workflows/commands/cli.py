"""The `chromatheque` command: one sub-command per file, imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys

os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch reads it at import; huge pages double training speed

import click

from workflows.terminal import stopping, supervisor

COMMANDS = {
    "reel": "Color a film reel.",
    "scan": "Color a photograph, plate or negative of any size.",
    "archive": "Color a whole collection, unattended.",
    "plan": "Edit shots and looks; the next run repaints what that touches.",
    "report": "Show what came of a collection, or of one output, on one page.",
    "verify": "Prove that an output keeps what its source holds.",
    "train": "Train weights on color pictures.",
    "evaluate": "Measure weights on pictures whose colors are known.",
    "bench": "Measure time and memory on this machine.",
    "examples": "Print or write examples: Kubernetes, Slurm, a container image.",
    "doctor": "Show versions, devices and codecs, and what is missing.",
    "demo": "Make a small black-and-white reel and color it.",
    "submit": "Put a command into a Ray cluster's job queue.",
    "jobs": "List the jobs submitted to a cluster.",
    "status": "Tell how a submitted job is doing.",
    "logs": "Print what a submitted job prints.",
    "stop": "Stop a submitted job.",
}


def _meant(typed: str) -> str:
    """What somebody may have wanted who typed something else."""
    from difflib import get_close_matches

    if near := get_close_matches(typed, COMMANDS, 1):
        return f"; did you mean {near[0]}?"
    return "; reel colors a film, scan a still, archive a folder of them" if "." in typed or "/" in typed else ""


class Commands(click.Group):
    """Lists commands without importing them: `chromatheque --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            raise click.UsageError(f"No such command {cmd_name!r}{_meant(cmd_name)}", ctx)
        home = "cluster_jobs" if cmd_name in ("jobs", "status", "logs", "stop") else cmd_name
        command: click.Command = getattr(importlib.import_module(f"workflows.commands.{home}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chromatheque")
def cli() -> None:
    """Colors black-and-white film reels and scans, keeps what the original holds, and proves it."""


def main() -> None:
    """Entry point: what decodes is done in a process of its own, whose death is told in a line."""
    supervisor.stand_by(sys.argv[1:])
    command()


def command() -> None:
    """What was typed, in this process: errors a person can act on become one line and exit code 1; a bug keeps its
    traceback."""
    from colorizer.basis.errors import ColorizeError, Mistyped
    from workflows.terminal import plain

    plain.install()

    try:
        stopping.install()
        code = cli.main(standalone_mode=False)  # returns the code of an Exit instead of raising it
        stopping.leave(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        if not isinstance(error, click.exceptions.NoArgsIsHelpError):  # whose message is the whole help
            error.message = plain.in_a_line(error.message)  # type: ignore[misc]  # a name may hold the end of a line
        error.show()
        sys.exit(error.exit_code)
    except ColorizeError as error:
        click.echo(f"Error: {plain.in_a_line(str(error))}", err=True)
        sys.exit(2 if isinstance(error, Mistyped) else 1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        stopping.leave(stopping.code())


if __name__ == "__main__":
    main()
