"""`python -m workflows`: the command `chromatheque`, also where its folder is not on the path."""

from workflows.commands.cli import main

if __name__ == "__main__":
    main()
