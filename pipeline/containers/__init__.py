"""Containers: what containers and codecs can hold, and how outputs are encoded."""
