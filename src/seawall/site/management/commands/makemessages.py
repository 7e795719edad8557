"""Collect every sentence that people read. Needs Debian's `gettext`; `make messages` calls it."""

from __future__ import annotations

from pathlib import Path

from django.core.management.commands import makemessages

from seawall.directory.words import sentences

DRAFT = Path(__file__).parents[3] / "directory/data/words.py"


class Command(makemessages.Command):
    """Django's own, which takes up the sentences of the directory's files too."""

    def build_potfiles(self) -> list[str]:
        """Lay the directory's sentences out as Python while the sources are read."""
        lines = (f"# Translators: {where}\ngettext_noop({text!r})\n" for where, text in sentences())
        DRAFT.write_text("".join(lines), encoding="utf-8")
        try:
            potfiles: list[str] = super().build_potfiles()
        finally:
            DRAFT.unlink()
        return potfiles
