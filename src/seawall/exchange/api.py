"""Our own feed, under /api/: follow, acknowledge, report back; and a receipt's status and withdrawal.

Partners show `Authorization: Bearer <api key>`. A person shows the token of a receipt, which is all the authority
there is. Every error is `{"message": ...}`. docs/spec/feed.md says what a follower must do.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field

from seawall.exchange import operations, queries
from seawall.exchange.cursor import BadCursor, Cursor
from seawall.exchange.keys import hash_key
from seawall.exchange.wire import parse_token
from seawall.lib.rates import Rates, network_asking

if TYPE_CHECKING:
    from seawall.exchange.queries import Caller

# pydantic counts digits as int() does, which is quadratic: 19 digits hold any 63-bit number.
EntryId = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,18})$", examples=["4611686018427387904"])]
CursorText = Annotated[str, Field(max_length=64, description="Opaque: keep it as it is.")]
Token = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Body(Schema):
    """What is sent is exactly this: an unknown field is a mistake, not an extension."""

    model_config = ConfigDict(extra="forbid")


class Message(Schema):
    """What went wrong, and what to do."""

    message: str


class Signal(Schema):
    """A fingerprint of an entry. Pass over a version you do not know."""

    signal: EntryId
    kind: Literal["image", "video"]
    version: Literal["pdq1", "windows1", "vpdq1", "md5", "sha256"]
    value: Annotated[str, Field(description="Hex; of windows1 and vpdq1 base64url without padding.")]
    quality: int


class Change(Schema):
    """An entry that came, with its signals, or went."""

    entry: EntryId
    change: Literal["add", "remove"]
    signals: list[Signal] | None = None


class Feed(Schema):
    """A page of the feed."""

    cursor: CursorText
    changes: list[Change]
    more: bool


class Ack(Body):
    """A gate holds everything up to the cursor."""

    gate: UUID
    cursor: CursorText


class Event(Body):
    """What became of an upload that matches an entry: it was found, it was stopped, or nothing is done about it."""

    event: UUID
    entry: EntryId
    outcome: operations.Outcome


class Events(Body):
    """What a gate did."""

    events: list[Event] = Field(max_length=1000)


class Counted(Schema):
    """How many events were about entries this partner holds."""

    accepted: int


class Receipt(Body):
    """The token of one picture, from a receipt."""

    token: Token


class PlatformStatus(Schema):
    """What became of the picture at one platform."""

    slug: str
    name: str
    partner: str
    state: queries.PlatformState
    since: datetime
    blocked: int


class EntryStatus(Schema):
    """What became of the picture."""

    state: Literal["active", "withdrawing", "withdrawn"]
    hour: datetime
    platforms: list[PlatformStatus]


class TooManyAsked(Exception):
    """Somebody in that network asked about more receipts in this hour than a person would."""


class PartnerKeyAuth(HttpBearer):
    """A partner's api key."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:  # noqa: ARG002 - ninja's signature
        """Who shows this key."""
        return queries.caller(hash_key(token))


api = NinjaAPI(title="Seawall exchange", version="1", docs_url=None, urls_namespace="exchange-api")
_partner = PartnerKeyAuth()
_encode = msgspec.json.Encoder().encode
_REFUSED = {400: Message, 422: Message}
_FOLLOWER_REFUSED = {**_REFUSED, 401: Message, 410: Message, 413: Message}
_RECEIPT_REFUSED = {**_REFUSED, 404: Message, 413: Message, 429: Message}
# A case asks 900 times an hour at most (cases/asking.js), and a network may be a whole town's.
MOST_ASKED = 10_000
_asked = Rates()


