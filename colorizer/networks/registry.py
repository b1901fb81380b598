"""Architectures by the name that a weights file gives; a file without one is of the first."""

from __future__ import annotations

from colorizer.networks.iizuka2016 import Iizuka2016Config
from colorizer.networks.lite import LiteConfig
from colorizer.networks.protocol import Config

ARCHITECTURES: dict[str, type[Config]] = {
    "iizuka2016": Iizuka2016Config,
    "lite": LiteConfig,
}
