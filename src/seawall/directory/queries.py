"""Read the facts, with operators' edits laid over them.

What may be shown: verified facts, and emergency ones whatever their status. Old facts stay and say so (``old``).
``now`` decides what is old; pages leave it out, tests pass it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from django.utils import timezone

from seawall.directory import facts
from seawall.directory import hours as opening
from seawall.directory.facts import Capture, Contact, Fact, Law, Phone, Route, Service
from seawall.directory.models import Closure, FactEdit, Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Capture", "Contact", "Helpline", "Law", "Platform", "PlatformEntry", "Route", "Service"]

# Numbers and forms change often enough that a quarter of a year without a look deserves a note.
KEPT_FRESH = timedelta(days=90)

_Edits = dict[str, dict[str, Any]]
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
    takes_part: bool | None  # matches fingerprints of StopNCII.org
    encrypted: bool | None  # cannot look into private messages itself
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
    return tuple(Platform(each.slug, each.name) for each in facts.platforms())


def platform(slug: str, *, now: datetime | None = None) -> PlatformEntry:
    """The platform of that slug, with what may be shown of it.

    :raises KeyError: there is none
    """
    found = {each.slug: each for each in facts.platforms()}[slug]
    return _platform_entry(found, _edits(f"platforms/{slug}/"), _day(now))


def platform_entries(*, now: datetime | None = None) -> tuple[PlatformEntry, ...]:
    """All of them, in one question to the database."""
    edits, today = _edits("platforms/"), _day(now)
    return tuple(_platform_entry(each, edits, today) for each in facts.platforms())


def services(
    audience: Literal["under-18", "adult"] = "adult",
    *,
    nation: str | None = None,
    topic: facts.Topic | None = None,
    now: datetime | None = None,
) -> tuple[Service, ...]:
    """Who can help that audience, in the order to show them; a nation or a topic narrows it."""
    edits, today = _edits("services/"), _day(now)
    asked = (
        each
        for each in facts.services()
        if each.audience == audience
        and (nation is None or each.serves(nation))
        and (topic is None or topic in each.topics)
    )
    found = (_service(each, edits, today) for each in asked)
    return tuple(each for each in found if each is not None)


def laws(nation: str | None = None, *, now: datetime | None = None) -> tuple[Law, ...]:
    """What is a crime there and what platforms must do, the ones to name first first. Without a nation: all."""
    asked = (each for each in facts.laws() if nation is None or each.holds_in(nation))
    return _shown("laws", asked, _edits("laws/"), _day(now))


def helpline() -> Helpline:
    """The operator's own values, or those shipped. Two small questions to the database."""
    closures = tuple(Closure.objects.values_list("first", "last"))
    row = Operator.objects.first()
    if row is None:
        file = facts.helpline()
        kept = opening.Hours(file.opens, file.closes, frozenset(file.days), file.nation, closures)
        return Helpline(file.name, file.logo, file.phones, file.email, file.url, file.partners, kept)
    kept = opening.Hours(row.opens, row.closes, row.days, row.nation, closures)
    return Helpline(row.name, row.logo, _phones(row.phones), row.email, row.url, row.partners, kept)


def attention(*, now: datetime | None = None) -> tuple[tuple[str, Fact], ...]:
    """(id, fact) of every fact that is old or not verified, edits counted in: what somebody should look up."""
    edits, today = _edits(""), _day(now)
    merged = ((fact_id, _merged(fact, edits.get(fact_id), today)) for fact_id, fact in facts.by_id().items())
    return tuple((fact_id, fact) for fact_id, fact in merged if fact.old or not fact.confirmed)


def _day(now: datetime | None) -> date:
    return (now or timezone.now()).date()


def _edits(prefix: str) -> _Edits:
    """Operators' edits under that prefix, by fact id: only the columns that say something."""
    rows = FactEdit.objects.filter(fact__startswith=prefix).values(
        "fact", "status", "source", "checked", "what", "url", "value", "hours"
    )
    return {row["fact"]: {name: value for name, value in row.items() if value and name != "fact"} for row in rows}


def _merged(fact: _AFact, edit: Mapping[str, Any] | None, today: date) -> _AFact:
    changed = {name: value for name, value in (edit or {}).items() if name in fact.__struct_fields__}
    merged = msgspec.structs.replace(fact, **changed) if changed else fact
    return msgspec.structs.replace(merged, old=True) if today - merged.checked > KEPT_FRESH else merged


def _shown(prefix: str, found: Iterable[_AFact], edits: _Edits, today: date) -> tuple[_AFact, ...]:
    merged = (_merged(each, edits.get(f"{prefix}/{each.slug}"), today) for each in found)
    return tuple(each for each in merged if each.confirmed or each.emergency)


def _service(service: Service, edits: _Edits, today: date) -> Service | None:
    shown = _shown("services", (service,), edits, today)
    if not shown:
        return None
    contacts = _shown(f"services/{service.slug}", service.contacts, edits, today)
    return msgspec.structs.replace(shown[0], contacts=contacts)


def _platform_entry(found: facts.PlatformFacts, edits: _Edits, today: date) -> PlatformEntry:
    under = f"platforms/{found.slug}"
    answers = [each for each in (found.takes_part, found.encrypted) if each is not None]
    known = {each.slug: bool(each) for each in _shown(under, answers, edits, today)}
    capture = _shown(under, found.capture, edits, today)
    told = (each.value == "yes" for each in capture if each.kind == "screenshot" and each.value)
    return PlatformEntry(
        slug=found.slug,
        name=found.name,
        takes_part=known.get("takes-part"),
        encrypted=known.get("encrypted"),
        routes=_shown(under, found.routes, edits, today),
        capture=capture,
        screenshot_is_told=next(told, None),
    )


def _phones(text: str) -> tuple[Phone, ...]:
    """One a line: the number, then perhaps a comma and what it is for."""
    lines = (line.partition(",") for line in text.splitlines() if line.strip())
    return tuple(Phone(number=number.strip(), what=what.strip()) for number, _, what in lines)
