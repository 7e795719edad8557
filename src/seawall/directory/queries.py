"""Read the facts, with operators' edits laid over them.

What may be shown: verified facts, and emergency ones whatever their status. Old facts stay and say so (``old``).
``now`` decides what is old; pages leave it out, tests pass it in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from django.utils import timezone
from django.utils.translation import get_language, gettext

from seawall.directory import facts
from seawall.directory import hours as opening
from seawall.directory.facts import Answer, Capture, Contact, Fact, Law, Phone, Route, Service
from seawall.directory.models import Closure, FactEdit, Operator
from seawall.directory.words import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Capture", "Contact", "Helpline", "Law", "Platform", "PlatformEntry", "Route", "Service"]

# Numbers and forms change often enough that a quarter of a year without a look deserves a note.
KEPT_FRESH = timedelta(days=90)

# The columns of an edit that may lie over a fact, and one edit: its fact's id and the columns that say something.
_COLUMNS = ("status", "source", "checked", "what", "url", "value", "hours")
_Columns = tuple[tuple[str, Any], ...]
_Edit = tuple[str, _Columns]
_AFact = TypeVar("_AFact", bound=Fact)


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a picture may be posted. ``slug`` is its name in fingerprints, feeds and addresses, and never changes."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class PlatformEntry:
    """A platform and what may be shown of it. None is "we do not know", which pages must not turn into a no."""

    slug: str
    name: str
    profiles: bool  # do people have accounts there?
    takes_part: bool | None  # matches fingerprints of StopNCII.org
    encrypted: bool | None  # cannot look into private messages itself
    answers: tuple[Answer, ...]  # where these two were read, and when
    routes: tuple[Route, ...]
    capture: tuple[Capture, ...]
    screenshot_is_told: bool | None  # does the other side learn of a screenshot?

    def routes_for(self, situation: str) -> tuple[Route, ...]:
        """The ways to report that situation, best first."""
        return tuple(each for each in self.routes if situation in each.situations)


@dataclass(frozen=True, slots=True)
class Helpline:
    """Who hosts this site. ``hours`` goes into ``hours.state``."""

    name: str
    logo: str
    phones: tuple[Phone, ...]
    email: str
    url: str
    partners: str
    hours: opening.Hours

    def state(self, now: datetime) -> opening.State:
        """Whether it is open at ``now``, and when it opens next."""
        return opening.state(self.hours, now)


def platforms() -> tuple[Platform, ...]:
    """Every platform we have a name for, whether or not it takes part. Asks no database."""
    return tuple(Platform(each.slug, gettext(each.name)) for each in facts.platforms())


def platform(slug: str, *, now: datetime | None = None) -> PlatformEntry:
    """The platform of that slug, with what may be shown of it.

    :raises KeyError: there is none
    """
    return {each.slug: each for each in platform_entries(now=now)}[slug]


def platform_entries(*, now: datetime | None = None) -> tuple[PlatformEntry, ...]:
    """All of them, in the files' order."""
    return _shown_now(now).platforms


def services(
    audience: Literal["under-18", "adult"] = "adult",
    *,
    nation: str | None = None,
    topic: facts.Topic | None = None,
    now: datetime | None = None,
) -> tuple[Service, ...]:
    """Who can help that audience, in the order to show them; a nation or a topic narrows it."""
    return tuple(
        each
        for each in _shown_now(now).services
        if each.audience == audience
        and (nation is None or each.serves(nation))
        and (topic is None or topic in each.topics)
    )


def laws(nation: str | None = None, *, now: datetime | None = None) -> tuple[Law, ...]:
    """What is a crime there and what platforms must do, the ones to name first first. Without a nation: all."""
    return tuple(each for each in _shown_now(now).laws if nation is None or each.holds_in(nation))


def helpline() -> Helpline:
    """The operator's own values, or those shipped. Two small questions to the database."""
    closures = tuple((each.first, each.last) for each in Closure.objects.order_by())
    row = next(iter(Operator.objects.all()), None)
    if row is None:
        file = facts.helpline()
        kept = opening.Hours(file.opens, file.closes, frozenset(file.days), file.nation, closures)
        return Helpline(file.name, file.logo, file.phones, file.email, file.url, file.partners, kept)
    kept = opening.Hours(row.opens, row.closes, row.days, row.nation, closures)
    return Helpline(row.name, row.logo, _phones(row.phones), row.email, row.url, row.partners, kept)


