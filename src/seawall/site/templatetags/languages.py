"""The way to the same page in the other languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.urls import get_script_prefix
from django.utils.translation import get_language

if TYPE_CHECKING:
    from django.http import HttpRequest

register = template.Library()


@dataclass(frozen=True, slots=True)
class Way:
    """The page in one language. ``here`` marks the language it is shown in."""

    code: str
    name: str
    address: str
    here: bool


@register.simple_tag(takes_context=True)
def languages(context: dict[str, Any]) -> list[Way]:
    """Return the page's address in every language. From a page that answers a form it leads to the form."""
    request, now = context["request"], get_language()
    return [
        Way(code, name, _address(request, code, lost="lost" in context), code == now)
        for code, name in settings.LANGUAGES
    ]


@register.simple_tag
def unreviewed() -> bool:
    """Return whether no speaker has read the words of this page's language."""
    return get_language() in settings.LANGUAGES_UNREVIEWED


def _address(request: HttpRequest, code: str, *, lost: bool) -> str:
    """English has no prefix, and a page that is not there has no address in another language: the front page has."""
    prefix = "" if code == settings.LANGUAGE_CODE else f"{code}/"
    if lost:
        return f"{get_script_prefix()}{prefix}"
    first, _, rest = request.path_info.removeprefix("/").partition("/")
    here = get_language()
    path = rest if first == here and here != settings.LANGUAGE_CODE else request.path_info.removeprefix("/")
    return f"{get_script_prefix()}{prefix}{path}"
