"""The kinds of jobs there are, by name."""

from __future__ import annotations

from typing import Any

from pipeline.jobs.job import Job
from pipeline.jobs.reel_job import ReelJob
from pipeline.jobs.scan_job import ScanJob

JOBS: dict[str, type[Job[Any, Any]]] = {job.kind.name: job for job in (ReelJob, ScanJob)}
