"""Weights files come back as they were saved, and no file can do more than fail with one line."""

import hashlib
import json
import math
import pickle
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

from colorizer.basis.errors import WeightsError
from colorizer.networks import shipped
from colorizer.networks import weights_file as weights
from colorizer.networks.iizuka2016 import Iizuka2016, Iizuka2016Config
from colorizer.networks.shipped import DEFAULT_WEIGHTS
from tests.networks import lively

SMALL = Iizuka2016Config(width=0.0625, head="mean", classes=3)
NAMES = ("abbey", "beach", "castle/outdoor")


def half_of(config):
    """A lively float32 network whose folded numbers are float16 numbers, so that saving loses nothing."""
    net = lively(config, torch.float32).folded()
    for tensor in net.state_dict().values():
        tensor.copy_(tensor.half())
    return net


@pytest.fixture
def good(tmp_path):
    """A sound file as (path, tensors, metadata), to be spoiled."""
    path = tmp_path / "good.safetensors"
    net = half_of(SMALL)
    weights.save(net, path, NAMES, {"pictures": 7})
    tensors = {k: v.half().contiguous() for k, v in net.state_dict().items()}
    metadata = {
        "format": weights.FORMAT,
        "config": json.dumps(asdict(net.config)),
        "classes": json.dumps(NAMES),
        "card": json.dumps({"pictures": 7}),
    }
    return path, tensors, metadata


@pytest.mark.parametrize("fusion", [1, 3])
@pytest.mark.parametrize(("bins", "output"), [(0, "regression"), (11, "regression"), (11, "bins"), (11, "mixed")])
def test_round_trip(tmp_path, fusion, bins, output):
    """What a saved network paints, its loaded copy paints, bit for bit; name, classes, card, digest are
    kept.
    """
    config = replace(SMALL, fusion=fusion, bins=bins, output=output)
    net, path = half_of(config), tmp_path / "some.safetensors"
    weights.save(net, path, NAMES, {"pictures": 7, "note": "é"})
    loaded = weights.load(path)
    assert (loaded.name, loaded.classes, dict(loaded.card)) == ("some", NAMES, {"pictures": 7, "note": "é"})
    assert loaded.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.config == replace(net.config, bins=0 if output == "regression" else 11)
    copy = loaded.network()
    assert not copy.training
    assert not any(p.requires_grad for p in copy.parameters())
    whole = torch.rand(2, 1, 64, 48)
    (look, scene), (look2, scene2) = net.look(whole), copy.look(whole)
    assert torch.equal(look, look2)
    assert torch.equal(net.classify(scene), copy.classify(scene2))
    assert torch.equal(net.paint(whole, look), copy.paint(whole, look))
    assert list(tmp_path.iterdir()) == [path]


def test_saving_folds_and_halves(tmp_path):
    """A training network is saved folded, as float16, and without the head that its output does not need."""
    config = replace(SMALL, bins=11)
    net, path = lively(config, torch.float32), tmp_path / "w.safetensors"
    weights.save(net, path, NAMES, {})
    loaded = weights.load(path)
    assert loaded.config == replace(config, norm=False, bins=0)
    assert {v.dtype for v in loaded.tensors.values()} == {torch.float16}
    assert not any(k.startswith(("bins.", "centers")) or "norm" in k for k in loaded.tensors)
    whole = torch.rand(1, 1, 64, 64)
    look = net.look(whole)[0]
    assert (loaded.network().paint(whole, look) - net.paint(whole, look)).abs().max() < 2.0


def test_a_diverged_network_is_not_saved(tmp_path):
    """What does not fit float16 raises and leaves no file."""
    net = half_of(SMALL)
    net.out.bias.data[0] = 1e6
    with pytest.raises(WeightsError, match=r"out\.bias"):
        weights.save(net, tmp_path / "w.safetensors", NAMES, {})
    assert list(tmp_path.iterdir()) == []


