"""Crew: the actors that work for a pool, wherever a Ray cluster has room for them.

As many as were asked for are hired at once. Those without a place wait for one, which is what tells a cluster that
grows by itself to grow, and a worker counts only when it has answered. A pool of eight on two nodes that loses one
goes on with four, and has eight again when another node joins.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from colorizer.basis.errors import ColorizeError
from pipeline.values.units import Painter, Unit

STARTS = 5
"""Times in a row that workers end before they begin, with none at work, until that is no accident."""
PAUSE = 10.0
"""Seconds until another worker is hired for one that ended before it began."""
NOBODY = 180.0
"""Seconds without any worker until a person is told."""


class Worker:
    """The actor: one painter in a process of its own."""

    def __init__(self, make: Callable[[], Painter], threads: int) -> None:
        self.make, self.threads = make, threads
        self.painter: Painter | None = None

    def begin(self) -> str:
        """Get ready, once; the node this worker is on."""
        import ray

        if self.painter is None:
            self.painter = self.make()
            if self.threads and "torch" in sys.modules:  # a painter that does without is spared the import
                sys.modules["torch"].set_num_threads(self.threads)
        return str(ray.get_runtime_context().get_node_id())

    def run_unit(self, unit: Unit, attempt: int) -> Any:
        """Paint a unit."""
        assert self.painter is not None, "begin comes first"
        return self.painter.paint(unit, attempt)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A worker that has answered, and the node it is on."""

    actor: Any
    node: str


class Crew:
    """See the module docstring.

    ray: the module, of a process that has joined a cluster. wanted: workers. resources: of each. arguments: of
    `Worker`. tell: what a person should read, a line each.
    """

    def __init__(
        self, ray: Any, wanted: int, resources: dict[str, float], arguments: tuple[Any, ...],
        tell: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.ray, self.wanted, self.resources, self.tell = ray, wanted, resources, tell
        self._actor = ray.remote(**resources, max_restarts=0, max_task_retries=0)(Worker)
        self._arguments = arguments
        self.free: list[Member] = []
        self.awaited: dict[Any, Any] = {}
        self.reserved: set[str] = set()
        """Nodes on which a unit is to be alone."""
        self._members: list[Member] = []
        self._failed, self._hire_at = 0, 0.0
        self._nobody_since, self._complained = time.monotonic(), False
        self.fill()

    def fill(self) -> None:
        """Hire for every place that is vacant, and tell a person if there has been nobody for long."""
        now = time.monotonic()
        while now >= self._hire_at and len(self._members) + len(self.awaited) < self.wanted:
            actor = self._actor.remote(*self._arguments)
            self.awaited[actor.begin.remote()] = actor
        if self._members:
            self._nobody_since = now
        elif now - self._nobody_since > NOBODY and not self._complained:
            self._complained = True
            has = self.ray.cluster_resources()
            needs = " and a share of a GPU" if self.resources["num_gpus"] else ""
            self.tell(
                f"no worker has a place for {NOBODY / 60:.0f} minutes: each needs a CPU{needs}, and the cluster has "
                f"{has.get('CPU', 0):g} CPUs and {has.get('GPU', 0):g} GPUs, free or taken; waiting for nodes to join"
            )

    def welcome(self, ref: Any) -> None:
        """A worker has answered its first call, or has ended before it could.

        Raises what hinders its painter. Raises ColorizeError if none comes to work however often one is hired.
        """
        actor = self.awaited.pop(ref)
        errors = self.ray.exceptions
        try:
            member = Member(actor, self.ray.get(ref))
        except errors.RayTaskError as error:
            self.ray.kill(actor)
            if isinstance(error.cause, ColorizeError):
                raise error.cause from error
            raise
        except errors.RayError as error:
            self.ray.kill(actor)
            if (now := time.monotonic()) >= self._hire_at:  # those that a lost node took along count as one
                self._failed, self._hire_at = self._failed + 1, now + PAUSE
            if self._failed >= STARTS and not self._members:
                why = str(error).strip().splitlines()[0]
                raise ColorizeError(f"{self._failed} times in a row workers ended before they began: {why}") from error
            return
        self._failed = 0
        self._members.append(member)
        self.free.append(member)
        if self._complained:
            self._complained = False
            self.tell("a worker has a place again")

    def usable(self) -> list[Member]:
        """Free workers that may get a unit."""
        return [member for member in self.free if member.node not in self.reserved]

    def take(self, alone: bool) -> Member:
        """A free worker; for a unit that is to be alone, on the least busy node, which is reserved for it."""
        usable = self.usable()
        member = usable[0]
        if alone:
            idle, all_there = (Counter(m.node for m in some) for some in (usable, self._members))
            member = min(usable, key=lambda m: all_there[m.node] - idle[m.node])
            self.reserved.add(member.node)
        self.free.remove(member)
        return member

    def dismiss(self, member: Member) -> None:
        """End a worker, if it lives; its place is vacant."""
        self.ray.kill(member.actor)
        if member in self._members:
            self._members.remove(member)

    def gone(self) -> Callable[[str], bool]:
        """Tells of a node whether the cluster has lost it."""
        alive = {node["NodeID"] for node in self.ray.nodes() if node["Alive"]}
        return lambda node: node not in alive

    def close(self, busy: list[Member]) -> None:
        """Let all go, those too that are at work."""
        for actor in [*(member.actor for member in [*self.free, *busy]), *self.awaited.values()]:
            self.ray.kill(actor)
        self.free, self.awaited, self._members = [], {}, []
