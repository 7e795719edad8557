"""The accounts room."""

from __future__ import annotations

from django.apps import AppConfig


class Accounts(AppConfig):
    """Holds AUTH_USER_MODEL."""

    name = "seawall.accounts"
