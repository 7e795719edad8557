"""A real `seawall serve` with a database of its own, for what threads and processes do to one another."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from django.db import connection

from seawall.cli.demo.parts import _free_port, _until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def own_database(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a site whose data lies in that folder, on whichever database the tests run."""
    environment = {**os.environ, "SEAWALL_DATA": str(folder), "SEAWALL_CASES_AN_HOUR": "1000000"}
    url = environment.pop("SEAWALL_DATABASE_URL", "")
    if connection.vendor == "sqlite":
        yield environment
        return
    # Workers of pytest-xdist share the server.
    name = f"site_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield {**environment, "SEAWALL_DATABASE_URL": url.replace("/postgres?", f"/{name}?", 1)}
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """The origin of a site that runs until the block ends."""
    port = _free_port(0)
    process = subprocess.Popen(
        [sys.executable, "-m", "seawall.cli", "serve", "--port", str(port)],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        _until_ready(f"http://127.0.0.1:{port}/health/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
