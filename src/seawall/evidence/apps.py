"""The evidence room."""

from __future__ import annotations

from django.apps import AppConfig


class Evidence(AppConfig):
    """Named, so that the label stays what migrations say."""

    name = "seawall.evidence"
