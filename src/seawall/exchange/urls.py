"""Where partners call: /v1/ speaks StopNCII's protocol, /api/ our own."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path

from seawall.exchange import v1
from seawall.exchange.api import api


def _absent(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    return JsonResponse({"message": "There is nothing here. /api/openapi.json says what there is."}, status=404)


urlpatterns = [
    path("api/", api.urls),
    path("v1/FetchHashes", v1.fetch_hashes),
    path("v1/SubmitHashes", v1.submit_hashes),
    path("v1/SubmitFeedback", v1.submit_feedback),
    re_path(r"^(?:api|v1)(?:/|$)", _absent),
]
