"""Metadata: what a still says of itself, read and written tag by tag."""
