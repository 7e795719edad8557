"""The pages about the site itself, and what to say when something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Who controls what, for how long, and a person's rights."""
    return render(request, "site/privacy.html")


@require_safe
def leaving(request: HttpRequest) -> HttpResponse:
    """What the exit does and does not do, and how to clear a browser's history."""
    return render(request, "site/leaving.html")


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Answer once the site can serve. Asks nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


def _problem(request: HttpRequest, status: int, title: str, next_step: str) -> HttpResponse:
    """A page for people; ``{"message"}`` for programs."""
    if request.path.startswith(("/api/", "/case/api/", "/v1/")):
        return JsonResponse({"message": f"{title} {next_step}"}, status=status)
    context = {"title": title, "next_step": next_step, "lost": True}
    return render(request, "site/problem.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """400: something in the request is not as it should be."""
    return _problem(request, 400, _("That did not arrive as it should."), _("Go back and try once more."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """403: a form that another site sent."""
    return _problem(
        request, 403, _("That came from another website."), _("Open this site itself and start from there.")
    )


def not_allowed(request: HttpRequest, refused: HttpResponse) -> HttpResponse:
    """405: a form sent to a page that takes none. Programs keep the answer they got."""
    if request.path.startswith(("/api/", "/case/api/", "/v1/")) or refused.content:
        return refused
    response = _problem(request, 405, _("This page takes no form."), _("Start again from the front page."))
    response.headers["Allow"] = refused.headers.get("Allow", "GET, HEAD")
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """404: no such page."""
    return _problem(request, 404, _("There is no such page."), _("Start again from the front page."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault."""
    return _problem(
        request,
        500,
        _("Something went wrong on our side."),
        _("Nothing was lost by you. Try again in a minute."),
    )
