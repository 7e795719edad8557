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

    from playwright.sync_api import Page
    from pytest_django.fixtures import Settings

CODE = "qps"  # for private use (ISO 639-2); no visitor is offered it
LONGER = 0.4
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{\w+\}|<[^>]+>)")
_ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "àƀçđéƒĝĥíĵķļɱñöþɋŕšţûṽŵẋýžÀƁÇĐÉƑĜĤÍĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ",
)
# What a person sees, or a screen reader says, except what is marked as being in another language, and codes.
SAID = """() => {
  const left = "script, style, template, noscript, pre, code, textarea, body [lang]";
  const seen = (each) => !each.closest(left) && each.checkVisibility({ visibilityProperty: true });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const said = [];
  while (walker.nextNode()) if (seen(walker.currentNode.parentElement)) said.push(walker.currentNode.data);
  for (const name of ["aria-label", "title", "alt", "placeholder"])
    for (const each of document.querySelectorAll(`body [${name}]`)) if (seen(each)) said.push(each.getAttribute(name));
  return said.join("\\n");
}"""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
EXIT_IS_IN_SIGHT = """() => {
  const box = document.getElementById("exit").getBoundingClientRect();
  const whole = box.top >= 0 && box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
  return whole && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2).closest("#exit") !== null;
}"""


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


def left_in_english(said: str, names: list[str]) -> list[str]:
    """What stands outside the brackets of the language of tests and is no name, address or number."""
    while True:
        shorter = re.sub(r"⟦[^⟦⟧]*⟧", " ", said)
        if shorter == said:
            break
        said = shorter
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, " ")
    said = re.sub(r"\S+@\S+|\b\S+\.(?:png|jpg|txt)\b", " ", said)
    return re.findall(r"[^\W\d_][^\n]*", said)


def check(page: Page, where: str, names: list[str]) -> None:
    """Look at the page as it is now: whole in the language, as wide as the screen, with the exit in sight."""
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.evaluate("[document.documentElement.lang, document.dir]") == [CODE, "rtl"], where
    said = page.evaluate(SAID)
    assert said.count("⟦") > 10, where
    left = left_in_english(said, names)
    assert left == [], f"{where}: {left}"
    assert page.evaluate(FITS), where
    assert page.evaluate(EXIT_IS_IN_SIGHT), where
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate(EXIT_IS_IN_SIGHT), where
