"""What an operator types, checked before it is laid over a fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from django import forms
from django.utils import timezone

from seawall.directory import facts, queries
from seawall.directory.models import FactEdit, Operator

if TYPE_CHECKING:
    from datetime import date

    OperatorModelForm = forms.ModelForm[Operator]
    FactModelForm = forms.ModelForm[FactEdit]
else:
    OperatorModelForm = FactModelForm = forms.ModelForm  # generic in their type stubs only

_COLUMNS = ("what", "url", "value", "hours")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{2,19}")


def _fact_choices() -> list[tuple[str, str | list[tuple[str, str]]]]:
    """Every fact with what it says, those to look up first. None is chosen: a slip must not land on the first."""
    due = dict(queries.attention())
    waiting: list[tuple[str, str]] = []
    old: list[tuple[str, str]] = []
    fresh: list[tuple[str, str]] = []
    for fact_id, shipped in facts.by_id().items():
        fact = due.get(fact_id)
        group = fresh if fact is None else old if fact.confirmed or fact.emergency else waiting
        says = " ".join(getattr(shipped, part, None) or "" for part in ("name", "value", "what")).split()
        group.append((fact_id, f"{fact_id}: {' '.join(says)[:70]}"))
    groups = [("Hidden until you confirm it", waiting), ("Shown, and not looked at for 90 days", old), ("Fresh", fresh)]
    return [("", "Choose a fact"), *groups]


class FactForm(FactModelForm):
    """An operator's word on one fact."""

    fact = forms.ChoiceField(choices=_fact_choices)

    class Meta:
        model = FactEdit
        fields = ["fact", "status", "source", "checked", *_COLUMNS]

    def clean_checked(self) -> date:
        """Nobody looked tomorrow."""
        day: date = self.cleaned_data["checked"]
        if day > timezone.localdate():
            raise forms.ValidationError("That day is still to come. Give the day you looked.")
        return day

    def clean(self) -> dict[str, Any]:
        """Refuse a column that the fact does not have, or a value that it cannot hold."""
        cleaned = super().clean() or {}
        fact = facts.by_id().get(cleaned.get("fact") or self.instance.fact)
        if fact is None:
            return cleaned
        for column in _COLUMNS:
            if value := cleaned.get(column):
                self._try(fact, column, value)
        return cleaned

    def _try(self, fact: facts.Fact, column: str, value: str) -> None:
        if column not in fact.__struct_fields__:
            self.add_error(column, "This fact has no such part. Leave it empty.")
            return
        try:
            msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(fact, **{column: value})), type(fact))
        except msgspec.ValidationError as error:
            self.add_error(column, f"That does not fit: {error}.")


class OperatorForm(OperatorModelForm):
    """The helpline's own values."""

    class Meta:
        model = Operator
        fields = [
            *("name", "logo", "phones", "email", "url", "nation", "opens", "closes"),
            *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "partners"),
        ]

    def clean_phones(self) -> str:
        """One number a line, each one that can be dialled."""
        lines = [line.strip() for line in str(self.cleaned_data["phones"]).splitlines() if line.strip()]
        for line in lines:
            if not _PHONE.fullmatch(line.partition(",")[0].strip()):
                raise forms.ValidationError(f"{line!r} does not begin with a phone number.")
        return "\n".join(lines)
