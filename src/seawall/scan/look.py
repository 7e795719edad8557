"""What a worker does: reads a slice's files, fingerprints the pictures and looks each up in all its views."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from seawall.hashing import MAX_FILE_BYTES, USABLE_QUALITY, UnreadableImage, fingerprint
from seawall.matching import HashIndex, index_identity, look_up
from seawall.scan.listing import Entry, Place, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess

# Files are asked for together, because a storage far away takes 20 to 100 ms to begin with each. Memory: this, or one
# larger file.
READ_FILES, READ_BYTES = 32, 64 << 20

# Numbers named of one picture, the closest. A bank may hold one fingerprint as often as somebody cares to submit it.
MOST_MATCHES = 100

MATCH, FREE, TOO_PLAIN, UNREADABLE = VERDICTS = ("match", "free", "too plain", "unreadable")


class WrongIndex(Exception):
    """The index file here is not the one the scan began with. The message is a sentence with the next step."""


class Job(NamedTuple):
    """What every worker needs to know. Paths are the same on every node."""

    source: str
    bank: str  # the index file
    identity: str  # of that file


class Row(NamedTuple):
    """The answer to one file; docs/operating/scan.md says what each column holds."""

    path: str
    size: int | None
    sha256: str | None
    pdq: str | None
    quality: int | None
    verdict: str
    ids: tuple[int, ...]
    distances: tuple[int, ...]
    views: tuple[str, ...]
    error: str | None


def scan_slice(job: Job, entries: Sequence[Entry], *, apart: bool = False) -> list[Row]:
    """The answers to these files, in their order. ``apart``: each in a process of its own, which may die of it.

    :raises WrongIndex: the index file is missing here, or another one
    :raises seawall.matching.DamagedIndex: it was altered
    """
    if apart:
        return list(_apart(job, entries))
    at = place(job.source)
    index = _index(job.bank, job.identity)
    return [_look(index, entry, content) for some in _batches(entries) for entry, content in _read(at, some)]


@lru_cache(1)
def _index(path: str, identity: str) -> HashIndex:
    """The index, mapped once a process; the system keeps one copy of it for all processes of a node."""
    try:
        if index_identity(path) == identity:
            return HashIndex.open(path)
    except FileNotFoundError:
        pass
    raise WrongIndex(f"{os.uname().nodename} does not have the same index file at {path}. Copy it there, then go on.")


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    total = 0
    for entry in entries:
        size = READ_BYTES if entry.size is None else entry.size  # unknown: read it by itself
        if batch and (len(batch) == READ_FILES or total + size > READ_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += size if size <= MAX_FILE_BYTES else 0
    if batch:
        yield batch


def _read(at: Place, entries: list[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
    """Each file's bytes, or why there are none. Never reads more than a byte beyond what was listed."""
    problems = {entry.path: problem for entry in entries if (problem := _problem(entry))}
    wanted = [entry for entry in entries if entry.path not in problems and entry.size != 0]
    ends = [(MAX_FILE_BYTES if entry.size is None else entry.size) + 1 for entry in wanted]
    paths = [f"{at.root}/{entry.path}" for entry in wanted]
    found = at.files.cat_ranges(paths, [0] * len(paths), ends, on_error="return") if paths else []
    contents = dict(zip((entry.path for entry in wanted), found, strict=True))
    for entry in entries:
        yield entry, problems.get(entry.path) or _content(entry, contents.pop(entry.path, b""))


def _problem(entry: Entry) -> str:
    if entry.size is not None and entry.size > MAX_FILE_BYTES:
        return f"This file is larger than {MAX_FILE_BYTES >> 20} MB."
    return entry.problem


def _content(entry: Entry, content: bytes | Exception) -> bytes | str:
    if isinstance(content, Exception):
        return f"We could not read this file: {getattr(content, 'strerror', None) or type(content).__name__}."
    if entry.size is not None and len(content) != entry.size:
        return "This file changed while the scan ran."
    return content


def _look(index: HashIndex, entry: Entry, content: bytes | str) -> Row:
    if isinstance(content, str):
        return _unreadable(entry, content)
    try:
        made = fingerprint(content)
    except UnreadableImage as error:
        return _unreadable(entry, str(error))
    except Exception as error:  # noqa: BLE001 - one file never ends the scan of a million; the reason is written down
        return _unreadable(entry, f"Reading this file failed: {type(error).__name__}.")
    plain = made.pdq.quality < USABLE_QUALITY
    found = () if plain else look_up(index, made.pdq.dihedral())[:MOST_MATCHES]
    verdict = TOO_PLAIN if plain else MATCH if found else FREE
    ids, distances, views = zip(*found, strict=True) if found else ((), (), ())
    return Row(
        entry.path, len(content), made.sha256, made.pdq.hex, made.pdq.quality, verdict, ids, distances, views, None
    )


def _unreadable(entry: Entry, reason: str) -> Row:
    return Row(entry.path, entry.size, None, None, None, UNREADABLE, (), (), (), reason)


def _apart(job: Job, entries: Sequence[Entry]) -> Iterator[Row]:
    """Slow, for a slice on which workers died: the file that kills its reader is found and named."""
    pool = None
    for entry in entries:
        pool = pool or processes(1)
        try:
            yield from pool.submit(scan_slice, job, (entry,)).result()
        except BrokenProcessPool:
            yield _unreadable(entry, "Reading this file ended the program that read it. It may be made to do harm.")
            pool = None
    if pool:
        pool.shutdown()


def processes(count: int) -> ProcessPoolExecutor:
    """Processes that start clean, leave Ctrl-C to whoever started them, and end when that one ends."""
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_follow_parent)


def _follow_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent:
        # A parent that is killed closes nothing its children wait for: they would wait for ever.
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
