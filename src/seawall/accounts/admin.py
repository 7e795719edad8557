"""Django's admin as practitioners see it: their sign-in, and who changed what, which nobody can edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group

from seawall.accounts.forms import SignIn

if TYPE_CHECKING:
    from django.http import HttpRequest

    LogAdmin = admin.ModelAdmin[LogEntry]
else:
    LogAdmin = admin.ModelAdmin  # generic in its type stubs only

admin.site.site_title = admin.site.site_header = "Seawall: for the team"
admin.site.index_title = "What this site says"
admin.site.login_form = SignIn
admin.site.unregister(Group)


@admin.register(LogEntry)
class History(LogAdmin):
    """Who changed what, and when."""

    list_display = ["action_time", "user", "object_repr", "action_flag", "change_message"]
    list_filter = ["action_flag"]
    list_select_related = ["user"]
    list_display_links = None

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody writes history by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:  # noqa: ARG002
        """Nobody changes it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:  # noqa: ARG002
        """Nobody removes it."""
        return False
