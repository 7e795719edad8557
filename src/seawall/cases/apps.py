"""The cases room."""

from __future__ import annotations

from django.apps import AppConfig


class Cases(AppConfig):
    """Named, so that the label stays what migrations say."""

    name = "seawall.cases"
