"""The operator's desk under /staff/. Every change is kept, with who made it, when, and what stood there before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone

from seawall.directory import facts
from seawall.directory.forms import FactForm, OperatorForm
from seawall.directory.models import Closure, FactEdit, Operator

if TYPE_CHECKING:
    from django.db import models
    from django.forms import Form
    from django.http import HttpRequest

    ModelAdmin = admin.ModelAdmin[models.Model]
else:
    ModelAdmin = admin.ModelAdmin  # generic in its type stubs only


class Recorded(ModelAdmin):
    """Says in the history what each changed field held before and holds now."""

    def construct_change_message(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        form: Form,
        formsets: Any,  # noqa: ARG002
        add: bool = False,  # noqa: FBT001, FBT002
    ) -> list[dict[str, dict[str, list[str]]]]:
        """Such as ``phones: 0345 6000 459 became 0300 123 4567``."""
        holds = {name: str(form.cleaned_data.get(name, "")) for name in form.fields}
        if add:
            said = [f"{name}: {value}" for name, value in holds.items() if value]
        else:
            said = [f"{name}: {form[name].initial} became {holds[name]}" for name in form.changed_data]
        return [{"changed": {"fields": said}}] if said else []


@admin.register(FactEdit)
class FactEdits(Recorded):
    """Facts looked up anew."""

    form = FactForm  # type: ignore[assignment] # ModelAdmin is not generic when it runs
    list_display = ["fact", "status", "checked", "source"]
    list_filter = ["status"]
    search_fields = ["fact"]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:  # noqa: ARG002
        """An edit stays with its fact."""
        return ["fact", "shipped"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever adds one has just looked."""
        return {"checked": timezone.localdate(), **super().get_changeform_initial_data(request)}

    @admin.display(description="what the file says")
    def shipped(self, edit: FactEdit) -> str:
        """Every part of the fact as it was shipped."""
        fact = facts.by_id().get(edit.fact)
        if fact is None:
            return "This fact is gone from the files. You can delete the edit."
        parts = ((name, getattr(fact, name)) for name in fact.__struct_fields__)
        return "\n".join(f"{name}: {value}" for name, value in parts if isinstance(value, str) or name == "checked")


@admin.register(Operator)
class Operators(Recorded):
    """The helpline's own values."""

    form = OperatorForm  # type: ignore[assignment]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one helpline."""
        return super().has_add_permission(request) and not Operator.objects.exists()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:  # noqa: ARG002
        """Start from what the site shows now."""
        file = facts.helpline()
        phones = "\n".join(f"{each.number}, {each.what}" if each.what else each.number for each in file.phones)
        kept = ("name", "logo", "email", "url", "nation", "opens", "closes", "partners")
        return {"phones": phones, **{name: getattr(file, name) for name in kept}}


@admin.register(Closure)
class Closures(Recorded):
    """Days on which the helpline is closed."""

    list_display = ["first", "last", "reason"]
