"""Synthetic films and plates of any size, for benches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

TILE = 512


def write_film(path: Path, frames: int) -> None:
    """A gray film of 480 x 360 pixels in which something moves, with a cut in its middle."""
    import av
    import numpy as np

    x, y = np.meshgrid(np.linspace(0, 1, 480), np.linspace(0, 1, 360))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 480, 360, "gray"
        for n in range(frames):
            speed = 3 if n < frames // 2 else 11
            picture = 128 + 90 * np.sin(speed * x + n / 9) * np.cos(2 * speed * y - n / 13)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="gray")))
        container.mux(stream.encode())


def write_grainy_film(path: Path, frames: int, size: tuple[int, int]) -> None:
    """A black-and-white film as archives hold them, H.264 of 8 bits, with a cut in its middle: shapes that drift under
    grain that is never the same. size: width, height.
    """
    import av
    import numpy as np

    width, height = size
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 4, (height + 64, width + 64)).astype(np.float32)
    grain = (noise[:-1, :-1] + noise[1:, :-1] + noise[:-1, 1:] + noise[1:, 1:]) / 2  # as fine as a scanner sees it
    x = (np.arange(width, dtype=np.float32) / height)[None]
    y = (np.arange(height, dtype=np.float32) / height)[:, None]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "veryfast", "crf": "14"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for n in range(frames):
            speed, drift = (5, n / 200) if n < frames // 2 else (9, -n / 150)
            shade = np.sin(speed * (x + drift)) * np.cos(0.7 * speed * y) + 0.5 * np.sign(
                np.sin(2 * speed * (x + drift)) * np.sin(1.5 * speed * (y - drift))
            )
            top, left = (int(i) for i in rng.integers(0, 63, 2))
            luma = 120 + 50 * shade + grain[top : top + height, left : left + width]
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane, codes in zip(frame.planes, (luma, None, None), strict=True):
                whole = np.full((plane.height, plane.line_size), 128, np.uint8)
                if codes is not None:
                    whole[:, :width] = codes.clip(16, 235).astype(np.uint8)
                plane.update(whole.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_plate(path: Path, side: int) -> None:
    """A square 16-bit gray plate, tiled and compressed, that looks like a photograph to codecs: shapes and grain."""
    import numpy as np
    import tifffile

    def tiles() -> Iterator[Any]:
        rng = np.random.default_rng(0)
        grain = [rng.normal(0, 180, (TILE, TILE)) for _ in range(8)]
        x = np.arange(TILE) / side
        for row in range(side // TILE):
            for column in range(side // TILE):
                v, u = (row * TILE / side + x)[:, None], (column * TILE / side + x)[None]
                shade = (
                    0.5 + 0.3 * np.sin(9 * u + 5 * v) * np.cos(7 * v) + 0.15 * np.sign(np.sin(40 * u) * np.sin(31 * v))
                )
                picture = shade * 60000 + grain[int(rng.integers(8))]
                yield picture.clip(0, 65535).astype(np.uint16)

    tifffile.imwrite(
        path, tiles(), shape=(side, side), dtype=np.uint16, tile=(TILE, TILE), compression="zstd", predictor=True,
        bigtiff=side > 40_000, photometric="minisblack", resolution=(4000, 4000), metadata=None, maxworkers=1,
    )  # fmt: skip
