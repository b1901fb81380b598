"""Commands: one file for each sub-command, thin."""
