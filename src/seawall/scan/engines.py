"""Where slices are scanned: processes on this machine, or tasks on a Ray cluster. Either may lose workers."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from seawall.scan.look import Job, Row, processes, scan_slice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seawall.scan.listing import Slice

# A worker lost once may have been anyone's fault. Twice on the same slice: each of its files is read in a process of
# its own. As often as this, something else is wrong.
APART_AFTER, GIVE_UP_AFTER = 2, 8
_TICK = 1.0  # seconds between two chances to show progress
_TIMEOUT = 10.0  # seconds a cluster may take to let us in


class NoEngine(Exception):
    """Workers cannot be had, or keep dying. The message is a sentence with the next step."""


class Engine(Protocol):
    """Starts slices and says when they are done."""

    told: str  # what it is, for a line of progress

    def room(self) -> int:
        """How many slices may be under way."""

    def start(self, work: Slice, *, apart: bool) -> Any:
        """Begin a slice; answers a ticket."""

    def done(self, tickets: Iterable[Any]) -> Iterator[tuple[Any, list[Row] | None]]:
        """The tickets that are done within a second, with the answers; None if the worker died."""

    def close(self) -> None:
        """End what is under way."""


def run(engine: Engine, slices: Iterator[Slice], tick: Callable[[], None]) -> Iterator[tuple[Slice, list[Row]]]:
    """The answers to every slice, in the order in which they are done.

    :raises NoEngine: workers die again and again on one slice
    """
    again: deque[Slice] = deque()
    deaths: Counter[str] = Counter()
    running: dict[Any, Slice] = {}
    while True:
        while len(running) < engine.room() and (work := again.popleft() if again else next(slices, None)):
            running[engine.start(work, apart=deaths[work.name] >= APART_AFTER)] = work
        if not running:
            return
        for ticket, rows in engine.done(running):
            work = running.pop(ticket)
            if rows is not None:
                yield work, rows
                continue
            deaths[work.name] += 1
            if deaths[work.name] >= GIVE_UP_AFTER:
                raise NoEngine("Workers die again and again. See that they have memory, then start this again.")
            again.append(work)
        tick()


class Local:
    """Processes on this machine."""

    def __init__(self, job: Job, workers: int | None) -> None:
        self._job, self._workers = job, workers or os.cpu_count() or 1
        self._pool = processes(self._workers)
        self.told = f"{self._workers} processes"

    def room(self) -> int:
        """One more than work, so that nobody waits for the driver."""
        return self._workers + 1

    def start(self, work: Slice, *, apart: bool) -> Future[list[Row]]:
        """Begin a slice, with new processes if one of the old ones died."""
        try:
            return self._pool.submit(scan_slice, self._job, work.entries, apart=apart)
        except BrokenProcessPool:
            self._pool = processes(self._workers)
            return self._pool.submit(scan_slice, self._job, work.entries, apart=apart)

    def done(self, tickets: Iterable[Future[list[Row]]]) -> Iterator[tuple[Future[list[Row]], list[Row] | None]]:
        """When one process dies, all that was under way counts as lost with it."""
        for ticket in wait(tickets, _TICK, FIRST_COMPLETED).done:
            try:
                yield ticket, ticket.result()
            except BrokenProcessPool:
                yield ticket, None

    def close(self) -> None:
        """End the processes, whatever they are at."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()


class OnRay:
    """Tasks on the cluster RAY_ADDRESS names, or the one that runs here, or one of this machine alone."""

    def __init__(self, job: Job, workers: int | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # or Ray tells its makers what it is used for
        ray: Any = import_module("ray")  # part of seawall[ray]
        self._ray, self._job, self._workers = ray, job, workers
        try:
            _answers(os.environ.get("RAY_ADDRESS", ""))
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            raise NoEngine(f"No Ray cluster answers ({error}). Check RAY_ADDRESS, then start this again.") from error
        # Lost tasks come back to us: we count them, and read the files of an unlucky slice apart.
        self._task = ray.remote(num_cpus=1, max_retries=0)(scan_slice)
        self.told = f"a Ray cluster of {sum(node['Alive'] for node in ray.nodes())} nodes"

    def room(self) -> int:
        """Twice the processors there are at the moment: nodes may come and go."""
        return self._workers or max(1, int(2 * self._ray.cluster_resources().get("CPU", 1)))

    def start(self, work: Slice, *, apart: bool) -> Any:
        """Begin a slice."""
        return self._task.remote(self._job, work.entries, apart=apart)

    def done(self, tickets: Iterable[Any]) -> Iterator[tuple[Any, list[Row] | None]]:
        """An error in our code is raised here; a lost worker or node is not."""
        tickets = list(tickets)
        for ticket in self._ray.wait(tickets, num_returns=len(tickets), timeout=0)[0] or self._first(tickets):
            try:
                yield ticket, self._ray.get(ticket)
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except self._ray.exceptions.RayError:
                yield ticket, None

    def _first(self, tickets: list[Any]) -> list[Any]:
        ready: list[Any] = self._ray.wait(tickets, num_returns=1, timeout=_TICK)[0]
        return ready

    def close(self) -> None:
        """Leave the cluster, which ends our tasks."""
        self._ray.shutdown()


def _answers(address: str) -> None:
    """See that something listens at HOST:PORT; Ray itself would knock for minutes without a word.

    :raises OSError: nothing does
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=_TIMEOUT).close()


ENGINES: dict[str, Callable[[Job, int | None], Engine]] = {"local": Local, "ray": OnRay}
