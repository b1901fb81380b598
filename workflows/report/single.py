"""Single: the report about one output of `reel` or `scan`, in a folder beside it, OUT.report."""

from __future__ import annotations

import os
from pathlib import Path

from colorizer.basis.atomic import sweep
from colorizer.basis.errors import ColorizeError, Mistyped
from pipeline.storage.atomic import writable
from pipeline.storage.job_folder import REPORT, SIDECAR
from workflows.report.page import NAME, is_report, write_page
from workflows.report.reading import is_told, of_output
from workflows.report.values import Collection


def write_single(out: Path) -> str:
    """Write OUT.report/report.html, with its pictures in OUT.report/report/; returns the page's path.

    Raises Mistyped where OUT has no sidecar of ours, ColorizeError where something else has the folder's name, and
    StorageError.
    """
    if not is_told(out.with_name(out.name + SIDECAR)):
        raise Mistyped(
            f"{out}: beside it is no sidecar {out.name}{SIDECAR} of this program; give the output of "
            "`chromatheque reel` or `scan`, or the OUT_DIR of `archive`"
        )
    folder = out.with_name(out.name + REPORT)
    _check_own(folder)
    from workflows.report import report_pictures
    from workflows.report.flags import illustrated

    with writable(folder):
        folder.mkdir(exist_ok=True)
    file = of_output(folder, out)
    sweep(folder, Path(NAME).stem)
    sweep(folder / report_pictures.FOLDER)
    pictures, why = report_pictures.pictures(folder, file)
    shown = report_pictures.beside(folder, illustrated(file, pictures, why), pictures)
    write_page(folder / NAME, Collection((shown,)))
    return str(folder / NAME)


def _check_own(folder: Path) -> None:
    """Raises ColorizeError where the folder is a person's: nothing is written there."""
    if not os.path.lexists(folder):
        return
    own = folder.is_dir() and not folder.is_symlink() and (is_report(folder / NAME) or not any(folder.iterdir()))
    if not own:
        raise ColorizeError(f"{folder}: exists and is not this program's; move it away to have a report")
