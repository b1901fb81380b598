"""Bench: what a user can measure on a machine of their own."""
