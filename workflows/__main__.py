"""The command `chromatheque`, and `python -m workflows`, also where its folder is not on the path."""

from workflows.terminal import early

early.install()  # before anything else is loaded

from workflows.commands.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
