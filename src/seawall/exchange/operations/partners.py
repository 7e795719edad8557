"""Partners and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall.directory.queries import platforms
from seawall.exchange.hours import to_hours
from seawall.exchange.keys import hash_key, make_key
from seawall.exchange.models import FeedCounter, Partner, PartnerKey, PartnerPlatform
from seawall.exchange.operations.counter import change

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class PartnerExists(Exception):
    """A partner of that name is there already."""


class UnknownPlatform(Exception):
    """The directory has no platform of that slug."""


class UnknownPartner(Exception):
    """There is no partner of that name."""


class UnknownKey(Exception):
    """There is no key in force of that number."""


def add_partner(*, name: str, slugs: Sequence[str], now: datetime) -> dict[str, str]:
    """Let a partner follow the bank. Answers its keys by kind; they are shown this once.

    :raises PartnerExists: the name is taken
    :raises UnknownPlatform: a slug the directory does not have
    """
    known = {each.slug for each in platforms()}
    for slug in slugs:
        if slug not in known:
            raise UnknownPlatform(f"No platform is called {slug!r}. Known are: {', '.join(sorted(known))}.")
    with change(now) as counter:
        if Partner.objects.filter(name=name).exists():
            raise PartnerExists(f"There is a partner called {name!r} already. `seawall partner rotate` makes new keys.")
        partner = Partner.objects.create(name=name, created=counter.hour)
        PartnerPlatform.objects.bulk_create(
            PartnerPlatform(partner=partner, platform=slug) for slug in dict.fromkeys(slugs)
        )
        return {kind.value: _new_key(partner, kind, counter) for kind in PartnerKey.Kind}


def give_frames(*, name: str, on: bool) -> None:
    """Whether the partner is given each frame of a video as a picture under /v1/, from its next fetch from the start.

    :raises UnknownPartner: there is none of that name
    """
    if not Partner.objects.filter(name=name).update(video_frames=on):
        raise _unknown(name)


def rotate_keys(*, name: str, now: datetime) -> dict[str, str]:
    """Give a partner a second set of keys. The old ones stay in force until they are revoked.

    :raises UnknownPartner: there is none of that name
    """
    with change(now) as counter:
        partner = Partner.objects.filter(name=name).first()
        if partner is None:
            raise _unknown(name)
        return {kind.value: _new_key(partner, kind, counter) for kind in PartnerKey.Kind}


def _unknown(name: str) -> UnknownPartner:
    return UnknownPartner(f"There is no partner called {name!r}. `seawall partner list` shows them.")


def _new_key(partner: Partner, kind: PartnerKey.Kind, counter: FeedCounter) -> str:
    key = make_key()
    PartnerKey.objects.create(partner=partner, kind=kind, hash=hash_key(key), created=counter.hour)
    return key


def revoke_key(*, number: int, now: datetime) -> None:
    """End a key, from the next request on.

    :raises UnknownKey: no key in force has that number
    """
    in_force = PartnerKey.objects.filter(pk=number, revoked=None)
    if not in_force.update(revoked=to_hours(now)):
        raise UnknownKey(f"No key in force has the number {number}. `seawall partner list` shows them.")
