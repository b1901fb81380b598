"""Media, storage and workers: everything between a file on disk and the arrays the colorizer knows."""
