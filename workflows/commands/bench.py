"""`chromatheque bench`: time and memory on this machine, measured in processes of their own."""

from __future__ import annotations

import click

from workflows.bench.bench_cluster import cluster
from workflows.bench.bench_codec import codec
from workflows.bench.bench_collection import collection
from workflows.bench.bench_network import network
from workflows.bench.bench_reel import baseline, reel
from workflows.bench.bench_scan import scan


@click.group()
def bench() -> None:
    """Measure time and memory on this machine.

    Example: chromatheque bench reel --sizes 1920x1080
    """


bench.add_command(reel)
bench.add_command(baseline)
bench.add_command(codec)
bench.add_command(network)
bench.add_command(scan)
bench.add_command(collection)
bench.add_command(cluster)
