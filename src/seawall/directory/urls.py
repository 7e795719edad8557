"""Addresses for machines. None is linked from a page."""

from __future__ import annotations

from django.urls import path

from seawall.directory import views

app_name = "directory"
urlpatterns = [
    path("directory.json", views.document, name="document"),
    path("directory.json.sig", views.signature, name="signature"),
    path("directory.json.pub", views.public_key, name="public_key"),
]
