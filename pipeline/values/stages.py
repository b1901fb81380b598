"""Stages of an item of a collection, and the states that it is in between them: the words, defined once."""

SURVEY, PAINT, PUBLISH = "survey", "paint", "publish"
"""What is done with an item, in this order."""
LISTED = "list"
"""Where an item is set aside for what the manifest says of it, before anything is done."""

WAITING, SURVEYED, PAINTING, DONE, ASIDE = "waiting", "surveyed", "painting", "done", "set-aside"
"""How far it is."""
