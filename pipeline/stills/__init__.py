"""Stills: a picture of any format and size, read by region."""
