"""What changes cases. Everything takes the clock as ``now``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyrage
from django.conf import settings
from django.db import IntegrityError, transaction

from seawall.cases import envelope as envelopes
from seawall.cases import keys, queries
from seawall.cases.envelope import BadEnvelope as BadEnvelope  # noqa: PLC0414 - part of what is raised here
from seawall.cases.models import Case, case_id
from seawall.cases.queries import UnknownCase as UnknownCase  # noqa: PLC0414 - as above
from seawall.lib import signatures
from seawall.lib.erasures import Erasures

if TYPE_CHECKING:
    from datetime import datetime

# A new case's manifest holds next to nothing: one step of padding, and a word or two.
FIRST_MANIFEST_BYTES = 64 << 10
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")


class Taken(Exception):
    """There is a case of that number."""


class BadKey(ValueError):
    """A public key that nobody could have. Holds a sentence for whoever writes a client."""


class Conflict(Exception):
    """Somebody, in another tab, wrote a manifest in between. ``seq`` is the number of the one in force."""

    def __init__(self, seq: int) -> None:
        super().__init__("The case was changed in another tab. Load it, and make your change again.")
        self.seq = seq


def open_case(*, case: bytes, sign_key: bytes, recipient: str, envelope: bytes, now: datetime) -> Case:
    """Open a case with its first manifest.

    :raises Taken: there is one of that number
    :raises BadKey: a key is none
    :raises BadEnvelope: the envelope is not the first of this case, signed by that key
    """
    if not signatures.is_public_key(sign_key):
        raise BadKey("sign_key is no Ed25519 key.")
    _check_recipient(recipient)
    first = envelopes.parse(envelope, limit=FIRST_MANIFEST_BYTES)
    if (first.case, first.seq, first.before) != (case, 1, bytes(32)) or not first.signed_by(sign_key):
        raise BadEnvelope("The envelope is not the first of this case, signed by its key.")
    opened = Case(
        id=case_id(case), case=case, sign_key=sign_key, recipient=recipient, digest=first.digest, used=queries.day(now)
    )
    with keys.making(case) as key:
        opened.manifest = keys.wrap(key, envelope, queries.about(opened, "manifest"))
        try:
            with transaction.atomic():
                opened.save(force_insert=True)
        except IntegrityError as error:
            raise Taken("There is a case of that number. Draw a new one.") from error
    return opened


def replace_manifest(*, case: Case, envelope: bytes, now: datetime) -> int:
    """Put a new manifest in the place of the one it was made from, whole or not at all; its number.

    It is one statement, so it may stand in a transaction with what the manifest speaks of.

    :raises Conflict: it was made from one that is no longer in force
    :raises BadEnvelope: it is not of this case, or not signed by it
    :raises UnknownCase: the case was erased meanwhile
    """
    new = envelopes.parse(envelope)
    if new.case != bytes(case.case) or not new.signed_by(bytes(case.sign_key)):
        raise BadEnvelope("The envelope is not of this case, or not signed by its key.")
    wrapped = keys.wrap(queries.wrap_key(case), envelope, queries.about(case, "manifest"))
    before = Case.objects.filter(id=case.id, seq=new.seq - 1, digest=new.before)
    if not before.update(seq=new.seq, digest=new.digest, manifest=wrapped, used=queries.day(now)):
        current = Case.objects.filter(id=case.id).values_list("seq", flat=True).first()
        if current is None:
            raise UnknownCase("There is no such case.")
        raise Conflict(current)
    return new.seq


def use(*, case: Case, now: datetime) -> None:
    """Note the day, so that the case is kept for as long again. Written once a day."""
    if case.used < queries.day(now):
        case.used = queries.day(now)
        Case.objects.filter(id=case.id).update(used=case.used)


def erase(*, case: Case, now: datetime) -> None:  # noqa: ARG001 - every operation takes the clock
    """End a case: list it as erased, destroy its key, then the rows.

    Dying in between leaves nothing readable; `sweep` does the rest.
    """
    Erasures(settings.DATA / "erased.sqlite3").add("case", bytes(case.case))
    keys.destroy(bytes(case.case))
    Case.objects.filter(id=case.id).delete()


def sweep(*, now: datetime) -> int:
    """Finish what was cut off, and end what nobody has used for long enough; how many cases went."""
    gone = 0
    with keys.held() as sql:
        known = {key for (key,) in sql.execute("SELECT id FROM keys")}
        for case in Case.objects.only("case").iterator():
            if bytes(case.case) not in known:
                case.delete()
                gone += 1
        stray = known - {bytes(case) for case in Case.objects.values_list("case", flat=True).iterator()}
        sql.executemany("DELETE FROM keys WHERE id = ?", [(each,) for each in stray])
    for case in queries.ended(now=now):
        erase(case=case, now=now)
        gone += 1
    return gone


def _check_recipient(recipient: str) -> None:
    try:
        if _RECIPIENT.fullmatch(recipient):
            pyrage.x25519.Recipient.from_str(recipient)
            return
    except pyrage.RecipientError:
        pass
    raise BadKey("recipient is no age recipient: age1 and 58 more characters.")
