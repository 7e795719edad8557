"""The guide's pages. Addresses stay in a browser's history, so they tell nothing."""

from __future__ import annotations

from django.urls import path

from seawall.guide import views

app_name = "guide"
urlpatterns = [
    path("", views.page, {"name": "home"}, name="home"),
    path("start/", views.start, name="start"),
    path("steps/", views.page, {"name": "steps"}, name="steps"),
    *(path(f"steps/{number}/", views.step, {"number": number}, name=name) for number, name in views.STEPS.items()),
    *(path(f"{name}/", views.page, {"name": name}, name=name) for name in views.PAGES),
]
