"""`chromatheque bench network`: seconds that networks take for pictures of many sizes, beside the paper's own table.

The paper's are of Iizuka, Simo-Serra and Ishikawa (SIGGRAPH 2016): whole pictures, on a Core i7-5960X with eight cores
of 3 GHz and on a GTX TITAN X.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from colorizer.networks import shipped
from workflows.terminal.options import Numbers

if TYPE_CHECKING:
    import torch

    from colorizer.networks.protocol import Network

PAPER = {224: (0.399, 0.080), 512: (1.676, 0.339), 1024: (5.629, 1.084), 2048: (20.116, 4.218)}
"""Seconds on eight processor cores and on a GPU, by the side of a square picture."""
PUBLISHED = "iizuka2016"
"""The published network at full width, of random numbers: what it takes does not depend on them."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds for a picture of `side` x `side`: to look at it and to paint it, and what of that its convolutions alone
    take, run by themselves on the same shapes. ceiling: their share; the rest is activations, enlargement and bins.
    """

    network: str
    precision: str
    side: int
    look: float
    paint: float
    convolutions: float

    @property
    def seconds(self) -> float:
        """For both."""
        return self.look + self.paint

    @property
    def ceiling(self) -> float:
        """Share of painting that its convolutions alone would take."""
        return self.convolutions / self.paint


@click.command()
@click.argument("names", nargs=-1, metavar="[WEIGHTS]...")
@click.option(
    "--sides", type=Numbers(32, 8192), default="224,512,1024,2048", show_default=True, help="Of square pictures."
)
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="auto", show_default=True,
              help="Of the numbers; auto: what the device is fastest with.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="On a CPU.")
@click.option("--runs", type=click.IntRange(1, 99), default=3, show_default=True, help="Of each; the quickest is told.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def network(names: tuple[str, ...], sides: list[int], precision: str, threads: int, runs: int, as_json: bool) -> None:
    """Look at and paint pictures with WEIGHTS [all that are shipped, and the published network of random numbers].

    Beside each stands what its authors measured for theirs in 2016, and the share of painting that convolutions take.

    Example: chromatheque bench network fast lite --sides 192,512
    """
    import torch

    from pipeline.spread.pools import device

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        place = torch.device(device())
        timed = [
            _timed(name, side, place, precision, runs)
            for name in (names or (*shipped.names(), PUBLISHED)) for side in sides
        ]  # fmt: skip
    finally:
        torch.set_num_threads(before)
    if as_json:
        click.echo(json.dumps([{**asdict(t), "paper": PAPER.get(t.side)} for t in timed], indent=1))
        return
    for t in timed:
        paper = "the paper: {:.3f} s on 8 cores, {:.3f} s on a GPU".format(*PAPER[t.side]) if t.side in PAPER else ""
        parts = f"look {t.look:.3f}, paint {t.paint:.3f}; convolutions alone {t.ceiling:.0%} of that"
        click.echo(f"{t.network:<12} {t.precision} {t.side:>5} px {t.seconds:>8.3f} s ({parts})  {paper}".rstrip())


def _timed(name: str, side: int, place: torch.device, precision: str, runs: int) -> Timed:
    """Of one network at one size."""
    import torch

    from colorizer.networks import weights_file
    from colorizer.networks.iizuka2016 import Iizuka2016Config
    from colorizer.painting.colorizer import auto_precision

    exact: Any = auto_precision(place) if precision == "auto" else precision
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[exact]
    net: Network
    if name == PUBLISHED:
        torch.manual_seed(0)
        net = Iizuka2016Config().build().eval().folded()
    else:
        net = weights_file.load(name).network()
    net = net.to(place, kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    grid = net.config.grid
    padded = -(-side // grid) * grid
    part = torch.rand(1, 1, padded, padded, device=place).to(kind).contiguous(memory_format=torch.channels_last)
    whole = torch.rand(1, 1, net.config.look_size, net.config.look_size, device=place).to(kind)
    with torch.no_grad():  # not for inference, where a convolution is one call with what follows it
        vector, _ = net.look(whole)
        calls = _convolutions(lambda: net.paint(part, vector))
    with torch.inference_mode():
        return Timed(
            name, exact, side, _quickest(lambda: net.look(whole), runs, place),
            _quickest(lambda: net.paint(part, vector), runs, place),
            _quickest(lambda: [torch.conv2d(*given) for given in calls], runs, place),
        )  # fmt: skip


def _convolutions(work: Callable[[], object]) -> list[tuple[Any, ...]]:
    """What the convolutions that some work takes are given, in order."""
    import torch
    from torch.overrides import TorchFunctionMode

    calls: list[tuple[Any, ...]] = []

    class Noted(TorchFunctionMode):
        """Passes everything on."""

        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if function is torch.conv2d:
                calls.append(args)
            return function(*args, **(kwargs or {}))

    with Noted():
        work()
    return calls


def _quickest(work: Callable[[], object], runs: int, place: torch.device) -> float:
    """Seconds of wall time, after one run that counts for nothing."""
    import torch

    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        work()
        if place.type == "cuda":
            torch.cuda.synchronize(place)
        times.append(time.perf_counter() - began)
    return min(times[1:])
