"""ScanJob: one scan from source to published output, resumable at every band.

The job folder holds the plan, the ledger and the blocks of finished bands. The output gets its name only when it is
complete and has been decoded again and checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch

from colorizer.basis.errors import ColorizeError, EncodeError, JoinError, LedgerError, UnsupportedSource
from colorizer.networks import weights_file as weights
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from colorizer.painting.colorizer import DEFAULT_WORKING_SIZE, NATIVE, Colorizer, Precision, auto_precision
from pipeline.jobs.folder import (
    PLAN,
    Count,
    check_names,
    identity,
    made,
    note_published,
    occupied,
    paint,
    scratch_name,
    superseded,
)
from pipeline.jobs.plan_file import retire
from pipeline.pages.stills import check_still
from pipeline.pages.tile_codec import codec_for
from pipeline.reels.sidecar import SOURCE_TYPE, catalogued, versions
from pipeline.scans import memory
from pipeline.scans.fidelity import Said, check_scan
from pipeline.scans.join import join_scan, mark_of
from pipeline.scans.outputs import check_luma, digests, luma_finding
from pipeline.scans.painter import BandPainter
from pipeline.scans.plan import Band, PagePlan, ScanPlan, ScanSettings
from pipeline.scans.survey import survey_page
from pipeline.spread.cluster import reach
from pipeline.spread.pools import Pool, device, planned_colorizer, pool_for
from pipeline.stills.opening import MAX_PIXELS, open_scan
from pipeline.stills.reader import Scan
from pipeline.storage.atomic import publish, read_json, sha256, writable, write_json
from pipeline.storage.ledger import Ledger, Receipt
from pipeline.storage.lock import clear
from pipeline.values.events import Checking, Joining, Listener, Note, RowsPainted, RowsSurveyed, ScanPlanned
from pipeline.values.finding import Finding
from pipeline.values.units import Painter

FORMATS = {".tif": "TIFF", ".tiff": "TIFF", ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
"""Suffix of an output to its format."""
SIDECAR_FORMAT = "chromatheque-scan-1"


@dataclass(frozen=True, slots=True)
class ScanChoices:
    """What a person asked for. tile: 0 for one that fits. page: -1 for all. memory: bytes for the job's process.

    id: the catalogue's, for the sidecar.
    """

    weights: str = DEFAULT_WEIGHTS
    working_size: int = DEFAULT_WORKING_SIZE
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    compression: str = "deflate"
    tile: int = 0
    pyramid: bool = False
    page: int = -1
    memory: int = memory.DEFAULT
    max_pixels: int = MAX_PIXELS
    ray: str = "none"
    workers: int = 0
    overwrite: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a job came to. painted: bands painted now. plan: None when it was finished already."""

    out: Path
    plan: ScanPlan | None
    painted: int
    findings: tuple[Finding, ...] = ()
    lost: tuple[str, ...] = ()


MakePainter = Callable[[ScanSettings, Path, dict[str, int]], Painter]


def open_painter(settings: ScanSettings, job: Path, limits: dict[str, int]) -> BandPainter:
    """A painter of a plan's bands. Raises WeightsError."""
    precision: Any = settings.precision
    return BandPainter(planned_colorizer(settings.weights, settings.weights_digest, precision), job, limits)


