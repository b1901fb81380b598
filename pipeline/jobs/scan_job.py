"""ScanJob: a job whose source is a still, of one page or many, and whose units are bands of rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from colorizer.basis.errors import ColorizeError, EncodeError, UnsupportedSource
from colorizer.painting.colorizer import Colorizer, Precision
from colorizer.painting.geometry import NATIVE
from pipeline.jobs.folder import check_names, identity
from pipeline.jobs.job import Choices, Job, Proved, Work
from pipeline.pages.still_formats import StillFormat, format_of
from pipeline.pages.stills import check_still
from pipeline.pages.tile_codec import codec_for
from pipeline.scans import memory
from pipeline.scans.fidelity import Declared, check_scan
from pipeline.scans.join import join_scan, mark_of
from pipeline.scans.outputs import digests, luma_finding
from pipeline.scans.painter import BandPainter
from pipeline.scans.plan import Band, PagePlan, ScanPlan, ScanSettings
from pipeline.scans.sidecar import SIDECAR_FORMAT, sidecar
from pipeline.scans.stack import Look, Stack
from pipeline.scans.survey import Seen, plan_pages, see_page
from pipeline.spread.pools import planned_colorizer
from pipeline.stills.opening import MAX_PIXELS, open_scan
from pipeline.stills.reader import ScanPage
from pipeline.storage.ledger import Receipt
from pipeline.values.choices import PYRAMIDS
from pipeline.values.events import RowsPainted, RowsSurveyed, ScanPlanned
from pipeline.values.finding import Finding
from pipeline.values.kinds import SCAN
from pipeline.values.loss import Loss
from pipeline.values.remarks import ALPHA, COLORED, INVERTED, NEGATIVE, TWICE

BYTES = 2.5
"""Of an output per pixel and byte of a sample: three samples in Deflate, with grain, which compresses badly."""


@dataclass(frozen=True, kw_only=True)
class ScanChoices(Choices):
    """What a person asked for of a scan. tile: 0 for one that fits. pyramid: whether there are reduced levels, or
    where, one of PYRAMIDS. page: -1 for all. memory: bytes for the job's process. invert: it is a negative."""

    compression: str = "deflate"
    tile: int = 0
    pyramid: bool | str = False
    page: int = -1
    memory: int = memory.DEFAULT
    max_pixels: int = MAX_PIXELS
    invert: bool = False


def open_painter(settings: ScanSettings, job: Path, limits: dict[str, int]) -> BandPainter:
    """A painter of a plan's bands. Raises WeightsError."""
    precision: Any = settings.precision
    return BandPainter(planned_colorizer(settings.weights, settings.weights_digest, precision), job, limits)


