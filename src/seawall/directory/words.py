"""The facts in the visitor's language. The files are in English; gettext knows their sentences line by line.

An operator's own words are shown as they were typed, unless they happen to be a sentence of the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from django.utils.translation import gettext

from seawall.directory import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

_AFact = TypeVar("_AFact", bound=facts.Fact)

# The parts of a fact that people read. The others are addresses, numbers and codes.
_SAID = ("name", "what", "hours", "rule", "escalate", "asks", "needs")


def translated(fact: _AFact) -> _AFact:
    """The fact with its words in the language of the moment. What hangs on it, such as contacts, stays as it is."""
    said = {part: _translated(value) for part in _SAID if (value := getattr(fact, part, None))}
    return msgspec.structs.replace(fact, **said)


def _translated(words: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(words, tuple):
        return tuple(map(gettext, words))
    return "\n".join(gettext(line) for line in _lines(words))


def sentences() -> Iterator[tuple[str, str]]:
    """(where, sentence) of all that there is to translate."""
    for fact_id, fact in facts.by_id().items():
        for part in _SAID:
            words = getattr(fact, part, None) or ""
            for line in words if isinstance(words, tuple) else _lines(words):
                yield fact_id, line
    for platform in facts.platforms():
        if platform.name[0].islower():  # a description; names of platforms stay as they are
            yield f"platforms/{platform.slug}", platform.name


def _lines(words: str) -> list[str]:
    return [line.strip() for line in words.splitlines() if line.strip()]
