"""What changes cases. Everything takes the clock as ``now``."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction

from seawall.cases import envelope as envelopes
from seawall.cases import keys, queries
from seawall.cases.endpoint import is_full
from seawall.cases.envelope import BadEnvelope as BadEnvelope  # noqa: PLC0414 - part of what is raised here
from seawall.cases.models import Case, Share, case_id
from seawall.cases.queries import UnknownCase as UnknownCase  # noqa: PLC0414 - as above
from seawall.cases.recipient import BadKey as BadKey  # noqa: PLC0414 - as above
from seawall.cases.recipient import check_recipient
from seawall.lib import signatures
from seawall.lib.erasures import Erasures

if TYPE_CHECKING:
    from datetime import datetime

# A new case's manifest holds next to nothing: one step of padding, and a word or two.
FIRST_MANIFEST_BYTES = 64 << 10
# Each is for one conversation with the team; nobody has had twenty at once.
MOST_SHARES = 20


class Taken(Exception):
    """There is a case of that number."""


class TooManyShares(Exception):
    """A case has as many shares as it may."""


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
    check_recipient(recipient)
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


@dataclass(frozen=True, slots=True)
class NewManifest:
    """A manifest that its case signed, wrapped and ready to take the place of the one it was made from."""

    envelope: envelopes.Envelope
    digest: bytes
    wrapped: bytes


def read_manifest(*, case: Case, envelope: bytes) -> NewManifest:
    """Everything about a new manifest that can be looked at before the database is held.

    :raises BadEnvelope: it is not of this case, or not signed by it
    :raises UnknownCase: the case was erased meanwhile
    """
    new = envelopes.parse(envelope)
    if new.case != bytes(case.case) or not new.signed_by(bytes(case.sign_key)):
        raise BadEnvelope("The envelope is not of this case, or not signed by its key.")
    return NewManifest(new, new.digest, keys.wrap(queries.wrap_key(case), envelope, queries.about(case, "manifest")))


def replace_manifest(*, case: Case, new: NewManifest, now: datetime) -> int:
    """Put a new manifest in the place of the one it was made from, whole or not at all; its number.

    It is one statement, so it may stand in a transaction with what the manifest speaks of.

    :raises Conflict: it was made from one that is no longer in force
    :raises UnknownCase: the case was erased meanwhile
    """
    seq = new.envelope.seq
    before = Case.objects.filter(id=case.id, seq=seq - 1, digest=new.envelope.before)
    if not before.update(seq=seq, digest=new.digest, manifest=new.wrapped, used=queries.day(now)):
        current = Case.objects.filter(id=case.id).values_list("seq", flat=True).first()
        if current is None:
            raise UnknownCase("There is no such case.")
        raise Conflict(current)
    return seq


def use(*, case: Case, now: datetime) -> None:
    """Note the day, so that the case is kept for as long again. Written once a day.

    On a full disk it is noted another time: reading must go on.
    """
    if case.used < queries.day(now):
        try:
            Case.objects.filter(id=case.id).update(used=queries.day(now))
        except OperationalError as error:
            if not is_full(error):
                raise


def share(*, case: Case, epoch: int, sealed: bytes, files: tuple[str, ...]) -> Share:
    """Keep what was re-sealed for the team, and which files it opens. That they are this case's is asked when read.

    :raises TooManyShares: revoke one first
    :raises UnknownCase: the case was erased meanwhile
    """
    made = Share(id=secrets.randbits(63), case=case, epoch=epoch)
    plain = json.dumps({"files": files}).encode() + b"\n" + sealed
    made.wrapped = keys.wrap(queries.wrap_key(case), plain, queries.about(case, made.kind))
    with transaction.atomic():
        if not Case.objects.select_for_update().filter(id=case.id).exists():
            raise UnknownCase("There is no such case.")
        if Share.objects.filter(case=case).count() >= MOST_SHARES:
            raise TooManyShares("That is shared often enough. Take one back first.")
        made.save(force_insert=True)
    return made


def revoke(*, case: Case, share: int) -> None:
    """Take back what was shared; taking it back twice is fine. What somebody has read meanwhile they have read."""
    if Share.objects.filter(case=case, id=share).exists():
        _erased().add("share", share.to_bytes(8, "big"))
        Share.objects.filter(case=case, id=share).delete()


def erase(*, case: Case, now: datetime) -> None:  # noqa: ARG001 - every operation takes the clock
    """End a case: list it as erased, destroy its key, then the rows.

    Dying in between leaves nothing readable; `sweep` does the rest.
    """
    _erased().add("case", bytes(case.case))
    keys.destroy(bytes(case.case))
    Case.objects.filter(id=case.id).delete()


def replay(*, now: datetime) -> int:
    """After a restore: end again what was ended since that backup, and take back what was taken back; how many cases.

    A case whose key is not in the store that was put back goes too: nobody could open it.
    """
    listed = _erased().all("case")
    for case in listed.intersection(keys.every()):
        keys.destroy(case)
    for share in _erased().all("share"):
        Share.objects.filter(id=int.from_bytes(share, "big")).delete()
    return sweep(now=now)


def _erased() -> Erasures:
    """The list of what was erased, outside the database and its backups."""
    return Erasures(settings.DATA / "erased.sqlite3")


def sweep(*, now: datetime) -> int:
    """Finish what was cut off, and end what nobody has used for long enough; how many cases went.

    Looked for without holding anybody up. What is found is looked at again while the store of keys is held, where
    nobody is in the middle of opening a case.
    """
    known = set(keys.every())
    rows = {bytes(case) for case in Case.objects.values_list("case", flat=True).iterator()}
    gone = 0
    if known != rows:
        with keys.held() as sql:
            for case in rows - known:
                if keys.read(sql, case) is None:
                    gone += bool(Case.objects.filter(id=case_id(case), case=case).delete()[0])
            stray = [(case,) for case in known - rows if queries.find(case) is None]
            sql.executemany("DELETE FROM keys WHERE id = ?", stray)
    for ended in queries.ended(now=now):
        erase(case=ended, now=now)
        gone += 1
    return gone
