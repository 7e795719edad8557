"""How the index grows: ``python -m bench._growth 100000 1000000 10000000`` prints a line of JSON for each size.

docs/operating/scale.md shows what it printed. Fingerprints are uniform; queries are half strangers, half copies of a
row with 0 to 31 bits changed, and every copy must be found. Look-ups are per second of one core's time, the best of
`ROUNDS`. A bank is filled 10 million rows at a time, so that the largest needs little more memory than it keeps.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from bench.match import _memory, _queries
from seawall.matching import HashIndex

QUERIES, ROUNDS, AT_ONCE = 4_000, 7, 10_000_000


def grow(count: int) -> dict[str, float]:
    """Figures of a bank of so many rows."""
    random = np.random.default_rng(count)
    before, used = _memory(), time.process_time()
    index, made = HashIndex(), 0.0
    for begin in range(0, count, AT_ONCE):
        began = time.process_time()
        rows = random.integers(0, 256, (min(AT_ONCE, count - begin), 32), np.uint8)
        made += time.process_time() - began
        index.add(rows, np.arange(begin, begin + len(rows), dtype=np.uint64))
    index.settle()
    build = time.process_time() - used - made
    queries = _queries(rows, random)
    del rows
    memory = _memory() - before
    found = index.search(queries)
    if not np.isin(np.arange(0, QUERIES, 2), found.query).all():
        raise AssertionError("a planted copy was not found")
    together = min(_seconds(index, queries) for _ in range(ROUNDS))
    singly = np.sort([[_seconds(index, query[None]) for query in queries[:2000]] for _ in range(3)], axis=1)[:, 1979]
    views = min(sum(_seconds(index, queries[at : at + 8]) for at in range(0, QUERIES, 8)) for _ in range(3))
    return {
        "rows": count,
        "look-ups a second": round(QUERIES / together),
        "microseconds a picture of eight views": round(1e6 * views / (QUERIES / 8), 1),
        "99th percentile of one look-up, microseconds": round(1e6 * float(singly.min()), 1),
        "bytes a row": round(memory / count, 1),
        "build, seconds of processor time": round(build, 2),
        "segments": len(index._parts),  # noqa: SLF001 - what the growth is made of
    }


def _seconds(index: HashIndex, queries: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> float:
    began = time.thread_time()
    index.search(queries)
    return time.thread_time() - began


if __name__ == "__main__":
    for size in sys.argv[1:]:
        print(json.dumps(grow(int(size))), flush=True)
