"""Formats of the files that jobs keep: a number each, one higher with each change of what they hold."""

from typing import Any

CENSUS = 5
"""How much of a source is held against its output and named where it is lost: one higher with each version that names
more. Sidecars say theirs; those without are older than all."""


class OtherFormat(ValueError):
    """A file of another version of this program."""


def check_format(what: str, values: dict[str, Any], written: int) -> None:
    """Raises OtherFormat if the values are not of the format that this program writes, KeyError if they have none."""
    if values["format"] != written:
        raise OtherFormat(f"{what} format {values['format']}, this program writes {written}")
