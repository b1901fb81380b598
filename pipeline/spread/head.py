"""Head: whether a Ray cluster's head still answers.

Ray ends a process, without an exception that anybody could catch, a minute after it lost the head of its cluster. A
run that notices before then still writes down what is done, and says what happened.
"""

from __future__ import annotations

import socket
import time

from colorizer.basis.errors import ColorizeError

EVERY = 5.0
"""Seconds between two looks."""

GONE = 25.0
"""Seconds of silence after which the head is given up. A head that is started anew elsewhere needs some; Ray gives 60,
of which a run needs some to come to an end."""

ANSWER = 2.0
"""Seconds in which a head takes a call."""


class Head:
    """The head of a cluster that this process has joined. address: HOST:PORT of its control store."""

    def __init__(self, address: str) -> None:
        self.address = address
        host, _, port = address.rpartition(":")
        self._place = host.strip("[]"), int(port)
        self._looked, self._silent = time.monotonic(), 0.0
        self.lost = False

    def answers(self) -> bool:
        """Whether it did when it was called last, which is done now and then.

        Raises ColorizeError when it has been silent for long.
        """
        now = time.monotonic()
        if now - self._looked < EVERY:
            return not self._silent
        self._looked = now
        if self._takes_calls():
            self._silent = 0.0
            return True
        self._silent = self._silent or now
        if time.monotonic() - self._silent >= GONE:
            self.lost = True
            raise ColorizeError(
                f"the head of the Ray cluster at {self.address} has not answered for {GONE:.0f} seconds; what is done "
                "is kept: start the cluster again and run the same command"
            )
        return False

    def _takes_calls(self) -> bool:
        try:
            with socket.create_connection(self._place, ANSWER):
                return True
        except OSError:
            return False
