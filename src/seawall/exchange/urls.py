"""Where partners call: /v1/ speaks StopNCII's protocol, /api/ our own."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, re_path

from seawall.exchange import v1
from seawall.exchange.api import api

if TYPE_CHECKING:
    from collections.abc import Callable


def _absent(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    return JsonResponse({"message": "There is nothing here. /api/openapi.json says what there is."}, status=404)


def _refuse_in_json(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """django-ninja refuses a wrong method in plain text, where every other refusal of ours is JSON."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = view(request, *args, **kwargs)
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return answer
        allowed = answer["Allow"]
        return JsonResponse({"message": f"Use {allowed} here."}, status=answer.status_code, headers={"Allow": allowed})

    return wrapped


_api = api.urls
for _pattern in _api[0]:
    if _pattern.callback is not None:
        _pattern.callback = _refuse_in_json(_pattern.callback)

urlpatterns = [
    path("api/", _api),
    path("v1/FetchHashes", v1.fetch_hashes),
    path("v1/SubmitHashes", v1.submit_hashes),
    path("v1/SubmitFeedback", v1.submit_feedback),
    re_path(r"^(?:api|v1)(?:/|$)", _absent),
]
