"""The script that people write: RGB, the network of 2016 on each frame, Lab, x264. What `bench baseline` measures.

On its own it keeps nothing: luma goes through 8-bit RGB and back, the sound is gone, colors flicker with each frame's
own look. It is here so that speed is told beside something that anyone can read in a minute.
"""

from __future__ import annotations

import sys

import av
import torch
from torch.nn import functional as F

from colorizer.color.lab import lab_to_rgb, rgb_to_lab
from colorizer.networks import weights_file

MULTIPLE = 8
"""Of the working picture's sides."""


def main() -> None:
    """Color the film of the first argument into that of the second; the third is the working picture's short side."""
    source, out, short = sys.argv[1], sys.argv[2], int(sys.argv[3])
    weights = weights_file.load("standard")
    network, side = weights.network().eval(), weights.config.look_size
    with torch.inference_mode(), av.open(source) as film, av.open(out, "w") as copy:
        video = film.streams.video[0]
        stream = copy.add_stream("libx264", rate=video.average_rate, options={"preset": "medium", "crf": "16"})
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        scale = min(1.0, short / min(video.width, video.height))
        small = [max(1, round(n * scale / MULTIPLE)) * MULTIPLE for n in (video.height, video.width)]
        for frame in film.decode(video):
            rgb = torch.from_numpy(frame.to_ndarray(format="rgb24")).permute(2, 0, 1).float() / 255
            lab = rgb_to_lab(rgb)
            gray = lab[None, :1] / 100
            look, _ = network.look(F.interpolate(gray, (side, side), mode="bilinear", antialias=True))
            ab = network.paint(F.interpolate(gray, small, mode="bilinear", antialias=True), look)
            lab[1:] = F.interpolate(ab, lab.shape[1:], mode="bilinear")[0]
            colored = (lab_to_rgb(lab).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous()
            copy.mux(stream.encode(av.VideoFrame.from_ndarray(colored.numpy(), format="rgb24")))
        copy.mux(stream.encode(None))
