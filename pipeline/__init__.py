"""Media, storage and workers: everything between a file on disk and the arrays the colorizer knows.

import pipeline
pipeline.color_reel("newsreel.mov", "newsreel.mkv")
"""

from typing import TYPE_CHECKING

from colorizer.basis.exports import lazily

if TYPE_CHECKING:
    from pipeline.jobs.calls import color_reel, color_scan, verify
    from pipeline.jobs.job import Result
    from pipeline.values.events import Event
    from pipeline.values.finding import Finding

    __version__: str
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            **dict.fromkeys(("color_reel", "color_scan", "verify"), "pipeline.jobs.calls"),
            "Event": "pipeline.values.events",
            "Result": "pipeline.jobs.job",
            "Finding": "pipeline.values.finding",
        },
    )

__all__ = ["Event", "Finding", "Result", "__version__", "color_reel", "color_scan", "verify"]
