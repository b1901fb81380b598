"""Painting: a network on a device, for frames and for plates of any size."""
