"""The languages there are: English, and each that has a file in ``locale/``. No Django: settings read this.

A language is one file, ``locale/<code>/LC_MESSAGES/django.po``, compiled beside itself by `make messages`. Its header
says what it is called (``X-Name``), from which side it is read (``X-Direction``) and whether a speaker has read the
words (``X-Reviewed``). docs/operating/languages.md tells how to add one.
"""

from __future__ import annotations

from dataclasses import dataclass
from gettext import GNUTranslations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class UnfinishedLanguage(ValueError):
    """The header of a language's file does not say what a page must know. The message says which line to write."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language, as its file describes itself."""

    code: str  # as it stands in addresses: "cy", "zh-hans"
    name: str  # as its speakers write it
    direction: str  # "ltr" or "rtl"
    reviewed: bool  # has a speaker read the words?


def found(folder: Path) -> tuple[Language, ...]:
    """Every language of the folder that is compiled, by code.

    :raises UnfinishedLanguage: a file does not say its name, direction or whether it was read
    """
    return tuple(_read(path) for path in sorted(folder.glob("*/LC_MESSAGES/django.mo")))


def _read(path: Path) -> Language:
    code = path.parts[-3].replace("_", "-").lower()
    with path.open("rb") as file:
        about = GNUTranslations(file).info()
    name, direction, reviewed = (about.get(f"x-{what}", "") for what in ("name", "direction", "reviewed"))
    if not name or direction not in {"ltr", "rtl"} or not reviewed:
        raise UnfinishedLanguage(
            f"The header of locale/{path.parts[-3]} needs X-Name, X-Direction (ltr or rtl) and X-Reviewed (no, or who)."
            " Write them, then `make messages`."
        )
    return Language(code, name, direction, reviewed != "no")
