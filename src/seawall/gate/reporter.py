"""Hands the outbox to the exchange. An event leaves it only when the exchange has taken it."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import structlog

from seawall.gate.feed import FeedProblem
from seawall.gate.follower import wait_after

if TYPE_CHECKING:
    from seawall.gate.bank import BankCopy
    from seawall.gate.feed import Feed
    from seawall.gate.follower import Health

BATCH = 1000  # events the exchange takes at once
_FIRST_WAIT = 0.2
log = structlog.get_logger()


class Reporter:
    """The sender of one outbox."""

    def __init__(self, feed: Feed, copy: BankCopy, health: Health) -> None:
        self._feed, self._copy, self._health = feed, copy, health
        self._failures = 0
        self.news = threading.Event()  # set by whoever put an event into the outbox

    def run(self, stop: threading.Event) -> None:
        """Send until ``stop``; wake it by setting ``news`` after."""
        while not stop.is_set():
            self.news.clear()  # before looking, so that an event put in after the look wakes us
            wait = self.step()
            if wait is None:
                self.news.wait()
            else:
                stop.wait(wait)

    def step(self) -> float | None:
        """Send one batch; answers how long to wait before the next, or None when the outbox is empty.

        A crash between the exchange's answer and the deletion sends the batch twice; the exchange counts an event once.
        """
        try:
            events = self._copy.unsent_events(BATCH)
            if not events:
                return None
            self._feed.report(events)
            self._copy.drop_events(events)
        except (FeedProblem, sqlite3.OperationalError) as problem:
            if str(problem) != self._health.report_problem:
                log.warning("reports wait", problem=str(problem))
            self._health.report_problem = str(problem)
            self._failures += 1
            return wait_after(self._failures, _FIRST_WAIT)
        self._failures, self._health.report_problem = 0, None
        return 0
