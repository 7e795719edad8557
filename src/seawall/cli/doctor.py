"""`seawall doctor`: whether this machine, its settings and the facts are as they should be."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = timedelta(minutes=5)  # with a job that takes long
_A_WEEK = 7
_PAGES = 5000  # the worker notes as many in a minute; a whole bank of millions, fetched at once, is fewer


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination. ``ill`` makes the command answer 1."""

    what: str
    told: str
    ill: bool = False


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `doctor`."""
    parser = subparsers.add_parser("doctor", help="whether machine, settings and facts are as they should be")
    parser.add_argument("--facts", action="store_true", help="list the facts that somebody should look up")
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 if anything needs somebody."""
    found = list(_facts(datetime.now(UTC)) if args.facts else _machine())
    for finding in found:
        print(f"{'!!' if finding.ill else 'ok'}  {finding.what}: {finding.told}")
    return 1 if any(finding.ill for finding in found) else 0


def _machine() -> Iterator[Finding]:
    yield _kernel()
    yield (database := _database())
    if not database.ill:
        now = datetime.now(UTC)
        yield from _worker()
        yield from _feed()
        yield from _people(now)
        yield from _copies(now)
    yield _room()
    yield from _settings()


def _kernel() -> Finding:
    try:
        from seawall.hashing import native  # noqa: PLC0415 - to import it is to load the library
    except ImportError as error:
        return Finding("kernel", str(error), ill=True)
    path = next(name for name, lanes in native.LANES.items() if lanes == native.DEFAULT_LANES)
    return Finding("kernel", f"loads, and takes the {path} path")


def _database() -> Finding:
    from django.db import DatabaseError, connection  # noqa: PLC0415 - after django.setup()
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding("database", f"{connection.vendor} does not answer ({type(error).__name__}).", ill=True)
    if waiting:
        return Finding("database", f"{len(waiting)} migrations wait. `seawall serve` applies them.", ill=True)
    return Finding("database", f"{connection.vendor}, up to date")


def _worker() -> Iterator[Finding]:
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from seawall.cli.worker import RAN, jobs, the_only_one  # noqa: PLC0415

    with the_only_one() as nobody_else:
        if nobody_else():
            yield Finding("worker", "none runs. `seawall serve` starts one; or run `seawall worker`.", ill=True)
            return
    yield Finding("worker", "runs")
    try:
        ran = json.loads((settings.DATA / RAN).read_text())
    except FileNotFoundError:  # it has just begun, or runs on another machine
        return
    for job in jobs():
        last = datetime.fromisoformat(ran[job.name]) if job.name in ran else None
        if last is None or datetime.now(UTC) - last > 3 * timedelta(seconds=job.every) + _PATIENCE:
            told = "not yet" if last is None else f"not since {last:%Y-%m-%d %H:%M} UTC"
            yield Finding(f"worker: {job.name}", f"done {told}. Its log says why.", ill=True)


def _copies(now: datetime) -> Iterator[Finding]:
    """Whether backups are taken, and of the keys a copy."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from seawall.cli.backup import KEYS_MADE, MADE  # noqa: PLC0415

    keys = "`seawall backup --keys FILE` makes one; without it a lost disk ends all cases"
    for what, name, often, said in (
        ("backup", MADE, timedelta(days=2), "`seawall backup DIR` takes one"),  # one a day, and a day for a mishap
        ("copy of the keys", KEYS_MADE, timedelta(hours=1), keys),
    ):
        try:
            last = datetime.fromisoformat((settings.DATA / name).read_text())
        except FileNotFoundError:
            yield Finding(what, f"none was ever made here. {said}.", ill=True)
        else:
            late = now - last > often
            yield Finding(what, f"made {last:%Y-%m-%d %H:%M} UTC{f'. {said}' if late else ''}", ill=late)


def _people(now: datetime) -> Iterator[Finding]:
    """What cases stand on: their keys, the helpline's roster, the time-stamping authorities."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from seawall.cases import queries, roster  # noqa: PLC0415

    if queries.are_there() and not (settings.DATA / "keys.sqlite3").exists():
        told = "keys.sqlite3 is gone, so nobody can open a case. Stop the site and restore it at once."
        yield Finding("key store", told, ill=True)
    if settings.ROSTER:
        signed = roster.current(now=now)
        if signed is None:
            yield Finding("roster", f"{settings.ROSTER} is not valid, so nobody can share. Sign a new one.", ill=True)
        else:
            left = (signed.roster.expires - now.date()).days
            again = " Sign a new one with `seawall roster sign`." if left < _A_WEEK else ""
            yield Finding("roster", f"valid for {left} days.{again}", ill=left < _A_WEEK)
    for url in settings.TSA_URLS:
        yield _authority(url)


def _authority(url: str) -> Finding:
    import httpx  # noqa: PLC0415 - only where one is asked

    host = httpx.URL(url).host
    try:
        httpx.get(url, timeout=10)  # any answer will do: it is there
    except httpx.HTTPError as error:
        told = f"does not answer ({type(error).__name__}). What waits for its stamp is asked for again."
        return Finding(f"time-stamps: {host}", told, ill=True)
    return Finding(f"time-stamps: {host}", "answers")


def _feed() -> Iterator[Finding]:
    from seawall.exchange import queries  # noqa: PLC0415 - after django.setup()

    if (pages := queries.handed_pages()) > _PAGES:
        yield Finding("feed", f"{pages} pages that partners fetched wait to be noted. Does the worker run?", ill=True)


def _room() -> Finding:
    """Before people are told that there is none, somebody should know."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    disk = os.statvfs(settings.DATA)
    free, spare = disk.f_bavail * disk.f_frsize >> 20, settings.SPARE_ROOM >> 20
    if free < 2 * spare:
        told = f"{free:,} MiB are left. With less than {spare:,} MiB people can add no files. Make room."
        return Finding("room", told, ill=True)
    return Finding("room", f"{free:,} MiB are left")


def _settings() -> Iterator[Finding]:
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    if any(map(_is_open_to_others, (settings.DATA, *settings.DATA.iterdir()))):
        told = f"{settings.DATA} or a file in it is open to others on this machine. Run `chmod -R go= {settings.DATA}`."
        yield Finding("data folder", told, ill=True)
    else:
        yield Finding("data folder", f"{settings.DATA}, closed to others")
    local = {"localhost", "127.0.0.1", "[::1]"}
    if "*" in settings.ALLOWED_HOSTS:
        yield Finding("hosts", "SEAWALL_HOSTS lets every name in. Give the site's own names.", ill=True)
    elif settings.BEHIND_PROXY and set(settings.ALLOWED_HOSTS) <= local:
        yield Finding("hosts", "behind a proxy, but SEAWALL_HOSTS names only this machine.", ill=True)
    else:
        yield Finding("hosts", ", ".join(settings.ALLOWED_HOSTS))
    proxy = "a TLS proxy stands in front" if settings.BEHIND_PROXY else "none; this machine answers itself"
    yield Finding("proxy", proxy)


def _is_open_to_others(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except FileNotFoundError:  # a database's journal comes and goes
        return False


def _facts(now: datetime) -> Iterator[Finding]:
    from seawall.directory import queries  # noqa: PLC0415 - after django.setup()

    if (database := _database()).ill:
        yield database
        return
    for fact_id, fact in queries.attention(now=now):
        shown = "" if fact.confirmed or fact.emergency else ", not shown"
        age = f"last checked {fact.checked}{', over 90 days ago' if fact.old else ''}"
        yield Finding(fact_id, f"{fact.status}{shown}; {age}; {fact.source}", ill=True)
