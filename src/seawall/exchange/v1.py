"""The StopNCII protocol under /v1/, for clients that speak it already: they change a base URL and their keys.

Errors are `{"message": ...}`: 401 for keys, 400 for everything that is not the protocol. A batch is taken whole or
not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from msgspec import Meta, Struct

from seawall.exchange import operations, stopncii
from seawall.exchange.hours import to_hours
from seawall.exchange.keys import hash_key
from seawall.exchange.models import PartnerKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

MOST_RECORDS = 1000
_DEFAULT_PAGE = 800  # what the stock client asks for
_LATEST = 10**11  # seconds; the year 5138

Opinion = Literal["Unknown", "None", "QualityUnknown", "PendingReview", "Blocked", "NotBlocked", "Withdrawn", "Deleted"]
Tag = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00]*$")]  # PostgreSQL cannot hold a NUL
Tags = Annotated[list[Tag], Meta(max_length=20)]


class _Refused(Exception):
    """Answer this status with this sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class SentOpinion(Struct):
    """A partner's opinion of the hash it submits."""

    feedbackValue: Opinion  # noqa: N815 - the protocol's name
    tags: Tags = []


class SentRecord(Struct):
    """A hash that a partner submits."""

    signalType: str  # noqa: N815
    hashValue: str  # noqa: N815
    lastModtimestamp: int = 0  # noqa: N815 - the partner's clock; ours decides
    CSPFeedbacks: Annotated[list[SentOpinion], Meta(max_length=20)] = []


class Hashes(Struct):
    """The body of SubmitHashes."""

    count: int
    hashRecords: Annotated[list[SentRecord], Meta(max_length=MOST_RECORDS)]  # noqa: N815


class SentFeedback(Struct):
    """An opinion of whatever has this value. The protocol names neither its type nor its source."""

    feedbackValue: Opinion  # noqa: N815
    hashValue: str  # noqa: N815
    tags: Tags = []


class Feedbacks(Struct):
    """The body of SubmitFeedback."""

    count: int
    hashFeedbacks: Annotated[list[SentFeedback], Meta(max_length=MOST_RECORDS)]  # noqa: N815


def _endpoint(
    method: str, kind: PartnerKey.Kind
) -> Callable[[Callable[[HttpRequest, int], Any]], Callable[[HttpRequest], HttpResponse]]:
    """Check method and both keys, answer what the view returns as JSON, and refuse with a sentence."""

    def decorate(view: Callable[[HttpRequest, int], Any]) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest) -> HttpResponse:
            try:
                partner_id = _partner(request, kind)
                if request.method == method:
                    return _json(200, view(request, partner_id))
                return _json(405, {"message": f"Use {method} here."})
            except _Refused as error:
                return _json(error.status, {"message": str(error)})
            except RequestDataTooBig:
                return _json(413, {"message": f"Send at most {MOST_RECORDS} records, and less than 1 MiB, at a time."})
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, stopncii.BadPage) as error:
                return _json(400, {"message": str(error)})

        return wrapped

    return decorate


def _json(status: int, body: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")


def _partner(request: HttpRequest, kind: PartnerKey.Kind) -> int:
    """The partner to whom both keys belong."""
    wanted = {
        hash_key(request.headers.get("x-functions-key", "")): kind,
        hash_key(request.headers.get("Ocp-Apim-Subscription-Key", "")): PartnerKey.Kind.SUBSCRIPTION,
    }
    rows = PartnerKey.objects.filter(hash__in=list(wanted), revoked=None).values_list("hash", "kind", "partner_id")
    partners = [partner for shown, its_kind, partner in rows if wanted[bytes(shown)] == its_kind]
    if len(partners) != len({kind, PartnerKey.Kind.SUBSCRIPTION}) or len(set(partners)) != 1:
        raise _Refused(401, "Send x-functions-key for this endpoint and Ocp-Apim-Subscription-Key, of one partner.")
    return partners[0]


def _number(request: HttpRequest, name: str, default: int, least: int, most: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise _Refused(400, f"{name} must be a whole number from {least} to {most}.")
    return int(text)


@_endpoint("GET", PartnerKey.Kind.FETCH)
def fetch_hashes(request: HttpRequest, partner_id: int) -> dict[str, Any]:
    """A page of records, oldest change first."""
    now = datetime.now(UTC)
    start = _number(request, "startTimestamp", stopncii.FROM_THE_START, 0, _LATEST)
    size = _number(request, "pageSize", _DEFAULT_PAGE, 1, MOST_RECORDS)
    token = request.GET.get("nextPageToken") or None
    handed = False
    while not handed:
        page = stopncii.page(partner_id=partner_id, start=start, size=size, token=token, hour=to_hours(now))
        handed = operations.note_fetch(
            partner_id=partner_id,
            entries=page.fresh,
            full=start <= stopncii.FROM_THE_START and page.token is None,
            now=now,
        )
    return {
        "count": len(page.records),
        "nextPageToken": page.token,
        "nextSetTimestamp": page.next_start,
        "hasMoreRecords": page.token is not None,
        "hashRecords": page.records,
    }


@_endpoint("POST", PartnerKey.Kind.SUBMIT)
def submit_hashes(request: HttpRequest, partner_id: int) -> dict[str, Any]:
    """Take hashes that a partner found itself. They are shared with every partner and alter nobody's entry."""
    body = msgspec.json.decode(request.body, type=Hashes)
    _count(body.count, body.hashRecords)
    found = [
        operations.FoundHash(
            *_signal(record.signalType, record.hashValue),
            opinions=tuple((each.feedbackValue, tuple(each.tags)) for each in record.CSPFeedbacks),
        )
        for record in body.hashRecords
    ]
    operations.submit_found(partner_id=partner_id, found=found, now=datetime.now(UTC))
    return {}


@_endpoint("POST", PartnerKey.Kind.FEEDBACK)
def submit_feedback(request: HttpRequest, partner_id: int) -> dict[str, Any]:
    """Take a partner's opinions, by value."""
    body = msgspec.json.decode(request.body, type=Feedbacks)
    _count(body.count, body.hashFeedbacks)
    opinions = [
        operations.Opinion(_value(each.hashValue), each.feedbackValue, tuple(each.tags)) for each in body.hashFeedbacks
    ]
    operations.take_opinions(partner_id=partner_id, opinions=opinions, now=datetime.now(UTC))
    return {}


def _count(count: int, records: list[Any]) -> None:
    if count != len(records):
        raise _Refused(400, f"count says {count}, and there are {len(records)}.")


# The stock client sends the name of the enum as Python writes it, "StopNCIISignalType.ImagePDQ".
_SIGNALS = {name: signal for signal, name in stopncii.TYPES.items()}
_DIGITS = {"ImagePDQ": 64, "VideoMD5": 32}


def _signal(name: str, text: str) -> tuple[str, str, bytes]:
    name = name.removeprefix("StopNCIISignalType.")
    if name not in _SIGNALS:
        raise _Refused(400, f"signalType must be one of {', '.join(_SIGNALS)}: this exchange keeps no others.")
    if len(text) != _DIGITS[name]:
        raise _Refused(400, f"A hashValue of {name} has {_DIGITS[name]} digits.")
    return *_SIGNALS[name], _value(text)


def _value(text: str) -> bytes:
    if len(text) not in _DIGITS.values() or not set(text) <= set("0123456789abcdef"):
        raise _Refused(400, "A hashValue is 64 (ImagePDQ) or 32 (VideoMD5) lowercase hex digits.")
    return bytes.fromhex(text)
