"""Colorizer: planes in, chroma codes out; what it promises about luma, batches, threads and geometry."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from colorizer.basis.errors import ColorizeError
from colorizer.color.coding import Coding
from colorizer.color.kept_luma import KeptLuma
from colorizer.color.lab import rgb_to_lab
from colorizer.color.upsample import guided_upsample
from colorizer.measures.quality import ciede2000
from colorizer.networks import weights_file as weights
from colorizer.networks.iizuka2016 import Iizuka2016, Iizuka2016Config
from colorizer.painting import colorizer as engine
from colorizer.painting.colorizer import Colorizer, auto_precision
from colorizer.painting.geometry import NATIVE, Geometry
from colorizer.painting.grids import chroma_grid, shrink


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Weights of a small random network that paints visibly."""
    torch.manual_seed(5)
    network = Iizuka2016(Iizuka2016Config(width=0.125, head="mean", look_size=64, classes=4))
    with torch.no_grad():
        network.out.weight.mul_(12)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    weights.save(network, path, ("a", "b", "c", "d"), {})
    return weights.load(path)


def picture(height, width, seed=0, bits=8):
    """A smooth random luma plane in film levels."""
    rng = np.random.default_rng(seed)
    low = torch.from_numpy(rng.random((1, 1, 6, 8), np.float32))
    plane = F.interpolate(low, (height, width), mode="bicubic", align_corners=False)[0, 0].clamp(0, 1).numpy()
    codes = (16 + 219 * plane) * 2 ** (bits - 8)
    return codes.astype(np.uint8 if bits == 8 else np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize(("step_y", "step_x"), [(2, 2), (1, 2), (1, 1), (4, 4)])
def test_shapes_and_depths(loaded, bits, step_y, step_x):
    """Chroma planes have the format's size, depth and a color that is not gray; odd pictures too."""
    luma = np.stack([picture(75, 101, bits=bits)] * 2)
    geometry = Geometry(step_y=step_y, step_x=step_x)
    colorizer = Colorizer(loaded)
    look, odds = colorizer.look(colorizer.whole(luma[0], Coding(bits), geometry)[None])
    cb, cr = colorizer.chroma(luma, Coding(bits), geometry, look[0], 64)
    assert cb.shape == cr.shape == (2, *geometry.chroma_shape(75, 101))
    assert cb.dtype == luma.dtype
    assert abs(cb.astype(int) - Coding(bits).neutral).mean() > 2 ** (bits - 8)
    assert odds.shape == (1, 4)
    assert np.isclose(odds.sum(), 1, atol=1e-3)


def test_batch_neighbors_do_not_matter_much_and_repeats_not_at_all(loaded):
    """The same batch gives the same codes; another batch size may move a code by one."""
    colorizer = Colorizer(loaded)
    frames = np.stack([picture(96, 128, seed) for seed in range(4)])
    look, _ = colorizer.look(np.stack([colorizer.whole(f, Coding(), Geometry()) for f in frames]))
    a = colorizer.chroma(frames, Coding(), Geometry(), look[0], 64)
    b = colorizer.chroma(frames, Coding(), Geometry(), look[0], 64)
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    for i in range(4):
        one = colorizer.chroma(frames[i : i + 1], Coding(), Geometry(), look[0], 64)
        assert max(abs(x[i].astype(int) - y[0]).max() for x, y in zip(a, one, strict=True)) <= 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_threads_do_not_change_a_code(loaded, precision):
    """One thread or two: the same bytes. The promise that workers of any size agree rests on it."""
    frames = np.stack([picture(144, 176, seed) for seed in range(8)])
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            colorizer = Colorizer(loaded, precision=precision)
            look, _ = colorizer.look(np.stack([colorizer.whole(f, Coding(), Geometry()) for f in frames]))
            results.append((look, *colorizer.chroma(frames, Coding(), Geometry(), look[0], 96)))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(x, y) for x, y in zip(*results, strict=True))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotated_storage_is_seen_upright(loaded, rotation):
    """A picture stored turned gets the chroma of the upright picture, turned."""
    upright = picture(96, 128, 7)
    stored = np.ascontiguousarray(np.rot90(upright, -rotation // 90))
    colorizer = Colorizer(loaded)
    plain, turned = Geometry(step_y=1, step_x=1), Geometry(step_y=1, step_x=1, rotation=rotation)
    assert (
        abs(colorizer.whole(upright, Coding(), plain).astype(int) - colorizer.whole(stored, Coding(), turned)).max()
        <= 1
    )
    look, _ = colorizer.look(colorizer.whole(upright, Coding(), plain)[None])
    a, _ = colorizer.chroma(upright[None], Coding(), plain, look[0], 96)
    b, _ = colorizer.chroma(stored[None], Coding(), turned, look[0], 96)
    assert abs(np.rot90(b[0], rotation // 90).astype(int) - a[0]).max() <= 1


def test_fp16_needs_a_gpu(loaded):
    """On a CPU fp16 is refused with what to do instead."""
    with pytest.raises(ColorizeError, match="bf16 or fp32"):
        Colorizer(loaded, precision="fp16")
    assert auto_precision(torch.device("cpu")) in ("fp32", "bf16")


def test_small_grid_solution_against_the_exact_one():
    """Solving on the working grid stays within the error that `Colorizer.chroma` states, on real colors.

    True a*b* of four photographs stand in for the network's; the reference solves at every chroma sample at 1080 lines.
    """
    data = pytest.importorskip("skimage.data")
    solver, geometry = KeptLuma(), Geometry()
    codes, deltas = [], []
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        rgb = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
        width = 1080 * rgb.shape[3] // rgb.shape[2] // 2 * 2
        rgb = F.interpolate(rgb, (1080, width), mode="bicubic", antialias=True).clamp(0, 1)[0]
        y = (((solver.luma(rgb) * 219 + 16).round() - 16) / 219).clamp(0, 1)[None, None]
        shape = geometry.working_shape(1080, width, 192)
        ab = F.adaptive_avg_pool2d(rgb_to_lab(rgb)[None, 1:], (shape[0] // 2, shape[1] // 2))
        guide = chroma_grid(y, geometry)
        cb, cr = solver.solve(F.avg_pool2d(shrink(y, shape), 2)[:, 0], ab[:, 0], ab[:, 1])
        planes = guided_upsample(torch.stack([cb, cr], 1), guide)
        ours = solver.fit(guide[:, 0], planes[:, 0], planes[:, 1])
        assert bool(solver.inside(guide[:, 0], *ours).all()), "every color can be shown"
        full = guided_upsample(ab, guide)
        exact = solver.solve(guide[:, 0], full[:, 0], full[:, 1])
        codes += [224 * (a - b).abs().flatten() for a, b in zip(ours, exact, strict=True)]
        labs = [rgb_to_lab(solver.show(guide[:, 0], *c)[:, 0].clamp(0, 1)).numpy() for c in (ours, exact)]
        deltas.append(np.ravel(ciede2000(*(np.moveaxis(lab, 0, -1) for lab in labs))))
    error, delta = torch.cat(codes).numpy(), np.concatenate(deltas)
    assert np.quantile(error, 0.5) < 0.08
    assert np.quantile(error, 0.95) < 0.9
    assert error.max() < 26
    assert np.quantile(delta, 0.5) < 0.09
    assert np.quantile(delta, 0.95) < 0.9


def test_look_is_of_the_whole(loaded):
    """A frame's look picture is the whole frame, squeezed, at the network's size."""
    colorizer = Colorizer(loaded)
    luma = picture(120, 400)
    assert colorizer.whole(luma, Coding(), Geometry()).shape == (64, 64)
    brighter = np.minimum(luma.astype(int) + 40, 235).astype(np.uint8)
    looks, _ = colorizer.look(np.stack([colorizer.whole(x, Coding(), Geometry()) for x in (luma, brighter)]))
    assert not np.array_equal(looks[0], looks[1])


def test_ten_bit_output_of_eight_bit_luma(loaded):
    """Chroma may be asked for in a deeper coding than luma's: the same color, four times the code."""
    colorizer, luma = Colorizer(loaded), picture(64, 96)[None]
    look, _ = colorizer.look(colorizer.whole(luma[0], Coding(), Geometry())[None])
    eight, _ = colorizer.chroma(luma, Coding(), Geometry(), look[0], 64)
    ten, _ = colorizer.chroma(luma, Coding(), Geometry(), look[0], 64, replace(Coding(), bits=10))
    assert ten.dtype == np.uint16
    assert abs(ten.astype(float) / 4 - eight).max() <= 0.5


def test_a_large_working_size_is_painted_by_tiles(loaded, monkeypatch):
    """Beyond the bound tiles are painted, and no code differs by more than the one that rounding may move."""
    colorizer, luma = Colorizer(loaded), picture(256, 320)[None]
    look, _ = colorizer.look(colorizer.whole(luma[0], Coding(), Geometry())[None])
    whole = colorizer.chroma(luma, Coding(), Geometry(), look[0], NATIVE)
    monkeypatch.setattr(engine, "WHOLE_BYTES", 2_000_000)
    monkeypatch.setattr(engine, "TILES", (128,))
    tiled = colorizer.chroma(luma, Coding(), Geometry(), look[0], NATIVE)
    assert max(abs(a.astype(int) - b).max() for a, b in zip(whole, tiled, strict=True)) <= 1
    assert not colorizer.notes


SHORT = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), MemoryError(),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
]  # fmt: skip


@pytest.mark.parametrize("error", SHORT, ids=lambda error: type(error).__name__)
def test_a_device_that_runs_out_of_memory_gets_smaller_tiles(loaded, monkeypatch, error):
    """The picture is the same up to rounding, and what happened is said; if nothing fits, that is one line."""
    colorizer, luma = Colorizer(loaded), picture(300, 340)[None]
    look, _ = colorizer.look(colorizer.whole(luma[0], Coding(), Geometry())[None])
    whole = colorizer.chroma(luma, Coding(), Geometry(), look[0], NATIVE)
    paint, room = colorizer.network.paint, 300 * 300

    def cramped(part, look):
        if part.shape[2] * part.shape[3] > room:
            raise error
        return paint(part, look)

    monkeypatch.setattr(colorizer.network, "paint", cramped)
    tiled = colorizer.chroma(luma, Coding(), Geometry(), look[0], NATIVE)
    assert max(abs(a.astype(int) - b).max() for a, b in zip(whole, tiled, strict=True)) <= 1
    assert colorizer.notes == {"the device ran out of memory: painted in tiles of 128 px, with the same result"}
    room = 1000
    with pytest.raises(ColorizeError, match="too little free memory"):
        colorizer.chroma(luma, Coding(), Geometry(), look[0], NATIVE)


def test_a_bug_is_not_taken_for_a_lack_of_memory(loaded, monkeypatch):
    """Any other error of the network keeps its traceback."""
    colorizer, luma = Colorizer(loaded), picture(64, 64)[None]

    def broken(part, look):
        raise RuntimeError("sizes do not match")

    monkeypatch.setattr(colorizer.network, "paint", broken)
    with pytest.raises(RuntimeError, match="sizes do not match"):
        colorizer.chroma(luma, Coding(), Geometry(), np.zeros(16, np.float32), NATIVE)


@pytest.mark.parametrize("samples", [40_000, 100_003])
def test_color_arithmetic_is_the_same_to_the_last_bit_on_any_threads(samples):
    """Solving many samples gives equal floats, not just equal codes, on one thread and on two.

    Torch's pow rounds differently in the tail of each thread's share; a code flips once in some 100,000 samples.
    """
    generator = torch.Generator().manual_seed(8)
    luma, a, b = (torch.rand(samples, generator=generator) for _ in range(3))
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(torch.stack(KeptLuma().solve(luma, 120 * a - 60, 120 * b - 60)))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*results)


@pytest.mark.parametrize("pictures", range(1, 9))
def test_looks_are_the_same_to_the_last_bit_on_any_threads(loaded, pictures):
    """Any number of a shot's frames gives the same look and scenes on one thread and on two."""
    whole = np.random.default_rng(2).integers(0, 256, (pictures, 64, 64)).astype(np.uint8)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(Colorizer(loaded).look(whole))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
