"""`seawall worker`: what is done without anybody asking. One runs at a time; killing it at any point loses nothing.

Each job has a beat and a thread of its own, so one that fails or waits holds up no other.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import signal
import threading
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

# How often it is looked whether this is still the only worker.
_LOOK_EVERY = 20.0
_LAST_WORDS = 10.0  # seconds for what is just being done
_LOCK_NUMBER = 7_329_255  # any number, so long as it stays: PostgreSQL's advisory locks are named by one
RAN = "worker.ran"  # in the data folder: when each job was last done, for `seawall doctor`


class KeysGone(Exception):
    """The key store is not there, and cases are."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so many seconds."""

    name: str
    every: float
    do: Callable[[datetime], None]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `worker`."""
    parser = subparsers.add_parser("worker", help="what is done without anybody asking; `serve` starts one itself")
    parser.add_argument("--once", action="store_true", help="do what is due and end")
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Work until told to stop. With ``--once``, 1 if another worker is at it or something could not be done."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    work = Work()
    while True:
        with the_only_one() as still_alone:
            if args.once:
                if not still_alone():
                    structlog.get_logger("seawall.worker").warning("another worker is at it")
                    return 1
                failed = [job for job in jobs() if not work.do(job)]
                return 1 if failed else 0
            if still_alone():
                with work.goes_on():
                    while not stop.wait(_LOOK_EVERY) and still_alone():
                        pass
        if stop.wait(_LOOK_EVERY):
            return 0


def jobs() -> tuple[Job, ...]:
    """Everything there is to do."""
    return (
        Job("hours", 20, close_hours),  # so that an hour is closed within 20 seconds of its end
        Job("time-stamps", 20, fetch_stamps),
        Job("uploads", 60, sweep_uploads),
        Job("cases", 3600, sweep_cases),
    )


def close_hours(now: datetime) -> None:
    """What the exchange has due."""
    from seawall.exchange import operations  # noqa: PLC0415 - after django.setup()

    operations.note_deliveries(now=now)
    erased = operations.erase_expired(now=now)
    operations.forget_events(now=now)
    closed = operations.close_hours(now=now)
    if closed or erased:
        structlog.get_logger("seawall.worker").info("hours closed", hours=closed, erased=erased)


def fetch_stamps(now: datetime) -> None:
    """Ask the authorities for the time-stamps that wait."""
    from seawall.evidence import stamping  # noqa: PLC0415 - after django.setup()

    stamping.stamp_due(now=now)


def sweep_uploads(now: datetime) -> None:
    """Remove files that nobody finished sending, and those that no case speaks of."""
    from seawall.evidence import operations  # noqa: PLC0415 - after django.setup()

    operations.sweep(now=now)


def sweep_cases(now: datetime) -> None:
    """End cases that nobody uses, finish what was cut off, and let the list of erasures forget its order."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from seawall.cases import operations, queries  # noqa: PLC0415
    from seawall.lib.erasures import Erasures  # noqa: PLC0415

    if queries.are_there() and not (settings.DATA / "keys.sqlite3").exists():
        raise KeysGone("Every case would look ended. The operator puts the key store back from its copy.")
    operations.sweep(now=now)
    Erasures(settings.DATA / "erased.sqlite3").tidy(now=now)


class Work:
    """The jobs, and when each was last done."""

    def __init__(self) -> None:
        self._done: dict[str, str] = {}
        self._lock = threading.Lock()
        self._log = structlog.get_logger("seawall.worker")

    def do(self, job: Job) -> bool:
        """Do it once. Whatever goes wrong is logged, without any value in it; what is due stays due."""
        from django.db import connection  # noqa: PLC0415 - after django.setup()

        now = datetime.now(UTC)
        try:
            job.do(now)
        except Exception as error:  # noqa: BLE001 - one job's failure must not be another's
            at = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(at.filename).name}:{at.lineno}"
            self._log.warning("this failed and is tried again", job=job.name, error=type(error).__name__, at=where)
            connection.close()
            return False
        self._note(job.name, now)
        return True

    def _note(self, name: str, now: datetime) -> None:
        from django.conf import settings  # noqa: PLC0415 - after django.setup()

        with self._lock, contextlib.suppress(OSError):  # a full disk
            self._done[name] = now.isoformat(timespec="seconds")
            new = settings.DATA / f"{RAN}.new"
            new.write_text(json.dumps(self._done))
            new.rename(settings.DATA / RAN)

    @contextmanager
    def goes_on(self) -> Iterator[None]:
        """Do every job on its beat, each in its own thread, until the block ends."""
        end = threading.Event()
        threads = [threading.Thread(target=self._beat, args=(job, end), daemon=True) for job in jobs()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join(_LAST_WORDS)

    def _beat(self, job: Job, end: threading.Event) -> None:
        from django.db import connection  # noqa: PLC0415 - after django.setup()

        while True:
            # What failed is tried again soon, whatever its beat.
            pause = job.every if self.do(job) else min(job.every, _LOOK_EVERY)
            connection.close()
            if end.wait(pause):
                return


@contextmanager
def the_only_one() -> Iterator[Callable[[], bool]]:
    """Asked in the block: whether this is the only worker on the database. Holds it against others meanwhile."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()
    from django.db import OperationalError, connection  # noqa: PLC0415

    if connection.vendor == "sqlite":
        with (settings.DATA / "worker.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except BlockingIOError:
                alone = False
            yield lambda: alone
        return

    def holds() -> bool:
        """The lock goes with the connection, if the database was away."""
        try:
            with connection.cursor() as sql:
                sql.execute(
                    "SELECT count(*) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND objid = %s AND granted AND pid = pg_backend_pid()",
                    [_LOCK_NUMBER],
                )
                return bool(sql.fetchone()[0])
        except OperationalError:
            connection.close()
            return False

    with contextlib.suppress(OperationalError), connection.cursor() as sql:
        sql.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_NUMBER])
    try:
        yield holds
    finally:
        connection.close()
