"""/case/api/: the manifest with everything that goes with it, the log, the files, and the end of it all."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, cast

import structlog
from django.conf import settings
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from msgspec import Meta

from seawall.cases import operations as cases
from seawall.cases import queries as case_queries
from seawall.cases import session
from seawall.cases.endpoint import FULL, Body, Refused, network_of, read
from seawall.evidence import operations, queries, reserve, rows, uploads
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from django.http import HttpRequest

    from seawall.cases.models import Case
    from seawall.evidence.models import Blob

IdHex = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Sha256Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Ids = Annotated[list[IdHex], Meta(max_length=operations.FILES)]
# A manifest of 2 MiB in base64, and a thousand rows of the log.
WRITE_BYTES = 5 << 20
CROWDED = (
    "Much was sent from your network in this hour. What arrived is safe. Go on in an hour, or from another network."
)
_sent = Rates()


class Write(Body, frozen=True):
    """A manifest, and what is to happen together with it."""

    envelope: bytes
    attach: Ids = []
    erase: Ids = []
    log: Annotated[list[bytes], Meta(max_length=1000)] = []
    root: Sha256Hex | None = None


class Upload(Body, frozen=True):
    """How long a sealed file is."""

    size: Annotated[int, Meta(ge=1, le=1 << 50)]


class Done(Body, frozen=True):
    """What all of a sealed file sums up to."""

    sha256: Sha256Hex


class Erase(Body, frozen=True):
    """The proof that it is the owner who ends this case."""

    nonce: Annotated[str, Meta(max_length=200)]
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


@session.require
def manifest(request: HttpRequest) -> JsonResponse:
    """The manifest in force, and what stands beside it."""
    case = _case(request)
    try:
        found = queries.locker(case)
    except case_queries.UnknownCase:
        raise Refused(401, session.SIGNED_OUT) from None
    return JsonResponse(
        {
            "seq": found.seq,
            "envelope": _text(found.envelope),
            "log": {"count": found.log.count, "head": found.log.digest.hex()},
            "stamps": found.stamps,
            "ends": case_queries.ends(case).isoformat(),
            "files": [{"id": blob.hex(), "size": size} for blob, size in found.files],
            "shares": [{"id": f"{each.id:016x}", "epoch": each.epoch} for each in case_queries.shares(case)],
        }
    )


@session.require
def write(request: HttpRequest) -> JsonResponse:
    """Replace the manifest, with everything that goes with it, or do nothing at all."""
    case, body = _case(request), read(request, Write, limit=WRITE_BYTES)
    change = operations.Change(
        envelope=body.envelope,
        attach=[bytes.fromhex(each) for each in body.attach],
        erase=[bytes.fromhex(each) for each in body.erase],
        log=body.log,
        root=bytes.fromhex(body.root) if body.root else None,
    )

    def put() -> int:
        return operations.write(case=case, change=change, now=timezone.now())

    try:
        seq = reserve.spend_on(put) if change.erase else put()
    except cases.Conflict as error:
        raise Refused(409, str(error), seq=error.seq) from None
    except (cases.BadEnvelope, rows.BadRow, operations.Missing) as error:
        raise Refused(422, str(error)) from None
    except operations.TooMuch as error:
        raise Refused(413, str(error)) from None
    except case_queries.UnknownCase:
        raise Refused(401, session.SIGNED_OUT) from None
    return JsonResponse({"seq": seq})


@session.require
def log(request: HttpRequest) -> JsonResponse:
    """The sealed rows after a number, a thousand at most."""
    after = _number(request, "after")
    try:
        found = queries.log(_case(request), after=after)
    except case_queries.UnknownCase:
        raise Refused(401, session.SIGNED_OUT) from None
    return JsonResponse({"rows": [_text(row) for row in found]})


@session.require
def stamps(request: HttpRequest) -> JsonResponse:
    """What the time-stamping authorities answered."""
    try:
        found = [
            {"root": root.hex(), "authority": url, "token": _text(token)}
            for root, url, token in queries.stamps(_case(request))
        ]
    except case_queries.UnknownCase:
        raise Refused(401, session.SIGNED_OUT) from None
    return JsonResponse({"stamps": found})


@session.require
def start(request: HttpRequest) -> JsonResponse:
    """Begin to send a sealed file."""
    body = read(request, Upload)
    _see_that_there_is_room(body.size)
    try:
        blob = operations.start_upload(case=_case(request), size=body.size, now=timezone.now())
    except operations.TooMuch as error:
        raise Refused(413, str(error)) from None
    except case_queries.UnknownCase:
        raise Refused(401, session.SIGNED_OUT) from None
    return JsonResponse({"id": blob.hex()}, status=201)


@session.require
def part(request: HttpRequest, id_: str) -> JsonResponse:
    """The next part of a file, 4 MiB at most."""
    offset, length = _number(request, "offset"), _length(request)
    blob = _unfinished(request, id_)
    if blob.state == blob.State.WHOLE or offset + length > blob.size:
        raise Refused(409, "That is more than the file has.", received=_received(request, id_))
    _see_that_there_is_room(length)
    if _sent.count(network_of(request), now=timezone.now(), by=length) > settings.SENT_AN_HOUR:
        raise Refused(429, CROWDED)
    try:
        came = uploads.append(bytes(blob.blob), offset=offset, source=request, length=length)
    except uploads.WrongOffset as error:
        raise Refused(409, str(error), received=error.received) from None
    return JsonResponse({"received": came})


@session.require
def received(request: HttpRequest, id_: str) -> JsonResponse:
    """How much of a file has come."""
    return JsonResponse({"received": _received(request, id_)})


@session.require
def done(request: HttpRequest, id_: str) -> JsonResponse:
    """All of the file was sent."""
    body = read(request, Done)
    blob = _unfinished(request, id_)
    try:
        operations.finish_upload(blob=blob, sha256=bytes.fromhex(body.sha256), now=timezone.now())
    except uploads.WrongOffset as error:
        raise Refused(409, str(error), received=error.received) from None
    except uploads.WrongSum as error:
        raise Refused(422, str(error)) from None
    except queries.UnknownFile as error:
        raise Refused(404, str(error)) from None
    return JsonResponse({"size": blob.size})


@session.require
def file(request: HttpRequest, id_: str) -> StreamingHttpResponse:
    """A sealed file, streamed."""
    try:
        blob = queries.kept(_case(request), bytes.fromhex(id_))
        pieces = queries.storage().pieces(blob.name)
    except (queries.UnknownFile, FileNotFoundError):
        raise Refused(404, "This file is not here any more.") from None
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
    return StreamingHttpResponse(pieces, headers=headers)


@session.require
def cancel(request: HttpRequest, id_: str) -> HttpResponse:
    """Drop a file that no manifest speaks of."""
    operations.cancel_upload(blob=_unfinished(request, id_))
    return HttpResponse(status=204)


@session.require
def erase(request: HttpRequest) -> HttpResponse:
    """End the case, and everything in it."""
    case, body = _case(request), read(request, Erase)
    signature = bytes.fromhex(body.signature)
    sign_key = bytes(case.sign_key)
    if not session.proves(
        request, "erase", case=bytes(case.case), sign_key=sign_key, nonce=body.nonce, signature=signature
    ):
        raise Refused(401, "The signature does not fit, or took longer than a minute. Try again.")
    reserve.spend_on(lambda: operations.erase_case(case=case, now=timezone.now()))
    return HttpResponse(status=204)


def _see_that_there_is_room(size: int) -> None:
    """Files alone are refused: who fills lockers must not keep others from protecting pictures, or from erasing."""
    if not reserve.has_room(size):
        structlog.get_logger("seawall.evidence").warning("a file was refused: the disk has little room left")
        raise Refused(507, FULL)


def _case(request: HttpRequest) -> Case:
    return cast("session.CaseRequest", request).case


def _unfinished(request: HttpRequest, id_: str) -> Blob:
    try:
        return queries.unfinished(_case(request), bytes.fromhex(id_))
    except queries.UnknownFile as error:
        raise Refused(404, str(error)) from None


def _received(request: HttpRequest, id_: str) -> int:
    try:
        return queries.received(_case(request), bytes.fromhex(id_))
    except queries.UnknownFile as error:
        raise Refused(404, str(error)) from None


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):  # noqa: PLR2004 - digits of a petabyte
        raise Refused(400, f"Say ?{name}= and a whole number.")
    return int(text)


def _length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or ""
    if not (text.isascii() and text.isdigit()):
        raise Refused(411, "Say with Content-Length how long the part is.")
    if int(text) > operations.PART_BYTES:
        raise Refused(413, f"A part has {operations.PART_BYTES:,} bytes at most.")
    return int(text)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
