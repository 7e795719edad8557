"""The four questions. An answer that is missing, unknown or out of range counts as "I do not know"."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.utils.translation import gettext_lazy as _

from seawall.guide.triage import Also, Answers, Paid, Place, Shared, Who

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from enum import StrEnum

    from django.http import QueryDict

_Code = TypeVar("_Code", bound="StrEnum")

# The answers there are, in the words people choose from.
WHO = (
    (Who.STRANGER, _("Someone I met online")),
    (Who.PARTNER, _("My partner or ex")),
    (Who.KNOWN, _("Someone else I know")),
    (Who.UNSURE, _("I do not know")),
)
# The apps most people will look for. The others stand behind "More apps".
FIRST = ("facebook", "instagram", "messenger", "whatsapp", "snapchat", "telegram", "tiktok", "x")
PLACES = (
    (Place.CONTACTS, _("To friends, family or work")),
    (Place.WEBSITE, _("On a website")),
    (Place.NOT_SAID, _("They did not say")),
)
SHARED = (
    (Shared.NO, _("No, they only threaten")),
    (Shared.YES, _("Yes")),
    (Shared.UNSURE, _("I do not know")),
)
PAID = (
    (Paid.NO, _("No")),
    (Paid.YES, _("Yes")),
)
ALSO = (
    (Also.NO_COPY, _("I do not have the picture or video")),
    (Also.RECORDED, _("I was recorded in secret")),
    (Also.FAKE, _("The picture is fake")),
    (Also.OUTING, _("They want to tell people that I am gay, lesbian, bi or trans")),
    (Also.ACCUSED, _("They say I talked to a child")),
    (Also.MAN, _("I am a man")),
    (Also.ABROAD, _("I live outside the UK")),
)


def read_answers(posted: QueryDict, *, platforms: Collection[str]) -> Answers:
    """Return the answers; ``platforms`` are the slugs there are."""
    where = posted.getlist("b")
    return Answers(
        who=_one(Who, posted.get("a"), Who.UNSURE),
        platforms=frozenset(where) & frozenset(platforms),
        places=_several(Place, where),
        shared=_one(Shared, posted.get("c"), Shared.UNSURE),
        paid=_one(Paid, posted.get("d"), Paid.UNSURE),
        also=_several(Also, posted.getlist("e")),
    )


def _one(codes: type[_Code], said: str | None, otherwise: _Code) -> _Code:
    return next((code for code in codes if code == said), otherwise)


def _several(codes: type[_Code], said: Iterable[str]) -> frozenset[_Code]:
    return frozenset(code for code in codes if code in frozenset(said))
