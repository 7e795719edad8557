"""The site room."""

from __future__ import annotations

from django.apps import AppConfig


class Site(AppConfig):
    """The frame around every page."""

    name = "seawall.site"
