"""`urlpatterns` stand under /case/api/, in no language; `pages` under /case/, in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from seawall.cases import api
from seawall.cases.endpoint import endpoint

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns = [
    path("challenge", endpoint(POST=api.challenge)),
    path("open", endpoint(POST=api.open_case)),
    path("login", endpoint(POST=api.login)),
]
pages: list[URLPattern] = []
