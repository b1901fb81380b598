"""Arrays in, arrays out: the network, its weights, color arithmetic, training and quality measures.

Knows torch, numpy and safetensors; knows nothing of media files, Ray or the command line.
"""
