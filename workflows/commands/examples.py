"""`chromatheque examples`: files to start from where a cluster has a manager of its own."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from workflows.terminal.options import Named


def shipped() -> dict[str, Traversable]:
    """The examples by name."""
    found = (files("workflows") / "examples").iterdir()
    return {file.name: file for file in sorted(found, key=lambda file: file.name) if file.is_file()}


def subject(text: str) -> str:
    """What an example says it is: its first sentence."""
    first = next(line for line in text.splitlines() if line.startswith("# "))
    return first.removeprefix("# ").partition(":")[0].rstrip(".")


@click.command()
@click.argument("name", required=False)
@click.option("--to", "folder", type=Named(file_okay=False, path_type=Path), help="Write them there [printed].")
@click.option("--overwrite", is_flag=True, help="Replace files of the same names there.")
def examples(name: str | None, folder: Path | None, overwrite: bool) -> None:
    """List the examples, print the one called NAME, or write that one or all into a folder.

    Each says at its beginning how it is used and what to change.

    Example: chromatheque examples slurm.sbatch --to jobs/
    """
    found = shipped()
    if name is not None and name not in found:
        raise click.UsageError(f"no example {name!r}; there are {', '.join(found)}")
    chosen = {name: found[name]} if name is not None else found
    texts = {name: file.read_text(encoding="utf-8") for name, file in chosen.items()}
    if folder is not None:
        for path in _write(texts, folder, overwrite):
            click.echo(path)
    elif name is not None:
        click.echo(texts[name], nl=False)
    else:
        for each, text in texts.items():
            click.echo(f"{each:16}{subject(text)}")


def _write(texts: dict[str, str], folder: Path, overwrite: bool) -> list[Path]:
    """The files, all or none of them. Raises ColorizeError, also where one lies already."""
    from colorizer.basis.atomic import write_text
    from colorizer.basis.errors import ColorizeError
    from pipeline.storage.atomic import writable

    paths = {folder / name: text for name, text in texts.items()}
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise ColorizeError(f"{there[0]}: exists; add --overwrite or give another folder")
    for path, text in paths.items():
        with writable(path):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
    return list(paths)
