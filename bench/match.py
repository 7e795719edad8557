"""The exact index against `threatexchange`'s PDQIndex (faiss), which platforms match with today.

Both are given the same fingerprints in the same process, and their look-ups in turns. Queries are half strangers, half
copies of a row with 0 to 31 bits changed; every copy must be found by us (recall 1.0). The peer answers its fastest
way, all queries in one call. Look-ups a second are per second of one core's time, which other programs on the machine
disturb less; all else is by the clock on the wall. SEAWALL_BENCH_SMALL=1 makes everything fifty times smaller: quick,
and no measure of anything.
"""

from __future__ import annotations

import ctypes
import gc
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import faiss
import numpy as np
import psutil
from threatexchange.signal_type.pdq.pdq_index import PDQIndex

from bench import _crops
from seawall.hashing import MATCH_DISTANCE
from seawall.hashing.native import LANES
from seawall.matching import HashIndex, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from bench.hash import Row

    Hashes = NDArray[np.uint8]

T = TypeVar("T")

SMALLER = 50 if os.environ.get("SEAWALL_BENCH_SMALL") else 1
MILLION = 1_000_000 // SMALLER
PEER = "threatexchange"
OURS_AT_ONCE, PEERS_AT_ONCE = 4_000, 40  # queries in one call, the same ones for both
ROUNDS = 3  # of what is timed by the longest or nearly longest; the best counts, disturbances are not ours
CHANGES = 5_000  # single additions timed; enough that the rows added last become a segment once


def run() -> Iterator[Row]:
    """Every row of the table, the largest bank first, so that its memory is not served from what others freed."""
    yield from _ten_million()
    random = np.random.default_rng(1)
    rows = random.integers(0, 256, (MILLION, 32), np.uint8)
    yield from _million("uniform", rows, _queries(rows, random), 100)
    photos = _crops.photos()
    rows = _crops.fingerprints(photos, MILLION, 1)
    crops = _crops.fingerprints(photos, OURS_AT_ONCE, 2)
    yield from _million(f"crops of {len(photos)} photos", rows, crops, 90)


def _ten_million() -> Iterator[Row]:
    random = np.random.default_rng(0)
    count = 10 * MILLION
    rows, ids = random.integers(0, 256, (count, 32), np.uint8), np.arange(count, dtype=np.uint64) * 3
    queries = _queries(rows, random)
    before = _memory()
    (index, build), used = _processor_time(_timed, HashIndex.build, rows, ids)
    memory = _memory() - before
    yield from _alone(index, queries)
    yield from _from_a_file(index, queries)
    yield from _changes(index, random, count)
    index.settle()
    before = _memory()
    entries = ((row.tobytes().hex(), number) for number, row in enumerate(rows))
    (peer, peers_build), peers_used = _processor_time(_timed, PDQIndex, entries)
    peers_memory = _memory() - before
    yield _row("build, 10 M, by the clock", build, peers_build, "s", ("<=", 1 / 10))
    yield _row("build, 10 M, processor time of all threads", used, peers_used, "s", ("<=", 1 / 10))
    yield _row("memory, 10 M", memory / 2**20, peers_memory / 2**20, "MiB", ("<=", 1 / 3))
    yield _look_ups("10 M uniform", index, peer, queries, 120)


def _million(name: str, rows: Hashes, queries: Hashes, target: float) -> Iterator[Row]:
    index = HashIndex.build(rows, np.arange(len(rows), dtype=np.uint64))
    peer = PDQIndex((row.tobytes().hex(), number) for number, row in enumerate(rows))
    yield _look_ups(f"1 M {name}", index, peer, queries, target)


