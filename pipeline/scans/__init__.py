"""Scans: stills of any size, read by region, colored band by band, written as they are made."""

from pipeline.stills.opening import MAX_PIXELS, open_scan
from pipeline.stills.reader import Scan, ScanReader

__all__ = ["MAX_PIXELS", "Scan", "ScanReader", "open_scan"]
