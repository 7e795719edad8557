"""What can be asked about cases. Nothing here can open anything."""

from __future__ import annotations

import json
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from seawall.cases import keys
from seawall.cases.models import Case, Share, case_id

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCH = date(1970, 1, 1)


class UnknownCase(Exception):
    """There is no such case, or no longer. Which of the two is not told."""


def day(now: datetime) -> int:
    """The day of ``now``, in UTC, counted from 1970."""
    return (now.astimezone(UTC).date() - _EPOCH).days


def are_there() -> bool:
    """Whether anybody has a case here."""
    return Case.objects.exists()


def find(case: bytes) -> Case | None:
    """The case of those 16 bytes, whether or not it can still be read. Its manifest is read only when asked for."""
    return Case.objects.filter(id=case_id(case), case=case).defer("manifest").first()


def sign_key(case: bytes) -> bytes | None:
    """The public key of whoever may sign in to that case."""
    found = Case.objects.filter(id=case_id(case), case=case).values_list("sign_key", flat=True).first()
    return None if found is None else bytes(found)


def wrap_key(case: Case) -> bytes:
    """The key that wraps what is kept of the case, for `keys.wrap`.

    :raises UnknownCase: it was destroyed: the case is being erased
    """
    key = keys.get(bytes(case.case))
    if key is None:
        raise UnknownCase("There is no such case.")
    return key


def envelope(case: Case) -> bytes:
    """The manifest's envelope as it was sent.

    :raises UnknownCase: it is being erased
    """
    return keys.unwrap(wrap_key(case), bytes(case.manifest), about(case, "manifest"))


def about(case: Case, kind: str) -> bytes:
    """What wrapped bytes are bound to, so that rows cannot be exchanged for one another."""
    return f"seawall {kind} 1\n".encode() + bytes(case.case)


def ends(case: Case) -> date:
    """The day on which this case ends if nobody uses it until then."""
    return _months_after(_EPOCH + timedelta(days=case.used), settings.CASE_MONTHS)


def ended(*, now: datetime) -> Iterator[Case]:
    """The cases that nobody has used for as long as the operator keeps them."""
    today = now.astimezone(UTC).date()
    # A month has at least 28 days, so older ones only are looked at.
    old = Case.objects.filter(used__lte=day(now) - 28 * settings.CASE_MONTHS).defer("manifest")
    return (case for case in old.iterator() if ends(case) <= today)


def shares(case: Case) -> list[Share]:
    """What is shared with the team just now."""
    return list(case.shares.defer("wrapped").order_by("id"))


@dataclass(frozen=True, slots=True)
class Shared:
    """What a share holds: the files it opens, and the bytes that only the team's key of that epoch unseals."""

    epoch: int
    files: tuple[str, ...]
    sealed: bytes


def shared(share: Share) -> Shared:
    """Unwrap a share.

    :raises UnknownCase: its case is being erased
    """
    plain = keys.unwrap(wrap_key(share.case), bytes(share.wrapped), about(share.case, share.kind))
    files, _, sealed = plain.partition(b"\n")
    return Shared(share.epoch, tuple(json.loads(files)["files"]), sealed)


def _months_after(start: date, months: int) -> date:
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def hold(case: Case) -> None:
    """Keep the case from being erased or written until the transaction ends.

    :raises UnknownCase: it was erased meanwhile
    """
    if not Case.objects.select_for_update().filter(id=case.id).values_list("id").first():
        raise UnknownCase("There is no such case.")
