"""Who a person may share with: the helpline's roster, signed offline. docs/spec/sealing.md, section 6.

It names one age recipient, the team's key of an epoch. The site hands it out only while it is valid; the page checks
it once more, so that whoever takes over the site cannot put a key of their own in its place unseen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from seawall.cases.recipient import check_recipient
from seawall.lib import signatures

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# Long enough for holidays, short enough that a roster with a member who left does not last.
VALID = timedelta(days=30)
_BYTES = 4096
_FORM = re.compile(
    r"seawall roster 1\nversion ([1-9][0-9]{0,8})\nexpires ([0-9]{4}-[0-9]{2}-[0-9]{2})\n"
    r"epoch ([1-9][0-9]{0,8})\nrecipient (age1[0-9a-z]{58})\n"
)


class BadRoster(ValueError):
    """Not a roster to share by. Holds a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What the organisation says, for its day of expiry not to be reached."""

    version: int
    expires: date
    epoch: int
    recipient: str

    @property
    def text(self) -> str:
        """What is signed."""
        return (
            f"seawall roster 1\nversion {self.version}\nexpires {self.expires}\n"
            f"epoch {self.epoch}\nrecipient {self.recipient}\n"
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """A roster and the root's signature of its text."""

    roster: Roster
    signature: bytes

    @property
    def file(self) -> str:
        """As it lies at SEAWALL_ROSTER."""
        return f"{self.roster.text}signature {self.signature.hex()}\n"


def sign(roster: Roster, root: Ed25519PrivateKey) -> Signed:
    """Sign it.

    :raises BadKey: the recipient is none
    """
    check_recipient(roster.recipient)
    return Signed(roster, root.sign(roster.text.encode()))


def parse(file: str) -> Signed:
    """Take a roster file apart; nothing is checked but its form.

    :raises BadRoster: it is none
    """
    text, _, signature = file.rpartition("signature ")
    form = _FORM.fullmatch(text)
    if not form or not re.fullmatch(r"[0-9a-f]{128}\n?", signature):
        raise BadRoster("This is no roster file of version 1. Sign one with `seawall roster sign`.")
    version, expires, epoch, recipient = form.groups()
    try:
        roster = Roster(int(version), date.fromisoformat(expires), int(epoch), recipient)
    except ValueError:
        raise BadRoster("The roster's day of expiry is no day.") from None
    return Signed(roster, bytes.fromhex(signature.strip()))


def check(signed: Signed, *, root: bytes, today: date) -> None:
    """Whether to share by it today.

    :raises BadRoster: another root signed it, or it has expired, or lasts longer than a roster may
    """
    if not signatures.verify(key=root, signature=signed.signature, message=signed.roster.text.encode()):
        raise BadRoster("The roster is not signed by SEAWALL_ROSTER_ROOT.")
    if signed.roster.expires <= today:
        raise BadRoster("The roster has expired. Sign a new one with `seawall roster sign`.")
    if signed.roster.expires > today + VALID:
        raise BadRoster("The roster lasts longer than 30 days. Sign one that does not.")


def current(*, now: datetime) -> Signed | None:
    """The roster to share by; None if there is none that is valid. Why not stands in the server's log."""
    if not settings.ROSTER:
        return None
    try:
        with Path(settings.ROSTER).open(encoding="utf-8") as file:
            signed = parse(file.read(_BYTES))
        check(signed, root=settings.ROSTER_ROOT, today=now.astimezone(UTC).date())
    except (BadRoster, OSError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, BadRoster) else f"cannot be read ({type(error).__name__})"
        structlog.get_logger("seawall.cases").warning("nobody can share: the roster is not served", reason=reason)
        return None
    return signed
