"""What a person asks for: the commands that wire pipeline and colorizer together. `python -m workflows` runs them."""

from typing import TYPE_CHECKING

from colorizer.basis.exports import lazily

if TYPE_CHECKING:
    from workflows.commands.cli import main

    __version__: str
else:
    __getattr__, __dir__ = lazily(__name__, {"main": "workflows.commands.cli"})

__all__ = ["__version__", "main"]
