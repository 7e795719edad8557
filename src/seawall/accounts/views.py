"""What a practitioner sees when a form is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from django.http import HttpRequest


def form_refused(request: HttpRequest, reason: str = "") -> NoReturn:  # noqa: ARG001 - Django's signature
    """A form without its token gets the site's own 403.

    :raises PermissionDenied: always
    """
    raise PermissionDenied
