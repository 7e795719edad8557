"""Pages that say the same to everybody are rendered once, and again when something they say has changed."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from seawall.guide.queries import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Kept:
    """A page as it is sent, and what it follows from."""

    version: Hashable
    plain: bytes
    zipped: bytes


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view ``facts``, and call it only where the page in memory is of an older version.

    A page follows from its path, which carries language and layout, and from the facts of the moment; ``view`` may look
    at nothing else of the request. Its paths are those of urls.py, so what is held stays small.
    """
    pages: dict[str, Kept] = {}

    @wraps(view)
    def answer(request: HttpRequest, **arguments: object) -> HttpResponse:
        facts = Facts(timezone.now())
        page = pages.get(request.path)
        if page is None or page.version != facts.version:
            body = view(request, facts=facts, **arguments).content
            page = pages[request.path] = Kept(facts.version, body, gzip.compress(body, mtime=0))
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(page.zipped if zipped else page.plain)
        patch_vary_headers(response, ["Accept-Encoding"])
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        return response

    return answer
