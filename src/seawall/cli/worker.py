"""`seawall worker`: the exchange's hourly work. One runs at a time; killing it at any point loses nothing."""

from __future__ import annotations

import fcntl
import signal
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

# An hour is closed within this many seconds of its end.
_LOOK_EVERY = 20.0
_LOCK_NUMBER = 7_329_255  # any number, so long as it stays: PostgreSQL's advisory locks are named by one


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `worker`."""
    parser = subparsers.add_parser("worker", help="the exchange's hourly work; `serve` starts one itself")
    parser.add_argument("--once", action="store_true", help="do what is due and end")
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Work until told to stop."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    log = structlog.get_logger("seawall.worker")
    while True:
        with the_only_one() as alone:
            if alone:
                work(datetime.now(UTC))
            elif args.once:
                log.warning("another worker is at it")
                return 1
            while alone and not args.once and not stop.wait(_LOOK_EVERY):
                work(datetime.now(UTC))
        if args.once or stop.wait(_LOOK_EVERY):
            return 0


def work(now: datetime) -> None:
    """Everything that is due."""
    from django.db import OperationalError, connection  # noqa: PLC0415 - after django.setup()

    from seawall.exchange import operations  # noqa: PLC0415

    log = structlog.get_logger("seawall.worker")
    try:
        operations.note_deliveries(now=now)
        erased = operations.erase_expired(now=now)
        operations.forget_events(now=now)
        closed = operations.close_hours(now=now)
    except OperationalError as error:
        # The database is busy or away. What is due stays due: look again in a while.
        log.warning("the database did not answer; trying again", error=type(error).__name__)
        connection.close()
        return
    if closed or erased:
        log.info("hours closed", hours=closed, erased=erased)


@contextmanager
def the_only_one() -> Iterator[bool]:
    """Whether this is the only worker on the database; holds it against others meanwhile."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()
    from django.db import connection  # noqa: PLC0415

    if connection.vendor == "sqlite":
        with (settings.DATA / "worker.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        return
    with connection.cursor() as sql:
        sql.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_NUMBER])
        (alone,) = sql.fetchone()
    try:
        yield alone
    finally:
        connection.close()
