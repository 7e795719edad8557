"""How the programs of a case's pages are answered: JSON both ways, and every refusal as ``{"message"}``.

`endpoint` joins the views of one address, `read` takes a request's body strictly. `evidence` answers the same way.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import structlog
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase, JsonResponse, UnreadablePostError

from seawall.lib.rates import network_asking

if TYPE_CHECKING:
    from collections.abc import Callable

    View = Callable[..., HttpResponseBase]

BODY_BYTES = 256 << 10
FULL = "There is no room left on this server. What you have is safe. Try again later."
# SQLite's code of a full disk, and PostgreSQL's.
_FULL = (sqlite3.SQLITE_FULL, "53100")

T = TypeVar("T", bound="Body")


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is sent is exactly this: an unknown field is a mistake, not an extension. ``bytes`` come as base64."""


class Empty(Body, frozen=True):
    """``{}``."""


class Refused(Exception):
    """Answer with this status and this sentence. ``more`` stands beside the message."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


def endpoint(**views: View) -> View:
    """One address: ``endpoint(GET=..., PUT=...)``. A method that is not there is refused with words."""
    allowed = ", ".join(views)

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        chosen = views.get(request.method or "")
        if chosen is None:
            return JsonResponse({"message": f"Use {allowed} here."}, status=405, headers={"Allow": allowed})
        try:
            return chosen(request, *args, **kwargs)
        except Refused as refused:
            return JsonResponse({"message": str(refused), **refused.more}, status=refused.status)
        except (OperationalError, sqlite3.OperationalError, OSError) as error:
            if not is_full(error):
                raise
            structlog.get_logger("seawall.cases").error("the disk is full")
            return JsonResponse({"message": FULL}, status=507)

    return view


def network_of(request: HttpRequest) -> bytes:
    """The network that asks, for counting and nothing else."""
    return network_asking(request.META, behind_proxy=settings.BEHIND_PROXY)


def read_bytes(request: HttpRequest, *, limit: int) -> bytes:
    """The whole body, at most ``limit`` bytes of it.

    :raises Refused: it is larger, or was cut off
    """
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Refused(400, "Content-Length is no number.") from None
    if length > limit:
        raise Refused(413, f"That is larger than {limit:,} bytes.")
    try:
        body = request.read(limit + 1)
    except UnreadablePostError:
        body = b""
    if len(body) != length:
        raise Refused(400, "The request was cut off. Send it once more.")
    return body


def read(request: HttpRequest, kind: type[T], *, limit: int = BODY_BYTES) -> T:
    """The JSON body as ``kind``.

    :raises Refused: it is not exactly that; the sentence says where
    """
    body = read_bytes(request, limit=limit)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(422, f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None


def is_full(error: BaseException | None) -> bool:
    """Whether the disk, the database's or ours, has no room left."""
    while error is not None:
        codes = (getattr(error, "sqlite_errorcode", None), getattr(error, "sqlstate", None))
        if any(code in _FULL for code in codes) or getattr(error, "errno", None) == 28:  # noqa: PLR2004 - ENOSPC
            return True
        error = error.__cause__
    return False
