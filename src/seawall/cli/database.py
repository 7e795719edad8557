"""The site's database copied while it is in use, and put back: SQLite by its own backup, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"sqlite": "seawall.sqlite3", "postgresql": "seawall.pgdump"}
# As the variables that libpq reads: on a command line others would see the password.
_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class CannotCopy(Exception):
    """The database cannot be copied or put back. Holds a sentence for the operator."""


def vendor() -> str:
    """Of the database that the settings name: a key of `NAMES`."""
    from django.db import connection  # noqa: PLC0415 - after django.setup()

    return connection.vendor


def copy(path: Path) -> None:
    """Write the database as it is at this moment into one new file.

    :raises CannotCopy: pg_dump is not there, or refuses; or there is no room
    """
    if vendor() == "postgresql":
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")
        return
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    name = settings.DATABASES["default"]["NAME"]
    with closing(sqlite3.connect(name, timeout=20)) as source, closing(sqlite3.connect(path)) as target:
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # so that it is one file
        except sqlite3.Error as error:
            raise CannotCopy(f"SQLite says: {error}. The backups that are there are whole.") from error


def is_empty() -> bool:
    """Whether the database that the settings name holds no table yet."""
    from django.db import connection  # noqa: PLC0415 - after django.setup()

    return not connection.introspection.table_names()


def put_back(path: Path) -> None:
    """Fill the empty database of the settings from such a file, whole or not at all.

    :raises CannotCopy: pg_restore is not there, or refuses
    """
    from django.conf import settings  # noqa: PLC0415 - after django.setup()
    from django.db import connection  # noqa: PLC0415

    if vendor() == "postgresql":
        name = connection.get_connection_params()["dbname"]
        once = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        _run("pg_restore", *once, f"--dbname={name}", str(path))
        return
    connection.close()
    with closing(sqlite3.connect(path)) as source:
        target = settings.DATABASES["default"]["NAME"]
        with closing(sqlite3.connect(target)) as sql:
            source.backup(sql)


def _run(program: str, *words: str) -> None:
    from django.db import connection  # noqa: PLC0415 - after django.setup()

    found = shutil.which(program)
    if found is None:
        raise CannotCopy(
            f"{program} is not on this machine. Install the Debian package postgresql-client,"
            " of the server's version or newer."
        )
    given = connection.get_connection_params()
    where = {variable: str(given[name]) for name, variable in _LIBPQ.items() if given.get(name)}
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own
        [found, *words], env=os.environ | where, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise CannotCopy(f"{program} says: {' '.join(said[:2])}")