def _queries(rows: Hashes, random: np.random.Generator) -> Hashes:
    """Copies of rows with 0 to 31 bits changed, each followed by a stranger."""
    queries = random.integers(0, 256, (OURS_AT_ONCE, 32), np.uint8)
    bits = np.unpackbits(rows[random.integers(0, len(rows), OURS_AT_ONCE // 2)], axis=1)
    for number, copy in enumerate(bits):
        copy[random.choice(256, number % (MATCH_DISTANCE + 1), replace=False)] ^= 1
    queries[::2] = np.packbits(bits, axis=1)
    return queries


def _look_ups(name: str, index: HashIndex, peer: PDQIndex[int], queries: Hashes, target: float) -> Row:
    """Look-ups a second, after both gave the same answers to the peer's share of the queries."""
    faiss.omp_set_num_threads(1)
    few = [query.tobytes().hex() for query in queries[:PEERS_AT_ONCE]]

    def ask_peer() -> Any:
        return peer.index.search_with_distance_in_result(few, MATCH_DISTANCE)

    ours = index.search(queries[:PEERS_AT_ONCE])
    for number, query in enumerate(few):
        if len(ask_peer()[query]) > np.count_nonzero(ours.query == number):
            raise AssertionError("the peer found what we did not")
    seconds, peers_seconds = interleaved(lambda: index.search(queries), ask_peer, 9)
    figures = (OURS_AT_ONCE / seconds, PEERS_AT_ONCE / peers_seconds)
    return _row(f"look-ups a second, one core, {name}", *figures, "/s", (">=", target))


def _alone(index: HashIndex, queries: Hashes) -> Iterator[Row]:
    """What has no peer: the slow end, greater radii, narrower instructions, two threads."""
    index.search(queries)
    singly = [[_timed(index.search, query[None])[1] for query in queries] for _ in range(ROUNDS)]
    slow = float(np.percentile(singly, 99, axis=1).min())
    yield _row("one look-up, 99th percentile, 10 M", 1e3 * slow, None, "ms", ("<=", 1))
    found = index.search(queries)
    if not np.isin(np.arange(0, OURS_AT_ONCE, 2), found.query).all():
        raise AssertionError("a planted copy was not found")
    for radius in (40, 48, 56):
        some = queries[: OURS_AT_ONCE // 8]
        seconds, _ = interleaved(partial(index.search, some, radius), int, 5)
        speed = len(some) / seconds
        yield _row(f"look-ups a second, one core, 10 M uniform, radius {radius}", speed, None, "/s", None)
    yield from _widths(index, queries)
    yield _threads(index, queries)


def _widths(index: HashIndex, queries: Hashes) -> Iterator[Row]:
    (segment,) = index._parts  # noqa: SLF001 - no user chooses the width call by call
    words = native.scatter(queries)
    targets = {"avx2": 1 / 3, "portable": 1 / 8}
    for name, target in targets.items():
        if LANES[name] >= native.WIDEST:
            continue
        narrow, widest = interleaved(
            partial(segment.find, words, MATCH_DISTANCE, lanes=LANES[name]),
            partial(segment.find, words, MATCH_DISTANCE, lanes=native.WIDEST),
            9,
        )
        figures = (OURS_AT_ONCE / narrow, OURS_AT_ONCE / widest)
        yield _row(f"look-ups a second, {name}, 10 M", *figures, "/s", (">=", target), peer_name="our widest")


def _threads(index: HashIndex, queries: Hashes) -> Row:
    many = np.tile(queries, (8, 1))
    two, one = (min(_timed(partial(index.search, many, threads=n))[1] for _ in range(ROUNDS)) for n in (2, 1))
    figures = (len(many) / two, len(many) / one)
    return _row("look-ups a second, two threads, 10 M", *figures, "/s", None, peer_name="our one thread")


def _from_a_file(index: HashIndex, queries: Hashes) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as folder:
        path = Path(folder) / "bank.index"
        _, seconds = _timed(index.save, path)
        yield _row("save, 10 M", seconds, None, "s", None)

        def first_answer() -> HashIndex:
            opened = HashIndex.open(path)
            if opened.search(queries[:1]).id.size == 0:
                raise AssertionError("the first answer is missing")
            return opened

        opened, seconds = _timed(first_answer)
        yield _row("open a file of 10 M, to the first answer", 1e3 * seconds, None, "ms", ("<=", 100))
        opened.search(queries)
        mapped, memory = interleaved(lambda: opened.search(queries), lambda: index.search(queries), 5)
        figures = (OURS_AT_ONCE / mapped, OURS_AT_ONCE / memory)
        yield _row("look-ups a second, from the file, 10 M", *figures, "/s", None, peer_name="from memory")


def _changes(index: HashIndex, random: np.random.Generator, count: int) -> Iterator[Row]:
    """Each addition and removal until a search shows it: the longest of all, in the least disturbed round."""
    new = random.integers(0, 256, (ROUNDS * CHANGES, 32), np.uint8)
    numbers = np.arange(count * 3, count * 3 + len(new), dtype=np.uint64)

    def add(at: slice) -> None:
        index.add(new[at], numbers[at])
        if numbers[at][0] not in index.search(new[at], 0).id:
            raise AssertionError("an addition is not seen")

    def remove(at: slice) -> None:
        index.remove(numbers[at])
        if numbers[at][0] in index.search(new[at], 0).id:
            raise AssertionError("a removal is not seen")

    for name, change in (("add", add), ("remove", remove)):
        took = [_timed(change, slice(at, at + 1))[1] for at in range(len(new))]
        longest = np.reshape(took, (ROUNDS, CHANGES)).max(axis=1)
        what = f"{name} one -> visible, the longest of {CHANGES}, 10 M"
        yield _row(what, 1e3 * float(longest.min()), None, "ms", ("<=", 10))


def _row(
    what: str, ours: float, peer: float | None, unit: str, target: tuple[str, float] | None, *, peer_name: str = PEER
) -> Row:
    """``target``: of the ratio ours / peer if there is a peer, else of ours; None: reported only."""
    ratio = None if peer is None else ours / peer
    figure = ours if ratio is None else ratio
    sign, bound = target or ("", 0)
    named = f"{bound:.3g}" if bound >= 1 else f"1/{1 / bound:.0f}" if bound else "none"
    return {
        "what": what if SMALLER == 1 else f"{what} (all 1/{SMALLER})",
        "ours": ours,
        "peer": peer,
        "peer_name": None if peer is None else peer_name,
        "ratio": ratio,
        "unit": unit,
        "target": f"{sign} {named}{'' if ratio is None or not bound else 'x'}".strip(),
        "met": target is None or (figure >= bound if sign == ">=" else figure <= bound),
    }


def interleaved(ours: Callable[[], object], peer: Callable[[], object], turns: int) -> tuple[float, float]:
    """Median seconds of this thread's processor time a call of each, run in turns."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for seconds, work in zip(took, (ours, peer), strict=True):
            began = time.thread_time()
            work()
            seconds.append(time.thread_time() - began)
    return statistics.median(took[0]), statistics.median(took[1])


def _timed(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    began = time.perf_counter()
    return work(*arguments), time.perf_counter() - began


def _processor_time(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    began = time.process_time()
    return work(*arguments), time.process_time() - began


def _memory() -> int:
    """Bytes of this process that are in memory, after what is free has been given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_info().rss)
