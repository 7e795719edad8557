"""A scan from beginning to end, as often as it is interrupted: the folder it keeps, and what it refuses to mix."""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.matching import index_identity
from seawall.scan import listing, results
from seawall.scan.engines import ENGINES, run
from seawall.scan.look import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seawall.scan.listing import Slice

# What a scan's folder holds. SCAN is written last: where it is, the listing is whole.
SCAN, LISTING, SHARDS, LOCK = "scan.json", "listing.jsonl", "shards", ".lock"
FORMAT = "seawall scan 1"


class OtherScan(Exception):
    """The folder holds something else. The message is a sentence with the next step."""


@dataclass
class Progress:
    """How far a scan is. Verdicts count the files of earlier runs too."""

    listed: int = 0
    files: int | None = None  # None: the listing is not whole yet
    earlier: int = 0  # files whose answers were there when this run began
    verdicts: Counter[str] = field(default_factory=Counter)
    where: str = ""

    @property
    def done(self) -> int:
        """Files answered."""
        return self.verdicts.total()


def scan(
    *,
    source: str,
    index: str,
    out: Path,
    engine: str = "local",
    workers: int | None = None,
    as_listed: bool = False,
    told: Callable[[Progress], None],
) -> Progress:
    """Look every file up and write the answers; go on where an earlier run was stopped.

    ``as_listed``: go on with the files the scan began with, without looking what is there now.

    :raises OtherScan: ``out`` holds something else, a scan of other files, or one with another index
    :raises seawall.scan.listing.CannotList: there is nothing to scan there, or we may not see it
    :raises seawall.scan.engines.NoEngine: no workers can be had, or they die again and again
    :raises seawall.scan.look.WrongIndex: a node has another index file at that path
    :raises seawall.matching.DamagedIndex: it is no index, or was altered
    :raises OSError: the index cannot be opened, or the folder not be written
    """
    job = Job(_absolute(source), str(Path(index).absolute()), index_identity(index))
    progress = Progress()
    _refuse_inside(out, listing.place(job.source))
    with _only_here(out):
        _begin(out, job, progress, told, as_listed=as_listed)
        assert progress.files is not None  # noqa: S101 - _begin has counted
        waiting = _waiting(out, progress)
        if first := next(waiting, None):
            crew = ENGINES[engine](job, workers)
            progress.where = crew.told
            try:
                for work, rows in run(crew, _and_then(first, waiting), lambda: told(progress)):
                    progress.verdicts += results.write(rows, _shard(out, work))
                    told(progress)
            finally:
                crew.close()
            _sync(out / SHARDS)
    return progress


def _absolute(source: str) -> str:
    return source if "://" in source else os.path.abspath(source)  # noqa: PTH100 - keeps odd bytes


def _refuse_inside(out: Path, at: listing.Place) -> None:
    """A folder within the one that is scanned would be scanned too, and differ each time."""
    if getattr(at.files, "local_file", False) and out.resolve().is_relative_to(Path(at.root or "/").resolve()):
        raise OtherScan(f"{out} lies within the folder that is scanned. Choose one outside of it.")


@contextmanager
def _only_here(out: Path) -> Iterator[None]:
    """Hold the folder against a second run. Who can read it, reads names of files: it is its owner's alone."""
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    if strangers := {path.name for path in out.iterdir()} - {SCAN, LISTING, f".{LISTING}", f".{SCAN}", SHARDS, LOCK}:
        raise OtherScan(f"{out} holds other things ({min(strangers)!r}). Choose an empty folder.")
    (out / SHARDS).mkdir(exist_ok=True)
    with (out / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OtherScan(f"Another scan is writing to {out}. Wait for it, or choose another folder.") from None
        for half in (out / SHARDS).glob(".*.half"):
            half.unlink()
        yield


def _begin(out: Path, job: Job, progress: Progress, told: Callable[[Progress], None], *, as_listed: bool) -> None:
    """Make the listing, or see that it is still the one the scan began with."""
    before: dict[str, Any] | None = json.loads((out / SCAN).read_bytes()) if (out / SCAN).exists() else None
    if before:
        _refuse_others(out, job, before)
    elif as_listed:
        raise OtherScan(f"No scan was begun in {out}. Leave --as-listed out.")
    if before is None or not as_listed:
        new = out / f".{LISTING}"
        for progress.listed in listing.write(listing.list_files(listing.place(job.source)), new):
            told(progress)
        now = {**_about(job), "listing": listing.digest(new), "files": progress.listed}
        if before and before["listing"] != now["listing"]:
            new.unlink()
            raise OtherScan(
                f"The files there are not those this scan began with: {before['files']:,} then, {now['files']:,} now, "
                "or some have changed. Choose another --out, or give --as-listed to go on with the old list."
            )
        new.replace(out / LISTING)
        (out / f".{SCAN}").write_text(json.dumps(now, indent=1))
        (out / f".{SCAN}").replace(out / SCAN)
        before = now
    progress.files = before["files"]


def _about(job: Job) -> dict[str, Any]:
    return {"format": FORMAT, "source": job.source, "index": job.identity}


def _refuse_others(out: Path, job: Job, before: dict[str, Any]) -> None:
    about = _about(job)
    if before.get("format") != about["format"]:
        raise OtherScan(f"{out} was written by another version of Seawall. Choose another --out.")
    if before["source"] != about["source"]:
        raise OtherScan(f"{out} holds a scan of {before['source']}. Choose another --out.")
    if before["index"] != about["index"]:
        raise OtherScan(f"{out} was begun with another index. Give that one, or choose another --out.")


def _waiting(out: Path, progress: Progress) -> Iterator[Slice]:
    """The slices without answers. Those with are counted."""
    assert progress.files is not None  # noqa: S101 - the listing is whole
    for work in listing.slices(out / LISTING, progress.files):
        if _shard(out, work).exists():
            progress.verdicts += results.counts(_shard(out, work))
            progress.earlier += len(work.entries)
        else:
            yield work


def _and_then(first: Slice, rest: Iterator[Slice]) -> Iterator[Slice]:
    yield first
    yield from rest


def _shard(out: Path, work: Slice) -> Path:
    return out / SHARDS / f"{work.name}.parquet"


def _sync(folder: Path) -> None:
    """Make the new names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
