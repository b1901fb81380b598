"""Arrays in, arrays out: the network, its weights, color arithmetic, training and quality measures.

Knows torch, numpy and safetensors; knows nothing of media files, Ray or the command line.

    import colorizer
    color = colorizer.colorize(gray)
"""

from typing import TYPE_CHECKING

from colorizer.basis.exports import lazily

if TYPE_CHECKING:
    from colorizer.basis.errors import CallError, ColorizeError, WeightsError, WrongType, WrongValue
    from colorizer.painting.colorize import colorize, load, luma
    from colorizer.painting.colorizer import Colorizer

    __version__: str
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            **dict.fromkeys(("colorize", "load", "luma"), "colorizer.painting.colorize"),
            "Colorizer": "colorizer.painting.colorizer",
            **dict.fromkeys(
                ("CallError", "ColorizeError", "WeightsError", "WrongType", "WrongValue"), "colorizer.basis.errors"
            ),
        },
    )

__all__ = [
    "CallError", "ColorizeError", "Colorizer", "WeightsError", "WrongType", "WrongValue", "__version__", "colorize",
    "load", "luma",
]  # fmt: skip
