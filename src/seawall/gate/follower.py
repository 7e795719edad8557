"""Follows the feed: page -> copy -> index -> acknowledgement, in that order, in a thread of its own."""

from __future__ import annotations

import random
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from seawall.gate.feed import FeedProblem, StartAnew

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from seawall.gate.bank import BankCopy
    from seawall.gate.feed import Feed
    from seawall.matching import HashIndex

STALE_SECONDS = 600  # without an answer of the exchange for so long, new entries may be missing
# A waiting gate costs the exchange one refused connection, so 100 of them 50 a second; and the first pictures
# that come in after an outage are blocked within two seconds of its end.
LONGEST_WAIT = 2.0
_ACKNOWLEDGE_SECONDS = 3600  # again when nothing changed: the exchange counts the gates it heard from within a day
_KEEP_CONTACT_SECONDS = 60  # how often a poll without news is written down

log = structlog.get_logger()


@dataclass(slots=True)
class Health:
    """What the follower's thread tells the others. Each field is replaced whole."""

    complete: bool  # the bank was read to its end at least once
    contact: float  # time.monotonic() of the last answer; of a time before this process started, if restarted
    problem: str | None = None  # what keeps the feed from being followed, in words for the operator
    report_problem: str | None = None  # the same for reports
    clock: Callable[[], float] = time.monotonic

    @property
    def silence(self) -> float:
        """Seconds since the exchange answered."""
        return self.clock() - self.contact

    @property
    def status(self) -> str:
        """One of the three words of the HMA protocol."""
        if not self.complete:
            return "INDEX-NOT-LOADED"
        return "INDEX-STALE" if self.silence > STALE_SECONDS else "I-AM-ALIVE"


class Follower:
    """One place in one feed. Only one follower may use a copy and its index."""

    def __init__(
        self, feed: Feed, copy: BankCopy, index: HashIndex, health: Health, *, poll: float, windows: bool = True
    ) -> None:
        self._feed, self._copy, self._index, self._health = feed, copy, index, health
        self._poll, self._windows = poll, windows
        self._failures = 0
        self._acknowledged: str | None = None
        self._acknowledged_at = self._contact_kept_at = -float("inf")

    def run(self, stop: threading.Event) -> None:
        """Follow until ``stop``."""
        while not stop.wait(self.step()):
            pass

    def step(self) -> float:
        """Ask for one page and take it in; answers how many seconds to wait before the next.

        Nothing the exchange or the disk does wrong is raised: it is told in `Health` and tried again.
        """
        try:
            more = self._take_page()
        except (FeedProblem, sqlite3.OperationalError) as problem:
            return self._after(problem)
        if self._health.problem is not None:
            log.info("feed followed again")
        self._failures, self._health.problem = 0, None
        # Spread out, so that a hundred gates started together do not ask together.
        return 0 if more else self._poll * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret

    def _take_page(self) -> bool:
        """Whether there is more to be had at once."""
        state = self._copy.state()
        try:
            page = self._feed.page(state.cursor)
        except StartAnew:
            self._copy.start_anew()
            raise
        now = self._health.clock()
        if page.changes or page.cursor != state.cursor or state.listing:
            self._copy.apply(page, now=time.time()).apply(self._index, windows=self._windows)
            self._contact_kept_at = now
        elif now - self._contact_kept_at > _KEEP_CONTACT_SECONDS:
            self._copy.heard(now=time.time())
            self._contact_kept_at = now
        self._health.contact = now
        self._health.complete = self._health.complete or not page.more
        # Not in the midst of a full list: what was withdrawn meanwhile may be here until its end.
        if not (state.listing and page.more):
            self._acknowledge(state.gate, page.cursor, now)
        # More, but no step further: an hour was just closed in the exchange. Asking at once would be too soon.
        return page.more and page.cursor != state.cursor

    def _acknowledge(self, gate: str, cursor: str, now: float) -> None:
        """Tell the exchange, unless it knows."""
        if self._acknowledged == cursor and now - self._acknowledged_at < _ACKNOWLEDGE_SECONDS:
            return
        self._feed.acknowledge(gate, cursor)
        self._acknowledged, self._acknowledged_at = cursor, now

    def _after(self, problem: Exception) -> float:
        said = str(problem) if isinstance(problem, FeedProblem) else f"The gate cannot write its copy: {problem}."
        if said != self._health.problem:
            log.warning("feed not followed", problem=said)
        self._health.problem = said
        self._failures += 1
        return wait_after(self._failures, self._poll)


def wait_after(failures: int, first: float) -> float:
    """Seconds to wait after so many failures in a row: doubling, with jitter, never above `LONGEST_WAIT`."""
    doubled: float = first * 2 ** min(failures - 1, 10)
    return min(LONGEST_WAIT, doubled) * random.uniform(0.5, 1)  # noqa: S311 - not a secret
