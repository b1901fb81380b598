"""Writes what the code already says into two pages: `python docs/made.py`, or `make docs`.

`command-line.md` is made from the commands and their help. The map in `internals/layout.md` is made from the first
sentence of each file. tests/test_docs.py fails where a page is behind its code.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the checkout's own commands, whatever else is installed

from tests.test_layers import WINGS  # noqa: E402
from workflows.commands.cli import COMMANDS, cli  # noqa: E402

COMMAND_LINE = ROOT / "docs" / "command-line.md"
LAYOUT = ROOT / "docs" / "internals" / "layout.md"
BEGIN, END = "<!-- the map: made by docs/made.py -->\n", "<!-- end of the map -->\n"

HEAD = """# Command line

Every command and option. This page is made from the commands themselves by `make docs`; edit their help, not this page.
`chromatheque COMMAND --help` shows the same on a terminal. The codes they end with are in
[exit-codes.md](exit-codes.md).

"""

HELP: list[str] = cli.context_settings["help_option_names"]
"""click remembers for good which help options a command had in its first context."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """(words as typed, command) of everything that can be run, groups before what is in them."""
    top = click.Context(cli, info_name="chromatheque", **cli.context_settings)
    for name in cli.list_commands(top):
        command = cli.get_command(top, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in sorted(command.commands.items()))


def options(command: click.Command) -> list[click.Option]:
    """The options of a command that its help shows."""
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def row(command: click.Command, option: click.Option) -> str:
    """An option as a row of a table."""
    record = option.get_help_record(click.Context(command, info_name="", help_option_names=HELP))
    names, text = record or (", ".join(option.opts), "")
    cells = (f"`{names}`", text.replace(".  [", ". ["))
    return "| " + " | ".join(cell.replace("|", "\\|").strip() for cell in cells) + " |"


def section(words: str, command: click.Command) -> Iterator[str]:
    """A command: its heading, how it is typed, what it does, its example, its options."""
    yield f"{'###' if ' ' in words else '##'} {words}\n"
    context = click.Context(command, info_name=f"chromatheque {words}", help_option_names=HELP)
    yield f"`{' '.join([context.command_path, *command.collect_usage_pieces(context)])}`\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        first, example, rest = paragraph.partition("Example: ")
        yield f"```sh\n{rest}\n```\n" if example and not first else f"{paragraph}\n"
    if shown := options(command):
        yield "\n".join(["| option | meaning |", "|---|---|", *(row(command, each) for each in shown)]) + "\n"


def command_line() -> str:
    """The text of command-line.md."""
    listed = "\n".join(f"- [{name}](#{name}): {text}" for name, text in COMMANDS.items())
    parts = (part for words, command in commands() for part in section(words, command))
    return HEAD + listed + "\n\n" + "\n".join(parts)


def first_sentence(path: Path) -> str:
    """What a file says that it is."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.sub(r"([*|])", r"\\\1", " ".join(text.partition("\n\n")[0].split()))


def wing_map() -> str:
    """Every wing in order, and every file in it."""
    lines: list[str] = []
    for number, wing in enumerate(WINGS, 1):
        folder = ROOT / wing.replace(".", "/")
        files = sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")
        lines += [f"### {number}. {wing.replace('.', '/')}", "", first_sentence(folder / "__init__.py"), ""]
        lines += ["| file | what it is |", "|---|---|"]
        lines += [f"| `{path.relative_to(folder)}` | {first_sentence(path)} |" for path in files] + [""]
    return "\n".join(lines) + "\n"


def layout() -> str:
    """The text of internals/layout.md, with the map as the tree is now."""
    before, _, rest = LAYOUT.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{wing_map()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    COMMAND_LINE.write_text(command_line(), encoding="utf-8")
    LAYOUT.write_text(layout(), encoding="utf-8")
