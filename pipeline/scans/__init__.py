"""Scans: a still from survey to checked output, band by band."""