def _caller(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


@api.get("/feed", auth=_partner, response={200: Feed, **_FOLLOWER_REFUSED}, exclude_none=True)
def feed(
    request: HttpRequest,
    cursor: Annotated[CursorText | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    windows: Annotated[bool, Query()] = False,  # noqa: FBT002 - a field of the query
) -> HttpResponse:
    """The changes after ``cursor``, in order; from the beginning without one. ``windows``: windows1 signals too."""
    place = None if cursor is None else Cursor.parse(cursor)
    page = operations.hand_out(caller=_caller(request), cursor=place, limit=limit, windows=windows, now=_now())
    return HttpResponse(_encode(_page(page)), content_type="application/json")


def _page(page: queries.Changes) -> dict[str, Any]:
    return {"cursor": str(page.cursor), "changes": [_change(each) for each in page.changes], "more": page.more}


def _change(each: queries.Change) -> dict[str, Any]:
    if not each.signals:
        return {"entry": str(each.entry), "change": "remove"}
    signals = [
        {"signal": str(pk), "kind": kind, "version": version, "value": _text(version, value), "quality": quality}
        for pk, kind, version, value, quality in each.signals
    ]
    return {"entry": str(each.entry), "change": "add", "signals": signals}


def _text(version: str, value: bytes) -> str:
    """Hex, which everybody reads; of long ones the shorter base64url (without padding: they are a multiple of 3)."""
    return base64.urlsafe_b64encode(value).decode() if version in {"windows1", "vpdq1"} else value.hex()


@api.post("/ack", auth=_partner, response={204: None, **_FOLLOWER_REFUSED})
def ack(request: HttpRequest, body: Ack) -> Status[None]:
    """Say that this gate holds, on disk and in its index, everything up to ``cursor``. Repeat it hourly."""
    operations.acknowledge(caller=_caller(request), gate=body.gate, cursor=Cursor.parse(body.cursor), now=_now())
    return Status(204, None)


@api.post("/feedback", auth=_partner, response={200: Counted, **_FOLLOWER_REFUSED})
def feedback(request: HttpRequest, body: Events) -> dict[str, int]:
    """Report what became of uploads that match. Each event counts once, however often it is sent."""
    events = [operations.Report(each.event, int(each.entry), each.outcome) for each in body.events]
    return {"accepted": operations.take_feedback(caller=_caller(request), events=events, now=_now())}


@api.post("/receipts/status", response={200: EntryStatus, **_RECEIPT_REFUSED})
def status(request: HttpRequest, body: Receipt) -> queries.EntryStatus:
    """What became of the picture of this token."""
    _count(request)
    return queries.status(token=parse_token(body.token), now=_now())


@api.post("/receipts/withdraw", response={200: EntryStatus, **_RECEIPT_REFUSED})
def withdraw(request: HttpRequest, body: Receipt) -> queries.EntryStatus:
    """Take the picture of this token out of the bank. Twice is as good as once."""
    _count(request)
    token = parse_token(body.token)
    operations.withdraw(token=token, now=_now())
    return queries.status(token=token, now=_now())


def _count(request: HttpRequest) -> None:
    if _asked.count(network_asking(request.META, behind_proxy=settings.BEHIND_PROXY), now=_now()) > MOST_ASKED:
        raise TooManyAsked


def _now() -> datetime:
    return datetime.now(UTC)


def _answer(request: HttpRequest, code: int, message: str) -> HttpResponse:
    return api.create_response(request, {"message": message}, status=code)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(request, 422, f"{where}: {first['msg']}.")


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:  # noqa: ARG001
    response = _answer(request, 401, "This is no key of ours, or no longer. Send `Authorization: Bearer <api key>`.")
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _answer(request, error.status_code, str(error))


@api.exception_handler(Http404)
def _absent(request: HttpRequest, error: Http404) -> HttpResponse:  # noqa: ARG001
    return _answer(request, 404, "There is nothing here. /api/openapi.json says what there is.")


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:  # noqa: ARG001
    return _answer(request, 413, "This is too much at once. Send at most 1000 events, and less than 1 MiB.")


@api.exception_handler(TooManyAsked)
def _too_many(request: HttpRequest, error: TooManyAsked) -> HttpResponse:  # noqa: ARG001
    return _answer(request, 429, "Your network asked very often in this hour. Try again in an hour.")


@api.exception_handler(BadCursor)
def _bad_cursor(request: HttpRequest, error: BadCursor) -> HttpResponse:
    return _answer(request, 400, str(error))


@api.exception_handler(queries.StaleCursor)
def _stale(request: HttpRequest, error: queries.StaleCursor) -> HttpResponse:
    return _answer(request, 410, str(error))


@api.exception_handler(queries.UnknownEntry)
def _unknown(request: HttpRequest, error: queries.UnknownEntry) -> HttpResponse:
    return _answer(request, 404, str(error))
