"""How large a job is, by its source's header alone."""

from __future__ import annotations

from pipeline.jobs.reel_job import Job
from pipeline.jobs.scan_job import ScanJob

REEL_BYTES, SCAN_BYTES = 1.5, 2.5
"""Of an output per pixel and byte of a sample: a frame's luma and chroma in FFV1, three samples in Deflate; both with
grain, which compresses badly."""


def measure(job: Job | ScanJob) -> dict[str, float]:
    """Frames or pages, megapixels and bytes of the output."""
    if isinstance(job, Job):
        reel = job.reel
        frames = reel.header_frames or round(float(reel.header_seconds * reel.rate)) or 1
        pixels = float(frames * reel.width * reel.height)
        return {
            "frames": frames,
            "megapixels": round(pixels / 1e6, 2),
            "bytes": _bytes(pixels, reel.coding.bits, REEL_BYTES),
        }
    pixels, held = 0.0, 0.0
    for page in job.facts:
        pixels += page.height * page.width
        held += _bytes(page.height * page.width, page.bits, SCAN_BYTES)
    return {"pages": len(job.facts), "megapixels": round(pixels / 1e6, 2), "bytes": held}


def _bytes(pixels: float, bits: int, each: float) -> float:
    return round(pixels * each * (1 if bits <= 8 else 2))
