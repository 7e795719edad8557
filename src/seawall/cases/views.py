"""The case page, which does everything on the person's device, and the worker that makes its key."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from seawall.site import frame

if TYPE_CHECKING:
    from django.http import HttpRequest

# The page talks to this site only, and starts two workers: the one that makes the key, the one that seals files.
PAGE = frame.policy(
    "connect-src 'self'",
    "worker-src 'self'",
    "media-src blob:",
    pictures="'self' data: blob:",
    types="seawall-derive seawall-sealer",
)
# Argon2 is WebAssembly. Only here may it run, where there is no page, no case and no way to send anything.
WORKER = "default-src 'none'; script-src 'wasm-unsafe-eval'"


@require_safe
def case(request: HttpRequest) -> HttpResponse:
    """The page: open a case, come back to one, see what is in it. The same bytes for everybody."""
    response = render(request, "cases/case.html")
    response["Content-Security-Policy"] = PAGE
    return response


@functools.cache
def _worker() -> bytes:
    """Built by `make web` from web/argon2.js."""
    return (files("seawall.site") / "static/site/vendor/argon2.js").read_bytes()


@require_safe
def derive(_request: HttpRequest) -> HttpResponse:
    """The worker that turns words into a key."""
    return HttpResponse(_worker(), content_type="text/javascript", headers={"Content-Security-Policy": WORKER})
