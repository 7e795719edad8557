"""What changes lockers. Everything takes the clock as ``now``."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.db import connection, transaction

from seawall.cases import keys
from seawall.cases import operations as cases
from seawall.cases import queries as case_queries
from seawall.evidence import queries, reserve, rows, uploads
from seawall.evidence.models import Blob, LogRow, Stamp
from seawall.evidence.storage import Finished
from seawall.lib.erasures import Erasures
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from seawall.cases.models import Case

PART_BYTES = 4 << 20
# What a manifest of 2 MiB can speak of.
FILES = 5000
# A tab that still sends does so every few seconds.
UNFINISHED_FOR = timedelta(minutes=5)
_AT_ONCE = 500
# Ten for each file. It is as much as 100 MB.
LOG_ROWS = 50_000
# Adding files one by one for an hour; of two authorities, five changes a day for a hundred days.
ROOTS_AN_HOUR = 60
STAMPS = 1000
_roots = Rates()
_line = threading.Lock()

T = TypeVar("T")


class TooMuch(Exception):
    """The locker is full. Says what to do."""


class Missing(Exception):
    """A manifest speaks of a file that is not there, or not whole. Says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one write of a manifest does, all of it or nothing.

    Ids of files to keep and to erase, sealed rows to append to the log, and the root to have stamped, if any.
    """

    envelope: bytes
    attach: Sequence[bytes] = ()
    erase: Sequence[bytes] = ()
    log: Sequence[bytes] = ()
    root: bytes | None = None


@dataclass(frozen=True, slots=True)
class _NewRows:
    """Rows of a log that are ready to be stored, and the end of the log that they follow."""

    follow: rows.Head
    rows: list[LogRow]


@contextmanager
def _in_line() -> Iterator[None]:
    """One after the other, on SQLite, which lets others look again after 1, 2, 5 ... 100 ms only."""
    with _line if connection.vendor == "sqlite" else nullcontext():
        yield


def start_upload(*, case: Case, size: int, now: datetime) -> bytes:
    """Make room for a sealed file of ``size`` bytes; its id.

    :raises TooMuch: the locker would be fuller than this site allows
    :raises OSError: the disk is full
    """
    reserve.keep()
    blob = secrets.token_bytes(16)
    with transaction.atomic():
        case_queries.hold(case)
        files, stored = queries.used(case)
        if files >= FILES or stored + size > settings.CASE_QUOTA:
            raise TooMuch(
                f"Your locker holds {settings.CASE_QUOTA >> 20:,} MB and {FILES:,} files. This one does not fit. "
                "Erase something you do not need, then add it again."
            )
        number = int.from_bytes(blob[:8], "big") >> 1
        Blob.objects.create(id=number, case=case, blob=blob, size=size, touched=_seconds(now))
    return blob


def finish_upload(*, blob: Blob, sha256: bytes, now: datetime) -> None:
    """Check that all of a file came, and put it where it stays. Finishing twice is fine.

    :raises uploads.WrongOffset: not all of it came
    :raises uploads.WrongSum: it is not the file that was meant
    :raises UnknownFile: it took too long, or was cancelled
    """
    if blob.state == Blob.State.WHOLE:
        return
    id_, parts = bytes(blob.blob), Blob.objects.filter(id=blob.id, state=Blob.State.PART)
    try:
        with uploads.finished(id_, size=blob.size, sha256=sha256) as file:
            queries.storage().save(blob.name, Finished(uploads.path_of(id_), file))
            done = parts.update(state=Blob.State.WHOLE, touched=_seconds(now))
    except uploads.WrongOffset:
        if parts.exists():
            raise
        done = 0  # the same request, sent twice, was quicker; or it was cancelled
        uploads.discard(id_)
    if not done and not Blob.objects.filter(id=blob.id).exists():
        queries.storage().delete(blob.name)
        raise queries.UnknownFile


def cancel_upload(*, blob: Blob) -> None:
    """Drop a file that no manifest speaks of."""
    dropped, _ = Blob.objects.filter(id=blob.id).exclude(state=Blob.State.KEPT).delete()
    if dropped:
        _remove([blob])


def write(*, case: Case, change: Change, now: datetime) -> int:
    """Replace the manifest, with everything that goes with it, in one transaction; its new number.

    What is erased is gone from the manifest first (its key with it), then from the table, then from the storage.

    :raises Conflict: another tab was quicker
    :raises BadEnvelope: the envelope is not of this case, or not signed by it
    :raises UnknownCase: the case was erased meanwhile
    :raises BadRow: the rows do not follow the log
    :raises TooMuch: the log is as long as it may be
    :raises Missing: a file is not there to be kept or erased
    """
    new = cases.read_manifest(case=case, envelope=change.envelope)
    log = _read_log(case, change.log)
    with _in_line(), transaction.atomic():
        seq = cases.replace_manifest(case=case, new=new, now=now)
        _attach(case, change.attach)
        if log is not None:
            _append(case, log)
        if change.root is not None:
            _queue(case, change.root, now)
        erased = _erase(case, change.erase)
    _remove(erased)
    return seq


def erase_case(*, case: Case, now: datetime) -> None:
    """End a case: its key, its rows, then its files. What a crash leaves of these, `sweep` removes."""
    files = list(Blob.objects.filter(case=case))
    cases.erase(case=case, now=now)
    _remove(files)


def replay(*, files: Iterable[bytes]) -> int:
    """After a restore: erase again what was erased since that backup was made; how many files."""
    gone = 0
    for ids in _batches(files):
        found = list(Blob.objects.filter(blob__in=ids))
        Blob.objects.filter(id__in=[each.id for each in found]).delete()
        _remove(found)
        gone += len(found)
    return gone


def sweep(*, now: datetime) -> int:
    """Remove what nobody will finish, and files that no row speaks of; how many. About once a minute."""
    old = now - UNFINISHED_FOR
    gone = 0
    for blob in Blob.objects.filter(touched__lt=_seconds(old)):
        if blob.state == Blob.State.PART and uploads.changed(bytes(blob.blob)) >= old.timestamp():
            continue
        gone += _drop(blob, old)
    gone += _sweep_uploads()
    return gone + _sweep_storage(old)


def _attach(case: Case, blobs: Sequence[bytes]) -> None:
    whole = Blob.objects.filter(case=case, blob__in=blobs, state=Blob.State.WHOLE)
    if whole.update(state=Blob.State.KEPT, touched=None) != len(blobs):
        raise Missing("A file is not here any more. Add it again.")


def _read_log(case: Case, log: Sequence[bytes]) -> _NewRows | None:
    """Rows, looked at and wrapped before the database is held."""
    if not log:
        return None
    start, _ = rows.read(log, case=bytes(case.case), key=bytes(case.sign_key))
    key, new = case_queries.wrap_key(case), []
    for seq, raw in enumerate(log, start.count + 1):
        new.append(LogRow(case=case, seq=seq, wrapped=keys.wrap(key, raw, queries.about_row(case, seq))))
    return _NewRows(start, new)


def _append(case: Case, log: _NewRows) -> None:
    head = queries.log_head(case)
    if log.follow != head:
        raise rows.BadRow(f"Row {head.count + 1} does not follow the row before it.")
    if head.count + len(log.rows) > LOG_ROWS:
        raise TooMuch("The log of this case is as long as it may be. Save a copy of your locker and open a new case.")
    LogRow.objects.bulk_create(log.rows)


def _queue(case: Case, root: bytes, now: datetime) -> None:
    """Have the root stamped. It speaks for every line before it, so one that still waits need not be asked for.

    An authority is not asked without end on behalf of one case: after `ROOTS_AN_HOUR` the newest waits for an hour.
    """
    stamps = Stamp.objects.filter(case=case)
    stamps.filter(token__isnull=True).delete()
    if not settings.TSA_URLS or stamps.count() >= STAMPS:
        return
    wait = timedelta(hours=1) if _roots.count(bytes(case.case), now=now) > ROOTS_AN_HOUR else timedelta()
    new = [Stamp(case=case, root=root, authority=url, due=_seconds(now + wait)) for url in settings.TSA_URLS]
    Stamp.objects.bulk_create(new, ignore_conflicts=True)


def _erase(case: Case, blobs: Sequence[bytes]) -> list[Blob]:
    if not blobs:
        return []
    found = list(Blob.objects.filter(case=case, blob__in=blobs))
    if len(found) != len(blobs):
        raise Missing("A file that you erase is not here any more. Load your locker again.")
    Blob.objects.filter(id__in=[each.id for each in found]).delete()
    # Last, because it stays whatever becomes of this transaction.
    Erasures(settings.DATA / "erased.sqlite3").add("file", *blobs)
    return found


def _remove(blobs: Iterable[Blob]) -> None:
    """Remove the bytes of files whose rows are gone."""
    for blob in blobs:
        uploads.discard(bytes(blob.blob))
        queries.storage().delete(blob.name)


def _drop(blob: Blob, old: datetime) -> int:
    """Unless it was finished or kept in this moment."""
    dropped, _ = Blob.objects.filter(id=blob.id, state=blob.state, touched__lt=_seconds(old)).delete()
    if dropped:
        _remove([blob])
    return dropped


def _sweep_uploads() -> int:
    """Of files that are not being sent: a row is there before its file is. A part that came after the last goes too."""
    gone = 0
    for ids in _batches(uploads.all_ids()):
        for blob in _strays(ids, Blob.State.PART):
            uploads.discard(blob)
            gone += 1
    return gone


def _sweep_storage(old: datetime) -> int:
    gone = 0
    names = (name for name, changed in queries.storage().files() if changed < old)
    for some in _batches(names):
        ids = {id_: name for name in some if (id_ := _id_in(name))}
        for blob in _strays(ids):
            queries.storage().delete(ids[blob])
            gone += 1
    return gone


def _strays(ids: Iterable[bytes], *states: Blob.State) -> set[bytes]:
    """Those of which no row in such a state speaks."""
    wanted = set(ids)
    known = Blob.objects.filter(blob__in=wanted, state__in=states or Blob.State)
    return wanted - {bytes(blob) for blob in known.values_list("blob", flat=True)}


def _id_in(name: str) -> bytes | None:
    try:
        blob = bytes.fromhex(name.rpartition("/")[2])
    except ValueError:
        return None
    return blob if len(blob) == 16 else None  # noqa: PLR2004 - bytes of an id


def _batches(many: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(many)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def _seconds(now: datetime) -> int:
    return int(now.timestamp())