class ScanJob(Job[ScanPlan, ScanChoices]):
    """One scan, one output."""

    kind = SCAN
    wishes = ScanChoices
    open_painter = staticmethod(open_painter)
    painted = RowsPainted

    @cached_property
    def format(self) -> StillFormat:
        """Of the output, by its suffix."""
        return format_of(self.out)

    @cached_property
    def limits(self) -> dict[str, int]:
        """`open_scan`'s."""
        return memory.limits(self.choices.memory, self.choices.max_pixels)

    @cached_property
    def _looked(self) -> list[tuple[ScanPage, int]]:
        """Headers of the pages that are wanted, each with the tile that memory allows for it. Refuses what the output
        cannot hold."""
        first, tile = self._read(max(0, self.choices.page))
        if self.choices.page >= 0 or first.pages == 1:
            return [(first, tile)]
        if not self.format.by_region:
            raise EncodeError(
                f"{self.out}: {self.format.name} holds one page and {self.uri} has {first.pages}; "
                f"name the output .tif, or choose one by --page 0 to {first.pages - 1}"
            )
        return [(first, tile), *(self._read(number) for number in range(1, first.pages))]

    def _read(self, number: int) -> tuple[ScanPage, int]:
        with open_scan(self.uri, number, **self.limits, inverted=False) as reader:
            scan = reader.scan
            bits = self.format.bits_for(scan.bits)
            if self.format.by_region:
                codec_for(self.out, self.choices.compression, bits)
            else:
                check_still(self.out, scan.height, scan.width, bits)
            try:
                fits = memory.tile_for(
                    self.choices.memory, reader.held, scan.height, scan.width, bits, self.format.name,
                    self.choices.working_size, self.choices.tile,
                )  # fmt: skip
            except ColorizeError as error:
                raise UnsupportedSource(self.uri, str(error)) from error
        return scan, fits

    @property
    def headers(self) -> list[ScanPage]:
        """Of the pages that are wanted."""
        return [scan for scan, _ in self._looked]

    @property
    def pages(self) -> list[int]:
        """Numbers of the pages that are wanted."""
        return [scan.page for scan in self.headers]

    @cached_property
    def settings(self) -> ScanSettings:
        """Format, weights, sizes: all that changes the output beside the source."""
        asked, format = self.choices, self.format
        tile = min(asked.tile or memory.TILES[0], *(fits for _, fits in self._looked))
        check_names(self.uri, self.out)
        return ScanSettings(
            format.name, self.chosen_weights, self.weights.digest, asked.working_size, self._precision(),
            asked.compression, tile, self._pyramid() if format.by_region else "", asked.page, asked.invert,
        )  # fmt: skip

    def _pyramid(self) -> str:
        """Where reduced levels are. Servers and slide viewers see pages alone, as levels of the first one; in a file of
        several pictures they would be counted among these."""
        if isinstance(asked := self.choices.pyramid, str):
            return asked
        return PYRAMIDS[len(self.headers) > 1] if asked else ""

    def _precision(self) -> Precision:
        """At native size float32 unless asked: what half precision rounds differs from tile to tile."""
        native = self.choices.working_size == NATIVE and self.choices.precision == "auto"
        return "fp32" if native else self.auto_precision

    @cached_property
    def source(self) -> dict[str, Any]:
        """Name, size and sha256; takes a read of all of it."""
        return identity(Path(self.uri))

    def measure(self) -> dict[str, float]:
        """Pages, megapixels and bytes, as the headers promise."""
        pixels = float(sum(page.height * page.width for page in self.headers))
        sizes = [page.height * page.width * BYTES * (1 if page.bits <= 8 else 2) for page in self.headers]
        return {"pages": len(sizes), "megapixels": round(pixels / 1e6, 6), "bytes": sum(map(round, sizes))}

    def remarks(self, plan: ScanPlan) -> list[str]:
        """What a person should read before the work is done; what holds for several pages is said once."""
        where: dict[str, list[int]] = {}
        for page in plan.pages:
            messages = [*page.notes, *[INVERTED] * plan.settings.invert]
            if page.looks_negative:
                messages.append(TWICE if plan.settings.invert else NEGATIVE)
            if page.colored:
                messages.append(COLORED)
            if page.alpha:
                messages.append(ALPHA)
            if page.out_bits != page.bits:
                messages.append(f"{page.bits} bits become {page.out_bits}, which is what {plan.settings.format} stores")
            for text in messages:
                where.setdefault(text, []).append(page.number)
        pages = len(plan.pages)
        return [
            text if len(n) == pages else f"page{'s' * (len(n) > 1)} {', '.join(map(str, n))}: {text}"
            for text, n in where.items()
        ]

    def adopt(self, values: dict[str, Any]) -> ScanPlan | None:
        """The folder's plan, if it is of this source and these weights.

        Made under other settings, all that is left of it are the looks that a person chose.
        """
        plan = ScanPlan.from_json(values, self.uri)
        theirs, mine = plan.settings, self.settings
        if (theirs.weights_digest, plan.source["sha256"]) != (mine.weights_digest, self.source["sha256"]):
            return None
        if {**asdict(theirs), "weights": mine.weights} != asdict(mine):
            plan = replace(plan, settings=mine, pages=tuple(page.anew() for page in plan.pages))
        size = self.weights.config.look_length
        if any(page.plate.look.size not in ((0, size) if page.pending else (size,)) for page in plan.pages):
            raise ValueError("a look of another network")
        return plan

    def survey(self, kept: ScanPlan | None, colorizer: Colorizer) -> ScanPlan:
        """A first pass over each page that is not decided."""
        former = {page.number: page for page in kept.pages} if kept is not None else {}
        decided = {number: page for number, page in former.items() if not page.pending}
        stack = Stack()
        seen = (
            self._seen(number, former.get(number), colorizer, stack) for number in self.pages if number not in decided
        )  # fmt: skip
        decided |= {page.number: page for page in plan_pages(seen, self.settings, colorizer)}
        return ScanPlan(self.uri, self.source, self.settings, tuple(decided[number] for number in self.pages))

    def _seen(self, number: int, former: PagePlan | None, colorizer: Colorizer, stack: Stack) -> tuple[Seen, Look]:
        """A page and its look: one that a person gave it, or wants it to have as its own, else that of the page before
        if it shows the same."""
        with open_scan(self.uri, number, **self.limits, inverted=self.settings.invert) as reader:
            seen = see_page(reader, self.settings, partial(self._surveyed, reader.scan.height))
        own = partial(seen.own_look, colorizer)
        if former is None:
            return seen, stack.look(number, seen.codes, seen.scan.orientation, own)
        found = own()
        if former.plate.look.size:
            found = found._replace(look=former.plate.look, sources=former.look_from)
        return seen, found

    def _surveyed(self, height: int, rows: int) -> None:
        self.listener(RowsSurveyed(rows, height))

    def planned(self, work: Work[ScanPlan], done: int) -> ScanPlanned:
        """Pages, megapixels, rows and bands."""
        plan = work.plan
        rows = sum(page.plate.height for page in plan.pages)
        megapixels = round(plan.pixels / 1e6, 6)
        return ScanPlanned(len(plan.pages), megapixels, rows, len(work.units), done)

    @property
    def painter_arguments(self) -> tuple[Any, ...]:
        """Settings, folder and limits."""
        return self.settings, self.folder.resolve(), self.limits

    def join(self, work: Work[ScanPlan], receipts: list[Receipt], scratch: Path) -> list[Loss]:
        """All blocks, with what the source says of itself; what is lost, by name."""
        return join_scan(work.plan, receipts, work.ledger, scratch, self.limits)

    def prove(self, work: Work[ScanPlan], receipts: list[Receipt], scratch: Path, carried: list[Loss]) -> Proved:
        """Luma sample by sample, geometry, resolution, profile and every tag. Suspects are bands of another luma."""
        plan = work.plan
        exact = (self.format.by_region or self.format.lossless) and self.settings.compression != "jpeg"
        suspects: list[Band] = []
        bands: dict[int, list[Band]] = defaultdict(list)
        for unit in work.units:
            bands[unit.page].append(unit)

        def luma(place: int) -> Finding | None:
            page = plan.pages[place]
            if not exact:
                return None
            mine = bands[page.number]
            found = digests(scratch, place, page.rows)
            wrong = [band for band, digest, seen in zip(mine, page.digests, found, strict=True) if digest != seen]
            suspects.extend(wrong)
            # of what differs a person wants the samples; a positive is held against the negative itself
            return None if wrong or self.settings.invert else luma_finding(page.number, True)

        declared = Declared(
            self.pages, exact, bool(self.settings.pyramid), carried, mark_of(plan), self.settings.invert
        )  # fmt: skip
        return Proved(check_scan(self.uri, scratch, declared, self.limits, luma), suspects)

    def sidecar(
        self, work: Work[ScanPlan], receipts: list[Receipt], carried: list[Loss], findings: list[Finding],
        output: dict[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        """Pages, looks, and what is lost."""
        return sidecar(work.plan, receipts, findings, output, self.choices.id, self.choices.catalog)

    def settings_of(self, record: dict[str, Any]) -> dict[str, Any]:
        """Of a sidecar of a scan."""
        if record["format"] != SIDECAR_FORMAT:
            raise KeyError("settings of a scan")
        return asdict(ScanSettings(**record["settings"]))  # of an earlier version what it did not know is as usual

    def edited(self, values: dict[str, Any], record: dict[str, Any]) -> bool:
        """Looks of pages are what may be edited; a plan of other settings waits for another output."""
        if not self._settled(values["settings"]):
            return False
        return [_look_in(page) for page in values["pages"]] != [_look_in(page) for page in record["pages"]]


def _look_in(page: dict[str, Any]) -> tuple[Any, ...]:
    """What a person may edit of a page, in a plan's JSON or a sidecar's."""
    return page["number"], page["look"], page.get("look_from", [])
