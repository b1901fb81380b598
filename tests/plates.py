"""What the tests of scans share: a plate of a museum, in grain and words."""

import numpy as np
import tifffile

HEIGHT, WIDTH = 700, 300


def plate(path, height=HEIGHT, width=WIDTH, pages=1, seed=0):
    """A 16-bit TIFF with shapes and grain, and words about the object."""
    rng = np.random.default_rng(seed)
    with tifffile.TiffWriter(path) as writer:
        for _ in range(pages):
            coarse = np.kron(rng.random((height // 50, width // 50)), np.ones((50, 50)))
            luma = coarse[:height, :width] * 60000 + rng.normal(0, 300, (height, width))
            writer.write(
                luma.clip(0, 65535).astype(np.uint16), description="Plate 42, Rue de Rivoli", metadata=None,
                resolution=(4000, 4000), compression="zlib", rowsperstrip=60, photometric="minisblack",
            )  # fmt: skip
    return path