class ScanJob:
    """One scan, one output."""

    def __init__(self, source: str, out: Path, choices: ScanChoices, folder: Path | None, listener: Listener) -> None:
        """Looks at everything cheap to look at first: names, formats, weights, headers. Raises ColorizeError."""
        self.path, self.out, self.choices, self.listener = source, out, choices, listener
        if out.suffix.lower() not in FORMATS:
            raise EncodeError(f"{out}: a colored scan is a {', '.join(FORMATS)}; give a name that ends so")
        self.format = FORMATS[out.suffix.lower()]
        self.limits = memory.limits(choices.memory, choices.max_pixels)
        self.tile = choices.tile or memory.TILES[0]
        self.facts = self._look()
        self.pages = [scan.page for scan in self.facts]
        check_names(source, out)
        self.weights = weights.load(choices.weights)
        chosen = choices.weights if weights.shipped(choices.weights) else str(Path(choices.weights).absolute())
        self.settings = ScanSettings(
            self.format, chosen, self.weights.digest, choices.working_size, self._precision(), choices.compression,
            self.tile, choices.pyramid and self.format == "TIFF", choices.page,
        )  # fmt: skip
        self.keep = folder is not None
        self.folder = folder or out.with_name(out.name + ".job")
        self.ledger: Ledger | None = None
        self.bands: tuple[Band, ...] = ()

    def _look(self) -> list[Scan]:
        """The pages that are wanted; refuses what the output cannot hold."""
        first = self._read(max(0, self.choices.page))
        if self.choices.page >= 0 or first.pages == 1:
            return [first]
        if self.format != "TIFF":
            raise EncodeError(
                f"{self.out}: {self.format} holds one page and {self.path} has {first.pages}; "
                f"name the output .tif, or choose one by --page 0 to {first.pages - 1}"
            )
        return [first, *(self._read(number) for number in range(1, first.pages))]

    def _read(self, number: int) -> Scan:
        with open_scan(self.path, number, **self.limits) as reader:
            scan = reader.scan
            bits = 8 if self.format == "JPEG" else scan.bits
            if self.format == "TIFF":
                codec_for(self.out, self.choices.compression, bits)
            else:
                check_still(self.out, scan.height, scan.width, bits)
            try:
                fits = memory.tile_for(
                    self.choices.memory, reader.held, scan.height, scan.width, bits, self.format,
                    self.choices.working_size, self.choices.tile,
                )  # fmt: skip
            except ColorizeError as error:
                raise UnsupportedSource(self.path, str(error)) from error
        self.tile = min(self.tile, fits)
        return scan

    def _precision(self) -> Precision:
        """At native size float32 unless asked: what half precision rounds differs from tile to tile."""
        if self.choices.precision != "auto":
            return self.choices.precision
        return "fp32" if self.choices.working_size == NATIVE else auto_precision(torch.device(device()))

    @property
    def sidecar_path(self) -> Path:
        """Where the output's story is written."""
        return self.out.with_name(self.out.name + ".json")

    @cached_property
    def source(self) -> dict[str, Any]:
        """What the source is; takes a read of all of it."""
        return identity(Path(self.path))

    def color(self, make: MakePainter = open_painter) -> ScanResult:
        """Do what is left to do. `make` builds a painter (tests hand in ones that die)."""
        if self.finished():
            return ScanResult(self.out, None, 0)
        replace_it = self.choices.overwrite or superseded(self.folder, self._made())
        with occupied(self.folder, self.out, self.keep, replace_it, self.listener):
            return self._color(make)

    def prepare(self) -> ScanPlan:
        """The plan, kept or surveyed now; ledger and bands are known from then on. The folder must be this run's."""
        self.ledger = Ledger(self.folder)
        plan = self._plan()
        self.bands = plan.bands()
        return plan

    def todo(self) -> list[Band]:
        """Bands without a receipt."""
        assert self.ledger is not None, "prepare comes first"
        return [band for band in self.bands if self.ledger.find(band.id) is None]

    def _color(self, make: MakePainter) -> ScanResult:
        plan, todo = self.prepare(), self.todo()
        assert self.ledger is not None
        rows = sum(page.plate.height for page in plan.pages)
        megapixels, bands = round(plan.pixels / 1e6, 1), len(self.bands)
        self.listener(ScanPlanned(len(plan.pages), megapixels, rows, bands, bands - len(todo)))
        for text in self.remarks(plan):
            self.listener(Note(text))
        if todo:
            paint(self.path, todo, self._pool(make, rows, todo), self.ledger, self.listener)
        return self.publish(plan, len(todo))

    def remarks(self, plan: ScanPlan) -> list[str]:
        """What a person should read before the work is done; what holds for several pages is said once."""
        where: dict[str, list[int]] = {}
        for page in plan.pages:
            told = list(page.notes)
            if page.colored:
                told.append("the source has color already; its luminance is used, its color is not")
            if page.alpha:
                told.append("the source's transparency is not kept")
            if page.out_bits != page.bits:
                told.append(f"{page.bits} bits become {page.out_bits}, which is what {plan.settings.format} stores")
            for text in told:
                where.setdefault(text, []).append(page.number)
        pages = len(plan.pages)
        return [
            text if len(n) == pages else f"page{'s' * (len(n) > 1)} {', '.join(map(str, n))}: {text}"
            for text, n in where.items()
        ]

    def progress(self) -> tuple[int, int]:
        """Bands painted and bands in all, so far as known."""
        if self.ledger is None:
            return 0, 0
        return sum(self.ledger.find(band.id) is not None for band in self.bands), len(self.bands)

    def _pool(self, make: MakePainter, rows: int, todo: list[Band]) -> Pool:
        settings, folder, limits = self.settings, self.folder.resolve(), self.limits
        done = Count(rows - sum(band.size["rows"] for band in todo))
        return pool_for(
            self.choices.ray, self.choices.workers, lambda: make(settings, folder, limits),
            lambda more: self.listener(RowsPainted(done.add(more), rows)),
            lambda text: self.listener(Note(text)),
        )  # fmt: skip

    def finished(self, size: int | None = None) -> bool:
        """Whether the output is there and is what this job makes. size: of an output that lies elsewhere, bytes."""
        said = self._made(size)
        return said is not None and not self._edited(said)

    def _made(self, size: int | None = None) -> dict[str, Any] | None:
        """The sidecar of an output of this source under these settings, whatever its plan was."""

        def fits(said: dict[str, Any]) -> bool:
            wanted = {**asdict(self.settings), "weights": said["settings"]["weights"]}
            mine = said["format"] == SIDECAR_FORMAT and said["settings"] == wanted
            return bool(mine and said["source"]["sha256"] == self.source["sha256"])

        return made(self.out, size, fits)

    def _edited(self, said: dict[str, Any]) -> bool:
        """Whether a kept plan of these settings gives a page another look than the output has."""
        path = self.folder / PLAN
        try:
            kept = read_json(path) if path.exists() else None
            if kept is None or kept["settings"] != {**asdict(self.settings), "weights": kept["settings"]["weights"]}:
                return False
            return [_look_in(page) for page in kept["pages"]] != [_look_in(page) for page in said["pages"]]
        except (LedgerError, KeyError, TypeError):
            return True

    def _plan(self) -> ScanPlan:
        path = self.folder / PLAN
        kept = self._kept(path)
        decided = {page.number: page for page in kept.pages} if kept is not None else {}
        if kept is not None and not any(page.pending for page in kept.pages):
            return kept
        reach(self.choices.ray)
        precision: Any = self.settings.precision
        colorizer = planned_colorizer(self.settings.weights, self.weights.digest, precision)
        pages = [self._page(number, decided.get(number), colorizer) for number in self.pages]
        plan = ScanPlan(self.path, self.source, self.settings, tuple(pages))
        with writable(path):
            if kept is None and path.exists():
                aside = retire(path)
                self.listener(Note(f"{path} was made for another scan or weights; kept as {aside.name}"))
            write_json(path, plan.to_json())
        return plan

    def _page(self, number: int, decided: PagePlan | None, colorizer: Colorizer) -> PagePlan:
        """A page's plan: what was decided of it before, as far as that holds, else what a survey finds now."""
        if decided is not None and not decided.pending:
            return decided
        look = decided.plate.look if decided is not None and decided.plate.look.size else None
        with open_scan(self.path, number, **self.limits) as reader:
            told = partial(self._surveyed, reader.scan.height)
            page = survey_page(reader, self.settings, colorizer, told, look)
        return page if decided is None else replace(page, look_from=decided.look_from)

    def _surveyed(self, height: int, rows: int) -> None:
        self.listener(RowsSurveyed(rows, height))

    def _kept(self, path: Path) -> ScanPlan | None:
        """The folder's plan, if it is of this source and these weights.

        Made under other settings, all that is left of it are the looks that a person chose.
        """
        if not path.exists():
            return None
        try:
            plan = ScanPlan.from_json(read_json(path), self.path)
            weights_digest, source = plan.settings.weights_digest, plan.source["sha256"]
            if (weights_digest, source) != (self.settings.weights_digest, self.source["sha256"]):
                return None
            if {**asdict(plan.settings), "weights": self.settings.weights} != asdict(self.settings):
                plan = replace(plan, settings=self.settings, pages=tuple(page.anew() for page in plan.pages))
            size = self.weights.config.look_length
            if any(page.plate.look.size not in ((0, size) if page.pending else (size,)) for page in plan.pages):
                raise ValueError("a look of another network")
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise LedgerError(f"{path}: not a usable plan ({error}); remove it to survey again") from error
        return plan

    def publish(self, plan: ScanPlan, painted: int) -> ScanResult:
        """Join what was painted, check it, and give it its name. Raises JoinError, StorageError."""
        assert self.ledger is not None
        receipts: list[Receipt] = []
        for band in self.bands:
            receipt = self.ledger.find(band.id)
            if receipt is None:
                raise JoinError(f"{self.folder}: the blocks of {band} are gone; run again to paint it")
            receipts.append(receipt)
        scratch = scratch_name(self.out, self.folder)
        self.listener(Joining())
        try:
            with writable(self.out):
                lost = join_scan(plan, receipts, self.ledger, scratch, self.limits)
            self.listener(Checking())
            findings = self._checked(plan, scratch, lost)
            output: dict[str, Any] = {"name": self.out.name, "bytes": scratch.stat().st_size, "sha256": sha256(scratch)}
            told = story(plan, receipts, lost, findings, output, self.choices.id)
            if self.keep:
                note_published(self.folder, output["sha256"])
            with writable(self.out):
                write_json(self.sidecar_path, told, 1, scratch.with_name(scratch.name + ".json"))
                publish(scratch, self.out)
        finally:
            scratch.unlink(missing_ok=True)
        if not self.keep:
            clear(self.folder)
        return ScanResult(self.out, plan, painted, tuple(findings), tuple(lost))

    def _checked(self, plan: ScanPlan, scratch: Path, lost: list[str]) -> list[Finding]:
        """Findings about the output, all of which hold. Raises JoinError; bands at fault are then forgotten."""
        assert self.ledger is not None
        exact = self.format != "JPEG" and self.settings.compression != "jpeg"
        suspects: list[Band] = []

        def luma(place: int) -> Finding | None:
            page = plan.pages[place]
            if not exact:
                return None
            mine = [band for band in self.bands if band.page == page.number]
            found = digests(scratch, place, page.rows)
            wrong = [band for band, digest, seen in zip(mine, page.digests, found, strict=True) if digest != seen]
            suspects.extend(wrong)
            if not wrong:
                return luma_finding(page.number, True)
            with open_scan(self.path, page.number, **self.limits) as reader:  # which samples, for a person
                return check_luma(scratch, place, reader, True)

        said = Said(self.pages, exact, self.settings.pyramid, lost, mark_of(plan))
        findings = check_scan(self.path, scratch, said, self.limits, luma)
        if failed := [f for f in findings if not f.holds]:
            for band in suspects:
                self.ledger.forget(band.id)
            told = "; ".join(f"{f.what}: {f.detail}" for f in failed)
            anew = f"paints {len(suspects)} of {len(self.bands)} bands anew" if suspects else "joins and checks it anew"
            raise JoinError(
                f"{self.out}: not published, the check failed ({told}); run the same command again, it {anew}. "
                "If that fails too, please report it"
            )
        return findings


def _look_in(page: dict[str, Any]) -> tuple[Any, ...]:
    """What a person may edit of a page, in a plan's JSON or a sidecar's."""
    return page["number"], page["look"], page.get("look_from", [])


def story(
    plan: ScanPlan, receipts: list[Receipt], lost: list[str], findings: list[Finding], output: dict[str, Any],
    id: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The sidecar: the whole story of an output, without clock times, so that a repeated run writes the same bytes.

    id: the catalogue's, if there is one.
    """
    pages = []
    for page in plan.pages:
        said = page.to_json()
        pages.append({name: value for name, value in said.items() if not name.startswith(("lines", "scene_"))})
    chroma = [receipt.chroma for receipt in receipts]
    return {
        "format": SIDECAR_FORMAT, **catalogued(id), "digital_source_type": SOURCE_TYPE, "software": versions(),
        "source": plan.source, "output": output, "settings": asdict(plan.settings), "pages": pages,
        "not_carried_over": lost,
        "notes": sorted({note for receipt in receipts for note in receipt.notes}),
        "verified": [finding.to_json() for finding in findings], "mark": mark_of(plan), "chroma": chroma,
    }  # fmt: skip
