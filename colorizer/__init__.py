"""Arrays in, arrays out: the network, its weights, color arithmetic, training and quality measures.

Knows torch, numpy and safetensors; knows nothing of media files, Ray or the command line.
"""

DEFAULT_WEIGHTS = "fast"
"""Shipped weights that are used when none are named; here, because naming them must not load torch."""
