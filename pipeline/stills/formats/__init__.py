"""Formats of picture files that are decoded whole, a file each; `pipeline/stills/table.py` lists them."""
