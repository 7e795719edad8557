"""Sessions, cookies and tokens for practitioners' pages, and only there: every other page runs through untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
    from django.http.response import HttpResponseBase

STAFF = "/staff/"
# Django's admin needs its own style and scripts, no more. Nothing inline.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def _is_staff_page(request: HttpRequest) -> bool:
    return request.path_info.startswith(STAFF)


def staff_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give practitioners' pages their own policy, and their cookies the Secure mark wherever there is TLS.

    The referrer is sent within the site because Django's own check of forms needs their Origin.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if _is_staff_page(request):
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["Referrer-Policy"] = "same-origin"
            for cookie in response.cookies.values() if request.is_secure() else ():
                cookie["secure"] = True
        return response

    return middleware


class _UnderStaff(MiddlewareMixin):
    """Steps aside for every page that is not a practitioner's."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return super().__call__(request) if _is_staff_page(request) else self.get_response(request)  # type: ignore[return-value]


class Sessions(_UnderStaff, SessionMiddleware):
    """A practitioner's session."""


class Csrf(_UnderStaff, CsrfViewMiddleware):
    """Django's own check of forms."""

    def process_view(
        self,
        request: HttpRequest,
        callback: Callable[..., HttpResponseBase],
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> HttpResponseForbidden | None:
        """Check a practitioner's form. Public forms carry no cookie, and seawall.site.middleware guards them."""
        if not _is_staff_page(request):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class Authentication(_UnderStaff, AuthenticationMiddleware):
    """Who signed in."""


class Messages(_UnderStaff, MessageMiddleware):
    """What the page before has to say."""
