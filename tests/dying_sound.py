"""Sound that ends the process that asks for its layout, as some valid tracks do inside PyAV: all, once loaded."""

import os
import signal

from pipeline.reels import heard


def die(context):
    """Ends the process as a double free does."""
    os.kill(os.getpid(), signal.SIGABRT)


heard.places = die
