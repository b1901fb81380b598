"""Report: the page that tells in the morning what came of a collection."""
