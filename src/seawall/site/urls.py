"""The pages about the site itself. The front door is the guide's."""

from __future__ import annotations

from django.urls import path

from seawall.site import views

app_name = "site"
urlpatterns = [
    path("privacy/", views.privacy, name="privacy"),
    path("leaving/", views.leaving, name="leaving"),
    path("health/", views.health, name="health"),
]
