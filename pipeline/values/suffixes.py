"""Suffixes of file names, known before any codec is loaded: how outputs of scans end, and what is a moving picture."""

from __future__ import annotations

from pathlib import Path

from colorizer.basis.errors import EncodeError

SCANS = {"TIFF": (".tif", ".tiff"), "PNG": (".png",), "JPEG": (".jpg", ".jpeg")}
"""Of colored scans, by the name of their format, the usual one first."""

REELS = frozenset(
    [
        ".mov", ".qt", ".mp4", ".m4v", ".f4v", ".3gp", ".3g2", ".mkv", ".mk3d", ".webm", ".avi", ".divx",
        ".mxf", ".gxf", ".lxf", ".mpg", ".mpeg", ".m1v", ".m2v", ".mpv", ".vob", ".vro", ".pva", ".ts",
        ".m2ts", ".mts", ".m2t", ".trp", ".tod", ".mod", ".wtv", ".wmv", ".asf", ".flv", ".dv", ".dif",
        ".ogv", ".ogm", ".nut", ".ivf", ".obu", ".rm", ".rmvb", ".mjpeg", ".mjpg", ".y4m", ".h264", ".264",
        ".avc", ".h265", ".265", ".hevc", ".vc1", ".amv", ".ty", ".cine",
    ]
)  # fmt: skip
"""Of what a walk takes for a moving picture; for a still, what `pipeline.stills.table` knows."""


def scan_format(path: Path) -> str:
    """The name of the format that an output's suffix picks. Raises EncodeError naming the choices."""
    found = next((name for name, suffixes in SCANS.items() if path.suffix.lower() in suffixes), None)
    if found is None:
        every = ", ".join(suffix for suffixes in SCANS.values() for suffix in suffixes)
        raise EncodeError(f"{path}: a colored scan is a {every}; give a name that ends so")
    return found
