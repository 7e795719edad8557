"""The shipped facts: what an entry holds, and reading the files of ``data/``. No database.

docs/spec/directory.md describes the entries. Every file is checked as it is read: an unknown field, a missing source
or a slug that stands twice is an error, and a test reads them all.
"""

from __future__ import annotations

import functools
import tomllib
from datetime import date, time  # noqa: TC003 - msgspec reads the annotations
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

Status = Literal["verified", "second-hand", "unconfirmed"]
# A slug stands in fact ids, which operators' edits point at: it never changes.
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Url = Annotated[str, msgspec.Meta(pattern=r"^https://[^\s]+$")]
Nation = Literal["UK", "ENG", "WLS", "SCT", "NIR", "EU", "US", "AU", "everywhere"]
# Where in the United Kingdom. Bank holidays and law differ between them.
UK_NATIONS = ("ENG", "WLS", "SCT", "NIR")


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing we say about the world, and how we know.

    ``status``: *verified* was read on the owner's own page or in the law itself, *second-hand* elsewhere, *unconfirmed*
    nowhere yet. Only verified facts are shown, and ``emergency`` ones, which never hide.
    """

    slug: Slug
    status: Status
    source: Text
    checked: date
    emergency: bool = False
    old: bool = False  # set when it is read: last looked at more than 90 days ago. Files may not say it.

    @property
    def confirmed(self) -> bool:
        """Whether somebody read it where it comes from. An emergency fact is shown even if not."""
        return self.status == "verified"


class Contact(Fact, frozen=True, kw_only=True):
    """One way to reach a service."""

    kind: Literal["phone", "text", "email", "chat", "form"]
    value: Text  # a number or an address, as it is read aloud or opened
    hours: Text | None = None
    cost: Literal["free"] | None = None


Topic = Literal[
    "pictures", "police", "money", "feelings", "crime", "online", "partner", "men", "women", "lgbt", "sexual-violence"
]


class Service(Fact, frozen=True, kw_only=True):
    """Who can help, and whom."""

    name: Text
    audience: Literal["under-18", "adult"]
    nations: tuple[Nation, ...]
    topics: tuple[Topic, ...] = ()
    url: Url | None = None
    what: Text
    languages: tuple[Text, ...] = ("English",)
    contacts: tuple[Contact, ...] = ()

    @property
    def phone(self) -> str | None:
        """The first number to call, if one may be shown."""
        return next((each.value for each in self.contacts if each.kind == "phone"), None)

    def serves(self, nation: str) -> bool:
        """Whether it helps people there."""
        return _reaches(self.nations, nation)


class Law(Fact, frozen=True, kw_only=True):
    """What is a crime where, and what a platform must do how fast."""

    nations: tuple[Nation, ...]
    kind: Literal["offence", "duty", "right"]
    covers: tuple[Literal["threat", "sharing", "fake", "recording", "copying", "blackmail", "removal"], ...]
    name: Text
    what: Text
    url: Url | None = None
    maximum_years: int | None = None
    clock_hours: int | None = None
    needs: tuple[Text, ...] = ()  # what a valid request must contain

    def holds_in(self, nation: str) -> bool:
        """Whether it is the law there."""
        return _reaches(self.nations, nation)


class Answer(Fact, frozen=True, kw_only=True):
    """Yes or no. An answer nobody knows is left out of the file."""

    value: Literal["yes", "no"]
    what: Text | None = None

    def __bool__(self) -> bool:
        return self.value == "yes"


class Route(Fact, frozen=True, kw_only=True):
    """A way to report to a platform, from the situation to what to do if nothing happens."""

    situations: tuple[
        Literal["threat", "shared", "fake-account", "search-result", "account", "privacy", "settings"], ...
    ]
    name: Text
    what: Text  # what to press, one step a line
    url: Url | None = None
    value: Text | None = None  # an email address, where that is the way
    who: tuple[Literal["anyone", "you", "someone-you-ask"], ...] = ()
    asks: tuple[Text, ...] = ()  # the fields of the form
    legal_name: bool | None = None
    account_needed: bool | None = None
    only_in: tuple[Nation, ...] = ()
    rule: Text | None = None  # the platform's rule to name
    law: Slug | None = None  # whose clock runs
    clock_hours: int | None = None
    escalate: Text | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """What to press, in order."""
        return tuple(line.strip() for line in self.what.splitlines() if line.strip())


class Capture(Fact, frozen=True, kw_only=True):
    """How to keep proof there."""

    kind: Literal["screenshot", "profile", "messages", "money"]
    what: Text
    value: Literal["yes", "no"] | None = None  # for a screenshot: does the other side get told?


class PlatformFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A platform and what we know of it. What nobody knows is absent."""

    slug: Slug
    name: Text
    profiles: bool = True  # do people have accounts there? A search engine and a host have none
    takes_part: Answer | None = None  # does it match fingerprints of StopNCII.org?
    encrypted: Answer | None = None  # are private messages closed to the platform itself?
    routes: tuple[Route, ...] = ()
    capture: tuple[Capture, ...] = ()


