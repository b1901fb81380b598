"""Stages of an item of a collection, and the states that it is in between them: the words, defined once."""

SURVEY, PAINT, PUBLISH = "survey", "paint", "publish"
"""What is done with an item, in this order."""
LISTED, OPENED = "list", "open"
"""Where an item is set aside before anything is done: for what the manifest says of it, or what its header does."""

WAITING, SURVEYED, PAINTING, DONE, ASIDE = "waiting", "surveyed", "painting", "done", "set-aside"
"""How far it is."""
