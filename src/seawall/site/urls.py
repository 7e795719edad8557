"""The front door and the pages about the site itself."""

from __future__ import annotations

from django.urls import path

from seawall.site import views

app_name = "site"
urlpatterns = [
    path("", views.home, name="home"),
    path("privacy/", views.privacy, name="privacy"),
    path("health/", views.health, name="health"),
]
