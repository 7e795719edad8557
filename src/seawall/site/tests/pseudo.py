"""A language for tests, made from English: accents, 40 % longer, in brackets, read from the right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polib
from django.conf import settings as django_settings
from django.utils import translation
from django.utils.dates import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings

CODE = "qps"  # for private use (ISO 639-2); no visitor is offered it
LONGER = 0.4
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{\w+\}|<[^>]+>)")
_ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "àƀçđéƒĝĥíĵķļɱñöþɋŕšţûṽŵẋýžÀƁÇĐÉƑĜĤÍĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ",
)


def pseudo(sentence: str) -> str:
    """That sentence in the language of tests. What must stay as it is stays."""
    parts = [part if _KEPT.fullmatch(part) else part.translate(_ACCENTS) for part in _KEPT.split(sentence)]
    plain = " ".join("".join(part for part in parts if not _KEPT.fullmatch(part)).split())
    more = plain[: max(1, int(len(plain) * LONGER))].strip(' “”"')
    return f"⟦{''.join(parts)} {more}⟧"


def write(folder: Path) -> None:
    """Compile the language into the folder, from every sentence that Welsh has and the names of days and months."""
    english = polib.pofile(str(django_settings.LOCALE_PATHS[0] / "cy/LC_MESSAGES/django.po"))
    file = polib.POFile()
    file.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": "nplurals=2; plural=(n != 1);"}
    for entry in english:
        if entry.msgid_plural:
            both = {0: pseudo(entry.msgid), 1: pseudo(entry.msgid_plural)}
            file.append(polib.POEntry(msgid=entry.msgid, msgid_plural=entry.msgid_plural, msgstr_plural=both))
        else:
            file.append(polib.POEntry(msgid=entry.msgid, msgstr=pseudo(entry.msgid)))
    with translation.override("en"):
        names = {str(name) for name in [*MONTHS.values(), *WEEKDAYS.values()]}
    for name in names - {entry.msgid for entry in english}:
        file.append(polib.POEntry(msgid=name, msgstr=pseudo(name)))
    (folder / CODE / "LC_MESSAGES").mkdir(parents=True)
    file.save_as_mofile(str(folder / CODE / "LC_MESSAGES/django.mo"))


def speak(settings: Settings, folder: Path) -> None:
    """Let the site speak it for the length of one test."""
    write(folder)
    settings.LOCALE_PATHS = [folder, *settings.LOCALE_PATHS]
    settings.LANGUAGES = [*settings.LANGUAGES, (CODE, pseudo("Pseudo"))]
    settings.LANGUAGES_BIDI = [CODE]
