"""What every answer carries, which forms are let in, and the layout that is easier to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.middleware.gzip import GZipMiddleware
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation

from seawall.site.frame import POLICY
from seawall.site.views import forbidden, not_allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

# No page of ours needs a sensor or a neighbour.
PERMISSIONS = "camera=(), microphone=(), geolocation=(), browsing-topics=(), payment=(), usb=(), interest-cohort=()"
# What may lie in a cache: the files of practitioners' pages, and the directory, which is for machines. Nothing else,
# not even the answer that there is no such file: it would tell what was asked.
KEPT = ("/static/admin/", "/directory.json")
# What is worth compressing.
SHRINKING = ("text/html", "text/javascript", "text/css")
# What is no page for a visitor, and so has no second layout.
NOT_EASY = tuple(f"/easy{path}" for path in ("/staff", "/static/", "/api/", "/case/api/", "/v1/", "/directory.json"))


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep pages, and the files they load, out of caches, other sites and histories' referrers."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        # A cached style would outlive the exit.
        if not (response.status_code in {200, 304} and request.path.startswith(KEPT)):
            response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = PERMISSIONS
        response.headers["X-Robots-Tag"] = "noarchive"
        if request.is_secure():
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

    return middleware


def compressed(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Send pages, and scripts and styles, compressed, for old phones on slow lines.

    The exchange's answers are hashes, which hardly shrink.
    """
    gzip = GZipMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith(SHRINKING):
            return gzip.process_response(request, response)  # type: ignore[return-value]
        return response

    return middleware


def easy_read(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Serve every page at ``/easy/...`` too, in the layout that is easier to read.

    The choice stands in the path because nothing is stored: every link that Django builds keeps the prefix. What is no
    page stands at its one address: practitioners' cookies, for one, hold for ``/staff/`` alone.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path_info
        request.easy_read = path.startswith("/easy/") and not path.startswith(NOT_EASY)  # type: ignore[attr-defined]
        if not request.easy_read:  # type: ignore[attr-defined]
            return get_response(request)
        request.path_info = path.removeprefix("/easy")
        before = get_script_prefix()
        set_script_prefix("/easy/")
        try:
            return get_response(request)
        finally:
            set_script_prefix(before)

    return middleware


def language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer in the language that the path begins with, and in English where it names none.

    Nothing else is asked, neither the browser's languages nor a cookie: an address is the same page for everybody.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        named = translation.get_language_from_path(request.path_info)
        with translation.override(named or settings.LANGUAGE_CODE):
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response

    return middleware


def same_site(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse what another site's page sent to change something, and answer one where none is taken with words.

    Public pages have no cookie, so there is no authority to ride on; this keeps other sites from submitting in a
    visitor's name. Django's own CSRF check would refuse our forms: with ``no-referrer`` their Origin is ``null``.
    Programs (the exchange's partners) and browsers older than Sec-Fetch-Site send no such header and pass.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method in {"POST", "PUT", "DELETE"} and request.headers.get("Sec-Fetch-Site", "none") not in {
            "same-origin",
            "none",
        }:
            return forbidden(request)
        request.encoding = "utf-8"  # forms are in no other, whatever codec of Python's the sender names
        response = get_response(request)
        return not_allowed(request, response) if response.status_code == 405 else response  # noqa: PLR2004 - its name is the function's

    return middleware
