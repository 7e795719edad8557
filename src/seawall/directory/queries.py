"""Read the facts. The files are read once a process and checked as they are read."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - msgspec reads the annotation
from importlib.resources import files
from typing import Literal

import msgspec


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a picture may be posted. ``slug`` is its name in fingerprints, feeds and addresses."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Service:
    """Who can help, whom, and how we know."""

    slug: str
    name: str
    audience: Literal["under-18", "adult"]
    nations: tuple[str, ...]
    url: str
    what: str
    status: Literal["verified", "second-hand", "unconfirmed"]
    source: str
    checked: date
    phone: str | None = None


def _facts(file: str) -> dict[str, object]:
    return tomllib.loads((files("seawall.directory") / "data" / file).read_text(encoding="utf-8"))


@functools.cache
def platforms() -> tuple[Platform, ...]:
    """Every platform we have a name for, whether or not it takes part."""
    found = msgspec.convert(_facts("platforms.toml")["platform"], tuple[Platform, ...])
    if len({each.slug for each in found}) < len(found):
        raise ValueError("platforms.toml names a slug twice.")
    return found


def platform(slug: str) -> Platform:
    """The platform of that slug.

    :raises KeyError: there is none
    """
    return {each.slug: each for each in platforms()}[slug]


@functools.cache
def _services() -> tuple[Service, ...]:
    return msgspec.convert(_facts("services.toml")["service"], tuple[Service, ...])


def services(audience: Literal["under-18", "adult"]) -> tuple[Service, ...]:
    """The services for that audience, in the order to show them. Unconfirmed ones are left out."""
    return tuple(each for each in _services() if each.audience == audience and each.status != "unconfirmed")
