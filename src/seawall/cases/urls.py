"""`urlpatterns` stand under /case/api/, in no language; `pages` under /case/, in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path, re_path

from seawall.cases import api, views
from seawall.cases.endpoint import endpoint

if TYPE_CHECKING:
    from django.urls import URLPattern

urlpatterns = [
    path("challenge", endpoint(POST=api.challenge)),
    path("open", endpoint(POST=api.open_case)),
    path("login", endpoint(POST=api.login)),
    path("shares", endpoint(POST=api.share)),
    re_path("^shares/(?P<share>[0-7][0-9a-f]{15})$", endpoint(DELETE=api.revoke)),
    path("team", endpoint(GET=api.team)),
]
pages: list[URLPattern] = [
    path("", views.case, name="case"),
    path("derive.js", views.derive, name="derive"),
]
