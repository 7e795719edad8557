"""The locker in Chromium: sealed and stored against the same bytes stored as they are, and what it takes of memory."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.case import chromium
from bench.hash import Row, limit
from seawall.cases.tests.server import serving
from seawall.evidence.tests.walk import locker

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

MB = 1_000_000
SET = (20, MB // 2)  # a set of screenshots: how many, and the bytes of each
ROUNDS = 7
LARGE = 200 * MB
# Issue 5: a set sealed and stored, MB/s at least; the tab's memory over base, MB at most.
FEWEST, MOST_MEMORY = 20, 150

# Both have the same bytes to store. A drop is timed until the page shows the files; the peer speaks to the same
# endpoints, with as many requests at once, and seals nothing.
ADD = """async ([count, size]) => {
  const hand = new DataTransfer();
  for (let i = 0; i < count; i++) hand.items.add(new File([noise(size)], `shot ${i}.png`, { type: "image/png" }));
  const before = document.querySelectorAll(".exhibit").length;
  const began = performance.now();
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: hand, bubbles: true, cancelable: true }));
  while (document.querySelectorAll(".exhibit").length < before + count) await new Promise((go) => setTimeout(go, 5));
  return performance.now() - began;
}"""
PUT = """async ([count, size]) => {
  const files = Array.from({ length: count }, () => noise(size));
  const sums = await Promise.all(files.map((file) => crypto.subtle.digest("SHA-256", file)));
  const hex = (sum) => [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const began = performance.now();
  const one = async (at) => {
    const { id } = await benchSession.call("POST", "/case/api/files", { size });
    await benchSession.call("PUT", `/case/api/files/${id}?offset=0`, new Blob([files[at]]));
    await benchSession.call("POST", `/case/api/files/${id}/done`, { sha256: hex(sums[at]) });
    return id;
  };
  const ids = [];
  let next = 0;
  const work = async () => {
    while (next < count) ids.push(await one(next++));
  };
  await Promise.all([work(), work(), work()]);
  const took = performance.now() - began;
  for (const id of ids) await benchSession.call("DELETE", `/case/api/files/${id}`);
  return took;
}"""
PREPARE = """async ([number, words]) => {
  const { derive } = await import("/static/cases/keys.js");
  const { Session } = await import("/static/cases/session.js");
  const { readNumber, readWords } = await import("/static/cases/secrets.js");
  globalThis.benchSession = await Session.login(await derive(readNumber(number), readWords(words)));
  globalThis.noise = (size) => {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return bytes;
  };
}"""


def run() -> list[Row]:
    """Speed beside the peer's, and the memory of the tab for a set and for a large file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        url = stack.enter_context(serving({**os.environ, "SEAWALL_DATA": str(folder / "data")}))
        page = stack.enter_context(chromium()).new_page()
        secret = locker(page, url)
        page.evaluate(PREPARE, [secret.number, secret.typed])
        ours, peer = [], []
        for _ in range(ROUNDS):
            ours.append(page.evaluate(ADD, SET))
            peer.append(page.evaluate(PUT, SET))
        small = _memory(lambda: page.evaluate(ADD, SET))
        large = folder / "film.mp4"
        large.write_bytes(os.urandom(LARGE))
        return [
            _speed(*(SET[0] * SET[1] / MB / (statistics.median(times) / 1e3) for times in (ours, peer))),
            limit("the tab's memory over base, 10 MB of screenshots", small, "MB", MOST_MEMORY),
            limit(
                "the tab's memory over base, a film of 200 MB", _memory(lambda: _choose(page, large)), "MB", MOST_MEMORY
            ),
        ]


def _speed(ours: float, peer: float) -> Row:
    return {
        "what": "10 MB of screenshots, sealed and stored",
        "ours": ours,
        "peer": peer,
        "peer_name": "PUT unsealed",
        "ratio": ours / peer,
        "unit": "MB/s",
        "target": f">= {FEWEST} MB/s",
        "met": ours >= FEWEST,
    }


def _choose(page: Page, path: Path) -> None:
    page.set_input_files("#locker-files", str(path))
    page.locator(".exhibit").filter(has_text=path.name).wait_for(timeout=300_000)


def _memory(work: Callable[[], object]) -> float:
    """MB that the renderers hold on top of what they held before, at the most, while it works."""
    renderers = [each for each in psutil.Process().children(recursive=True) if "--type=renderer" in each.cmdline()]
    base = held = _held(renderers)
    done = threading.Event()

    def watch() -> None:
        nonlocal held
        while not done.wait(0.05):
            held = max(held, _held(renderers))

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return (held - base) / MB


def _held(processes: list[psutil.Process]) -> int:
    return sum(each.memory_full_info().uss for each in processes if each.is_running())
