"""The pages around protecting a picture. No address ever holds a token or a fingerprint."""

from __future__ import annotations

from django.urls import path

from seawall.protect import views

app_name = "protect"
urlpatterns = [
    path("protect/", views.start, name="start"),
    path("protect/under-18/", views.under_18, name="under_18"),
    path("protect/picture/", views.picture, name="picture"),
    path("protect/picture/heic/", views.heic, name="heic"),
    path("protect/send/", views.send, name="send"),
    path("protect/receipt/", views.receipt, name="receipt"),
    path("protect/receipt/withdraw/", views.withdraw, name="withdraw"),
]