def test_unknown_name_lists_what_exists(tmp_path):
    """Neither a shipped name nor a file: the message says which names there are and what else to give."""
    for name in ("nothing-of-the-kind", tmp_path / "absent.safetensors", tmp_path):
        with pytest.raises(WeightsError, match=r"no such weights; shipped here: .*\.safetensors file"):
            weights.load(name)


def test_shipped_weights_are_usable():
    """The default ships; every name that does loads, names its classes, is small, and has a card with its figures."""
    assert DEFAULT_WEIGHTS in shipped.names()
    for name in shipped.names():
        loaded = weights.load(name)
        assert loaded.card["samples"] > (300_000 if loaded.card.get("encoder") else 500_000)
        assert loaded.card["figures"]["psnr_rgb"]["ours"] > loaded.card["figures"]["psnr_rgb"]["gray"]
        assert len(loaded.classes) == loaded.config.classes
        limit = 12 << 20 if getattr(loaded.config, "width", 0.5) <= 0.5 else 40 << 20
        assert shipped.shipped(name).stat().st_size <= limit
        assert f"# {name}" in shipped.shipped(name).with_suffix(".md").read_text()


def refused(path, match):
    """The one clear line with which a file is refused."""
    with pytest.raises(WeightsError, match=match) as caught:
        weights.load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 1200
    return message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 8,
        b"\xff" * 64,
        b"not safetensors at all, but long enough to hold a header length",
        (10**12).to_bytes(8, "little") + b"{}",
        (9).to_bytes(8, "little") + b"{notjson}",
        pickle.dumps({"model": "evil"}),
    ],
    ids=["empty", "zeros", "ones", "text", "huge header", "bad header", "pickle"],
)
def test_other_files_are_refused(tmp_path, content):
    """Nothing but safetensors is read; in particular no pickle is ever unpickled."""
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    refused(path, "cannot be read as weights")