class Phone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of the helpline, and what it is for."""

    number: Text
    what: str = ""


class HelplineFacts(Fact, frozen=True, kw_only=True):
    """The helpline that hosts the site, unless the operator says otherwise."""

    name: Text
    logo: str
    phones: tuple[Phone, ...]
    email: str
    url: Url
    opens: time
    closes: time
    days: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...]  # 1 is Monday
    nation: Literal["ENG", "WLS", "SCT", "NIR"]
    partners: str


def _reaches(nations: tuple[Nation, ...], nation: str) -> bool:
    return "everywhere" in nations or nation in nations or (nation in UK_NATIONS and "UK" in nations)


_Entry = TypeVar("_Entry", Service, Law, PlatformFacts)


def _read(file: str) -> dict[str, object]:
    return tomllib.loads((files("seawall.directory") / "data" / file).read_text(encoding="utf-8"))


def _tables(file: str, table: str) -> list[object]:
    return msgspec.convert(_read(file)[table], list[object])


def _entries(file: str, table: str, entry: type[_Entry]) -> tuple[_Entry, ...]:
    try:
        found: tuple[_Entry, ...] = tuple(msgspec.convert(each, entry) for each in _tables(file, table))
    except msgspec.ValidationError as error:
        raise ValueError(f"{file}: {error}") from error
    slugs = [each.slug for each in found]
    if len(set(slugs)) < len(slugs):
        raise ValueError(f"{file} names a slug twice.")
    return found


@functools.cache
def services() -> tuple[Service, ...]:
    """Every service in the file, in the order to show them."""
    return _entries("services.toml", "service", Service)


@functools.cache
def laws() -> tuple[Law, ...]:
    """Every law in the file, the ones to name first first."""
    return _entries("laws.toml", "law", Law)


@functools.cache
def platforms() -> tuple[PlatformFacts, ...]:
    """Every platform in the file."""
    return _entries("platforms.toml", "platform", PlatformFacts)


@functools.cache
def helpline() -> HelplineFacts:
    """The values the site starts with."""
    return msgspec.convert(_read("helpline.toml"), HelplineFacts)


@functools.cache
def by_id() -> dict[str, Fact]:
    """Every fact under its id, such as ``services/samaritans/phone``. What an operator's edit points at.

    :raises ValueError: two facts bear one id, or a file says ``old``
    """
    found: dict[str, Fact] = {}
    for fact_id, fact in _walk():
        if fact_id in found:
            raise ValueError(f"{fact_id} stands in the directory twice.")
        if fact.old:
            raise ValueError(f"{fact_id} says it is old. Whether it is follows from `checked`.")
        found[fact_id] = fact
    return found


def _walk() -> Iterator[tuple[str, Fact]]:
    for service in services():
        yield f"services/{service.slug}", service
        for contact in service.contacts:
            yield f"services/{service.slug}/{contact.slug}", contact
    for law in laws():
        yield f"laws/{law.slug}", law
    for platform in platforms():
        answers = [each for each in (platform.takes_part, platform.encrypted) if each is not None]
        for fact in (*answers, *platform.routes, *platform.capture):
            yield f"platforms/{platform.slug}/{fact.slug}", fact
