"""`seawall doctor`: whether this machine, its settings and the facts are as they should be."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path


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
        yield _worker()
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


def _worker() -> Finding:
    from seawall.cli.worker import the_only_one  # noqa: PLC0415 - after django.setup()

    with the_only_one() as nobody_else:
        if nobody_else:
            return Finding("worker", "none runs. `seawall serve` starts one; or run `seawall worker`.", ill=True)
    return Finding("worker", "runs")


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
