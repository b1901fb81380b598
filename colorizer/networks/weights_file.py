"""Weights files: safetensors holding the network's numbers, its configuration and its model card.

Loading runs no code from a file: safetensors is data only, the configuration is checked field by field, and
every tensor's name and shape must be the network's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from colorizer.basis.atomic import whole
from colorizer.basis.errors import WeightsError
from colorizer.networks.protocol import Config, Network
from colorizer.networks.registry import ARCHITECTURES
from colorizer.networks.shipped import names, shipped

FORMAT = "chromatheque-weights-1"
MAX_CARD = 1 << 20
OLDEST = "iizuka2016"
"""The architecture of files that do not say theirs."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A loaded weights file: batch normalization folded, evaluation only.

    digest: sha256 of the file, hex. card: the model card's figures. classes: scene names in index order.
    """

    name: str
    config: Config
    tensors: Mapping[str, Tensor] = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    card: Mapping[str, Any] = field(repr=False)
    digest: str

    def network(self) -> Network:
        """The network, in evaluation mode, float32."""
        net = self.config.build()
        net.load_state_dict({k: v.float() for k, v in self.tensors.items()})
        return net.eval().requires_grad_(False)


def save(network: Network, path: Path, classes: tuple[str, ...], card: Mapping[str, Any]) -> None:
    """Write a network as float16, folded, without what its output does not need.

    The file appears whole or not at all. classes: names in index order, or none.
    """
    folded = network.folded()
    config = folded.config
    tensors = folded.state_dict()
    if config.output == "regression" and config.bins:
        config = replace(config, bins=0)
        tensors = {k: v for k, v in tensors.items() if k != "centers" and not k.startswith("bins.")}
    tensors = {k: v for k, v in tensors.items() if not k.startswith(folded.unused())}
    halves = {k: v.half().contiguous() for k, v in tensors.items()}
    bad = sorted(k for k, v in halves.items() if not torch.isfinite(v).all())
    if bad:
        raise WeightsError(f"{path}: not saved, {', '.join(bad)} does not fit float16; the training diverged")
    metadata = {
        "format": FORMAT,
        "architecture": config.architecture,
        "config": json.dumps(asdict(config)),
        "classes": json.dumps(list(classes)),
        "card": json.dumps(dict(card)),
    }
    with whole(path) as part:
        save_file(halves, part, metadata)
        part.chmod(0o644)  # it is written for its owner alone


def _config(architecture: str, raw: str, path: Path) -> Config:
    make = ARCHITECTURES.get(architecture)
    if make is None:
        known = ", ".join(ARCHITECTURES)
        raise WeightsError(f"{path}: of the architecture {_some([architecture])}; this version knows {known}")
    try:
        values = json.loads(raw)
        if not isinstance(values, dict):
            raise ValueError("not an object")
        usual = asdict(make())
        unknown = sorted(set(values) - set(usual))
        if unknown:
            raise ValueError(f"unknown fields {_some(unknown)}")
        for name, value in values.items():
            kinds = (int, float) if isinstance(usual[name], float) else type(usual[name])
            if not isinstance(value, kinds) or isinstance(value, bool) != isinstance(usual[name], bool):
                raise ValueError(f"{name} is {value!r}")
        config = make(**values)
        if config.norm:
            raise ValueError("batch normalization is not folded")
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: its network configuration is not usable: {_line(error)}") from error
    return config


def _card(metadata: Mapping[str, str], config: Config) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Class names and model card; ValueError if they are not what `save` writes."""
    classes, card = json.loads(metadata.get("classes", "[]")), metadata.get("card", "{}")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError("the scene classes are not a list of names")
    if classes and len(classes) != config.classes:
        raise ValueError(f"{len(classes)} scene classes are named, the network has {config.classes}")
    figures = json.loads(card) if len(card) <= MAX_CARD else None
    if not isinstance(figures, dict):
        raise ValueError(f"the model card is not an object of at most {MAX_CARD} characters")
    return tuple(classes), figures


def _some(names: list[str]) -> str:
    """A list of names for a one-line message."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return _line(", ".join(repr(name[:80]) for name in names[:3])) + more if names else "none"


def _line(what: object) -> str:
    """Foreign text on one line of bounded length."""
    text = " ".join(str(what).split())
    return text if len(text) <= 300 else text[:300] + "..."


def load(name: str | Path) -> Weights:
    """Weights by shipped name ("fast") or by file. Raises WeightsError with the names that exist."""
    path = shipped(str(name)) or Path(name)
    if not path.is_file():
        here = ", ".join(names()) or "none"
        raise WeightsError(f"{name}: no such weights; shipped here: {here}; or give a .safetensors file")
    stat = path.stat()
    return _read(path, (stat.st_size, stat.st_mtime_ns, stat.st_ino))


@lru_cache(maxsize=2)
def _read(path: Path, stamp: tuple[int, ...]) -> Weights:
    """A file as it lay then. The last ones stay: every item of a collection asks for them, several times."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise WeightsError(f"{path}: a safetensors file, but not weights of this program")
            architecture = metadata.get("architecture", OLDEST)
            config = _config(architecture, metadata.get("config", ""), path)
            tensors = _checked(file, config, path)
            classes, card = _card(metadata, config)
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: cannot be read as weights: {_line(error)}") from error
    return Weights(path.stem, config, tensors, classes, card, digest)


def _checked(file: Any, config: Config, path: Path) -> dict[str, Tensor]:
    """The file's tensors, if they are exactly the configured network's; shapes are compared first."""
    with torch.device("meta"):
        network = config.build()
    expected = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    unused = network.unused()
    found = {k: tuple(file.get_slice(k).get_shape()) for k in file.keys()}  # noqa: SIM118 - not a dict
    missing = sorted(k for k in expected if k not in found and not k.startswith(unused))
    extra = sorted(set(found) - set(expected))
    shaped = sorted(k for k in found if k in expected and found[k] != expected[k])
    if missing or extra or shaped:
        raise WeightsError(
            f"{path}: not this network's tensors (missing: {_some(missing)}; unknown: {_some(extra)}; "
            f"of another shape: {_some(shaped)})"
        )
    tensors = {k: file.get_tensor(k) if k in found else torch.zeros(shape) for k, shape in expected.items()}
    bad = sorted(k for k, v in tensors.items() if not v.is_floating_point() or not torch.isfinite(v).all())
    if bad:
        raise WeightsError(f"{path}: holds what is not a finite number in {_some(bad)}; the file is damaged")
    return tensors
