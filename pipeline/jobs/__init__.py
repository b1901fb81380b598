"""Jobs: one source, one output, a folder in between that a run goes on from."""
