"""The directory for machines: the file, its signature and the key that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from seawall.directory.publishing import published, seconds_left

if TYPE_CHECKING:
    from django.http import HttpRequest


def _kept_until_midnight(content: bytes, content_type: str) -> HttpResponse:
    """The one answer of this site that may be kept: it is the same for everybody and says nothing of who asked."""
    response = HttpResponse(content, content_type=content_type)
    response["Cache-Control"] = f"public, max-age={seconds_left(timezone.now())}"
    return response


@require_safe
def document(_request: HttpRequest) -> HttpResponse:
    """The whole directory as JSON."""
    return _kept_until_midnight(published(timezone.now().date()).document, "application/json")


@require_safe
def signature(_request: HttpRequest) -> HttpResponse:
    """64 bytes: the Ed25519 signature of exactly the file's bytes."""
    return _kept_until_midnight(published(timezone.now().date()).signature, "application/octet-stream")


@require_safe
def public_key(_request: HttpRequest) -> HttpResponse:
    """The key to check it with, as PEM."""
    return _kept_until_midnight(published(timezone.now().date()).public_key, "application/x-pem-file")
