"""The directory room."""

from __future__ import annotations

from django.apps import AppConfig


class Directory(AppConfig):
    """Holds what an operator changed about the shipped facts."""

    name = "seawall.directory"
