"""What can be asked about a locker. Nothing here can open anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.files.storage import storages
from django.db.models import Sum

from seawall.cases import keys
from seawall.cases import queries as cases
from seawall.evidence import uploads
from seawall.evidence.models import Blob, LogRow, Stamp
from seawall.evidence.rows import START, Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from seawall.cases.models import Case
    from seawall.evidence.bucket import Bucket
    from seawall.evidence.storage import Folder

# Of the log, at most so many rows an answer.
ROWS = 1000


class UnknownFile(Exception):
    """The case has no such file, or no longer."""

    def __init__(self) -> None:
        super().__init__("This file is not here any more.")


@dataclass(frozen=True, slots=True)
class Locker:
    """What stands beside a manifest: the end of the log, how many stamps, and the files, all of the same moment."""

    seq: int
    envelope: bytes
    log: Head
    stamps: int
    files: tuple[tuple[bytes, int], ...]  # id, bytes


def storage() -> Folder | Bucket:
    """Where sealed files lie."""
    chosen: Folder | Bucket = storages["evidence"]  # type: ignore[assignment]
    return chosen


def locker(case: Case) -> Locker:
    """The manifest in force and what stands beside it.

    :raises UnknownCase: it is being erased
    """
    while True:
        current = cases.find(bytes(case.case))
        if current is None:
            raise cases.UnknownCase("There is no such case.")
        found = Locker(
            current.seq, cases.envelope(current), log_head(current), _came(current).count(), tuple(_files(current))
        )
        # No transaction: on SQLite one would wait for every writer. Anew, if somebody wrote in between.
        again = cases.find(bytes(case.case))
        if again is not None and again.seq == found.seq:
            return found


def log_head(case: Case) -> Head:
    """How the log ends."""
    last = LogRow.objects.filter(case=case).order_by("-seq").first()
    if last is None:
        return Head(0, START)
    return Head(last.seq, hashlib.sha256(_unwrapped(cases.wrap_key(case), case, last)).digest())


def log(case: Case, *, after: int) -> list[bytes]:
    """The sealed rows that follow number ``after``, `ROWS` at most."""
    key = cases.wrap_key(case)
    rows = LogRow.objects.filter(case=case, seq__gt=after).order_by("seq")[:ROWS]
    return [_unwrapped(key, case, row) for row in rows]


def stamps(case: Case) -> Iterator[tuple[bytes, str, bytes]]:
    """Root, authority and its answer of each stamp that came.

    :raises UnknownCase: it is being erased
    """
    key = cases.wrap_key(case)
    for each in _came(case).order_by("root", "authority").iterator():
        root = bytes(each.root)
        yield root, each.authority, keys.unwrap(key, bytes(each.token or b""), about_stamp(case, root))


def about_row(case: Case, seq: int) -> bytes:
    """What a wrapped row is bound to."""
    return cases.about(case, "custody") + seq.to_bytes(8, "big")


def about_stamp(case: Case, root: bytes) -> bytes:
    """What a wrapped stamp is bound to."""
    return cases.about(case, "stamp") + root


def used(case: Case) -> tuple[int, int]:
    """How many files the case has, finished or not, and how many bytes these are."""
    files = Blob.objects.filter(case=case)
    return files.count(), files.aggregate(sum=Sum("size"))["sum"] or 0


def unfinished(case: Case, blob: bytes) -> Blob:
    """A file that no manifest speaks of yet.

    :raises UnknownFile: there is none
    """
    return _find(case, blob, Blob.State.PART, Blob.State.WHOLE)


def kept(case: Case, blob: bytes) -> Blob:
    """A file that the manifest speaks of.

    :raises UnknownFile: there is none
    """
    return _find(case, blob, Blob.State.KEPT)


def received(case: Case, blob: bytes) -> int:
    """How much of a file has come.

    :raises UnknownFile: this case has none of that id
    """
    found = _find(case, blob, *Blob.State)
    return uploads.received(blob) if found.state == Blob.State.PART else found.size


def _find(case: Case, blob: bytes, *states: Blob.State) -> Blob:
    found = Blob.objects.filter(case=case, blob=blob, state__in=states).first()
    if found is None:
        raise UnknownFile
    return found


def _files(case: Case) -> Iterator[tuple[bytes, int]]:
    rows = Blob.objects.filter(case=case, state=Blob.State.KEPT).order_by("id").values_list("blob", "size")
    return ((bytes(blob), size) for blob, size in rows.iterator())


def _came(case: Case) -> QuerySet[Stamp]:
    return Stamp.objects.filter(case=case, token__isnull=False)


def _unwrapped(key: bytes, case: Case, row: LogRow) -> bytes:
    return keys.unwrap(key, bytes(row.wrapped), about_row(case, row.seq))
