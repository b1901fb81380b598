"""Reels: a moving image from probe to checked output."""