def test_truncated_files_are_refused(good):
    """A file cut anywhere, in its header or its numbers, is refused."""
    path = good[0]
    whole = path.read_bytes()
    for share in (0.001, 0.01, 0.3, 0.7, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        refused(path, "cannot be read as weights")


@pytest.mark.parametrize("change", [{"format": "chromatheque-weights-99"}, {"format": None}, None])
def test_other_formats_are_refused(good, change):
    """Safetensors of another program, of a later format, or without metadata are not guessed at."""
    path, tensors, metadata = good
    kept = None if change is None else {k: v for k, v in (metadata | change).items() if v is not None}
    save_file(tensors, path, kept)
    refused(path, "not weights of this program")


@pytest.mark.parametrize(
    "change",
    [
        {"width": 1e9},
        {"width": 10**400},
        {"width": -1.0},
        {"width": math.nan},
        {"width": "wide"},
        {"width": True},
        {"mean": math.nan},
        {"mean": math.inf},
        {"mean": None},
        {"classes": 10**9},
        {"classes": 2.5},
        {"bins": 0.5},
        {"bins": 10**9, "output": "bins"},
        {"fusion": 1.0},
        {"fusion": 5},
        {"head": ["mean"]},
        {"head": "x" * 100_000},
        {"norm": True},
        {"norm": "no"},
        {"look_size": 10**6},
        {"output": "os.system"},
        {"temperature": 0},
        {"unheard\nof": 1},
    ],
    ids=lambda change: ",".join(f"{k!r}={str(v)[:12]!r}" for k, v in change.items()),
)
def test_impossible_configurations_are_refused(good, change):
    """Every field is checked for type and range before anything is built from it; unknown fields are
    named.
    """
    path, tensors, metadata = good
    values = json.loads(metadata["config"]) | change
    save_file(tensors, path, metadata | {"config": json.dumps(values)})
    refused(path, "network configuration is not usable")


@pytest.mark.parametrize("raw", ["", "[]", "7", "null", "{", '"width"', "[" * 100_000])
def test_configurations_that_are_no_objects_are_refused(good, raw):
    """A configuration that is not a JSON object, however deep, is refused."""
    path, tensors, metadata = good
    save_file(tensors, path, metadata | {"config": raw})
    refused(path, "network configuration is not usable")


@pytest.mark.parametrize(
    "change",
    [
        {"classes": "5"},
        {"classes": "[1, 2, 3]"},
        {"classes": '["one"]'},
        {"classes": "["},
        {"classes": "[" * 100_000},
        {"card": "[]"},
        {"card": "{"},
        {"card": json.dumps({"x": "y" * (1 << 21)})},
    ],
    ids=["number", "numbers", "too few", "cut", "deep", "card list", "card cut", "card huge"],
)
def test_wrong_classes_or_card_are_refused(good, change):
    """Class names are as many strings as the network has classes; the card is an object of bounded size."""
    path, tensors, metadata = good
    save_file(tensors, path, metadata | change)
    refused(path, "cannot be read as weights")


def test_wrong_tensors_are_refused_by_name(good):
    """A missing, unknown or misshapen tensor is named; a whole other network is refused in one bounded
    line.
    """
    path, tensors, metadata = good
    missing = {k: v for k, v in tensors.items() if k != "out.bias"}
    save_file(missing, path, metadata)
    assert "missing: 'out.bias'" in refused(path, "not this network's tensors")
    save_file(tensors | {"extra\nline": torch.zeros(3)}, path, metadata)
    assert "unknown: 'extra\\nline'" in refused(path, "not this network's tensors")
    save_file(tensors | {"out.bias": torch.zeros(1000)}, path, metadata)
    assert "another shape: 'out.bias'" in refused(path, "not this network's tensors")
    save_file({f"layer{i}.weight": torch.zeros(1) for i in range(500)}, path, metadata)
    refused(path, "and 497 more")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused(good, bad):
    """A tensor with NaN or infinity would paint NaN without a word; so would one of integers mislead."""
    path, tensors, metadata = good
    save_file(tensors | {"out.bias": torch.tensor([0.0, bad]).half()}, path, metadata)
    refused(path, r"not a finite number in 'out\.bias'")
    save_file(tensors | {"out.bias": torch.tensor([0, 1])}, path, metadata)
    refused(path, r"not a finite number in 'out\.bias'")


class Watch(TorchDispatchMode):
    """Notes the largest tensor that gets memory."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.device.type != "meta":
            self.largest = max(self.largest, result.numel())
        return result


def test_a_file_says_its_architecture(good):
    """Without the field it is of the 2016 network, as files were before there was another; unknown ones are refused."""
    path, tensors, metadata = good
    save_file(tensors, path, metadata)
    assert isinstance(weights.load(path).config, Iizuka2016Config)
    save_file(tensors, path, metadata | {"architecture": "iizuka2016"})
    assert isinstance(weights.load(path).config, Iizuka2016Config)
    save_file(tensors, path, metadata | {"architecture": "lite"})
    refused(path, "network configuration is not usable: unknown fields")
    save_file(tensors, path, metadata | {"architecture": "of\ntomorrow"})
    refused(path, "this version knows iizuka2016, lite")


def test_a_lying_configuration_gets_no_memory(good):
    """A small file that claims to be the largest network allowed is refused before any of it is allocated."""
    path, tensors, metadata = good
    largest = Iizuka2016Config(width=2.0, classes=100_000, bins=4096, norm=False)
    with torch.device("meta"):
        claimed = max(p.numel() for p in Iizuka2016(largest).parameters())
    assert claimed > 100_000_000
    save_file(tensors, path, metadata | {"config": json.dumps(asdict(largest))})
    with Watch() as watch:
        refused(path, "not this network's tensors")
    assert watch.largest < 10_000


def test_a_file_is_read_once_and_again_when_it_is_another(good):
    """Asking again costs nothing; weights put under the same name since are the ones that come."""
    path = good[0]
    first = weights.load(path)
    assert weights.load(path) is first
    other = path.with_name("other.safetensors")
    weights.save(half_of(replace(SMALL, width=0.125)), other, NAMES, {})
    other.replace(path)
    assert weights.load(path).digest != first.digest
