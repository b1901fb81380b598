"""Basis: the error tree of the whole project, and light as numbers. Knows nothing else of the project."""