def version() -> tuple[object, ...]:
    """What services, platforms and laws follow from, beside the day: where two are equal, so are the answers."""
    return _edits()


def attention(*, now: datetime | None = None) -> tuple[tuple[str, Fact], ...]:
    """(id, fact) of every fact that is old or not verified, edits counted in: what somebody should look up."""
    edits, today = dict(_edits()), _day(now)
    merged = ((fact_id, _merged(fact, edits.get(fact_id), today)) for fact_id, fact in facts.by_id().items())
    return tuple((fact_id, fact) for fact_id, fact in merged if fact.old or not fact.confirmed)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Everything that may be shown."""

    services: tuple[Service, ...]
    laws: tuple[Law, ...]
    platforms: tuple[PlatformEntry, ...]


def _shown_now(now: datetime | None) -> _Shown:
    return _shown_with(_edits(), _day(now), get_language())


@functools.lru_cache(maxsize=32)
def _shown_with(edits: tuple[_Edit, ...], today: date, language: str | None) -> _Shown:  # noqa: ARG001 - what is kept differs by it
    """Files and edits merged, in the language of the moment.

    Kept, because edits and days change rarely and pages ask hundreds of times a second.
    """
    by_id = dict(edits)
    services = (_service(each, by_id, today) for each in facts.services())
    return _Shown(
        services=tuple(each for each in services if each is not None),
        laws=_shown("laws", facts.laws(), by_id, today),
        platforms=tuple(_platform_entry(each, by_id, today) for each in facts.platforms()),
    )


def _edits() -> tuple[_Edit, ...]:
    """Operators' edits: (fact id, the columns that say something). Operators edit dozens, so all are read."""
    return tuple(
        (row.fact, tuple((name, value) for name in _COLUMNS if (value := getattr(row, name))))
        for row in FactEdit.objects.order_by()
    )


def _day(now: datetime | None) -> date:
    return (now or timezone.now()).date()


def _merged(fact: _AFact, edit: _Columns | None, today: date) -> _AFact:
    changed = {name: value for name, value in edit or () if name in fact.__struct_fields__}
    merged = msgspec.structs.replace(fact, **changed) if changed else fact
    return msgspec.structs.replace(merged, old=True) if today - merged.checked > KEPT_FRESH else merged


def _shown(prefix: str, found: Iterable[_AFact], edits: Mapping[str, _Columns], today: date) -> tuple[_AFact, ...]:
    merged = (_merged(each, edits.get(f"{prefix}/{each.slug}"), today) for each in found)
    return tuple(translated(each) for each in merged if each.confirmed or each.emergency)


def _service(service: Service, edits: Mapping[str, _Columns], today: date) -> Service | None:
    shown = _shown("services", (service,), edits, today)
    if not shown:
        return None
    contacts = _shown(f"services/{service.slug}", service.contacts, edits, today)
    return msgspec.structs.replace(shown[0], contacts=contacts)


def _platform_entry(found: facts.PlatformFacts, edits: Mapping[str, _Columns], today: date) -> PlatformEntry:
    under = f"platforms/{found.slug}"
    answers = [each for each in (found.takes_part, found.encrypted) if each is not None]
    shown = _shown(under, answers, edits, today)
    known = {each.slug: bool(each) for each in shown}
    capture = _shown(under, found.capture, edits, today)
    told = (each.value == "yes" for each in capture if each.kind == "screenshot" and each.value)
    return PlatformEntry(
        slug=found.slug,
        name=gettext(found.name),
        profiles=found.profiles,
        takes_part=known.get("takes-part"),
        encrypted=known.get("encrypted"),
        answers=shown,
        routes=_shown(under, found.routes, edits, today),
        capture=capture,
        screenshot_is_told=next(told, None),
    )


def _phones(text: str) -> tuple[Phone, ...]:
    """One a line: the number, then perhaps a comma and what it is for."""
    lines = (line.partition(",") for line in text.splitlines() if line.strip())
    return tuple(Phone(number=number.strip(), what=what.strip()) for number, _, what in lines)
