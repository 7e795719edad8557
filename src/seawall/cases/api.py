"""/case/api/: open a case, sign in, share. The locker's part of it is in `evidence`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from msgspec import Meta

from seawall.cases import guessing, keys, operations, queries, roster, session
from seawall.cases.endpoint import Body, Empty, Refused, network_of, read
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from django.http import HttpRequest

    from seawall.cases.session import CaseRequest

_opened = Rates()

Hex16 = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
KeyHex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
SignatureHex = Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]
Nonce = Annotated[str, Meta(max_length=200)]
# Any key will do, so that a case that is not there takes as long to refuse as one that is.
_NOBODY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")  # RFC 8032, test 2
# What a page seals for the team: of 500 files, a key, a name and a hash.
SEALED_BYTES = 160 << 10
NOBODY_TO_SHARE_WITH = "There is no team to share with on this site."
TOO_MANY = "Too many cases were opened from your network in this hour. Try again in an hour, or from another network."


class Login(Body, frozen=True):
    """Who signs in, and the proof."""

    case: Hex16
    nonce: Nonce
    signature: SignatureHex


class Open(Login, frozen=True):
    """A new case."""

    sign_key: KeyHex
    recipient: Annotated[str, Meta(max_length=62)]
    envelope: bytes


class NewShare(Body, frozen=True):
    """Files to share, re-sealed to the team's key of that epoch."""

    epoch: Annotated[int, Meta(ge=1, le=999_999_999)]
    sealed: Annotated[bytes, Meta(min_length=1, max_length=SEALED_BYTES)]
    files: Annotated[list[Hex16], Meta(max_length=500)]


def challenge(request: HttpRequest) -> JsonResponse:
    """A nonce to sign."""
    read(request, Empty)
    return JsonResponse({"nonce": session.nonce()})


def open_case(request: HttpRequest) -> JsonResponse:
    """Open a case, and be signed in."""
    body = read(request, Open)
    case, sign_key = bytes.fromhex(body.case), bytes.fromhex(body.sign_key)
    signature = bytes.fromhex(body.signature)
    if not session.proves(request, "open", case=case, sign_key=sign_key, nonce=body.nonce, signature=signature):
        raise Refused(401, "The signature does not fit, or took longer than a minute. Try again.")
    now = timezone.now()
    if _opened.count(network_of(request), now=now) > settings.CASES_AN_HOUR:
        raise Refused(429, TOO_MANY)
    try:
        operations.open_case(case=case, sign_key=sign_key, recipient=body.recipient, envelope=body.envelope, now=now)
    except operations.Taken as error:
        raise Refused(409, str(error)) from None
    except (operations.BadKey, operations.BadEnvelope) as error:
        raise Refused(422, str(error)) from None
    return JsonResponse({"session": session.token(case), "seq": 1}, status=201)


def login(request: HttpRequest) -> JsonResponse:
    """Sign in. A case that is not there is refused like one whose words are wrong."""
    body = read(request, Login)
    case = bytes.fromhex(body.case)
    known = queries.sign_key(case)
    right = session.proves(
        request,
        "login",
        case=case,
        sign_key=known or _NOBODY,
        nonce=body.nonce,
        signature=bytes.fromhex(body.signature),
    )
    found = queries.find(case) if known and right else None
    if found is None or keys.get(case) is None:
        raise guessing.refuse(case, now=timezone.now())
    operations.use(case=found, now=timezone.now())
    return JsonResponse({"session": session.token(case)})


@session.require
def share(request: CaseRequest) -> JsonResponse:
    """Keep what was re-sealed for the team."""
    body = read(request, NewShare)
    signed = roster.current(now=timezone.now())
    if signed is None:
        raise Refused(404, NOBODY_TO_SHARE_WITH)
    if signed.roster.epoch != body.epoch:
        raise Refused(409, "The team's key has changed. Load the team again, and share once more.")
    try:
        made = operations.share(case=request.case, epoch=body.epoch, sealed=body.sealed, files=tuple(body.files))
    except operations.TooManyShares as error:
        raise Refused(409, str(error)) from None
    except operations.UnknownCase:
        raise Refused(401, session.SIGNED_OUT) from None
    return JsonResponse({"id": made.name}, status=201)


@session.require
def revoke(request: CaseRequest, share: str) -> HttpResponse:
    """Take it back. One that is gone already is answered the same."""
    operations.revoke(case=request.case, share=int(share, 16))
    return HttpResponse(status=204)


def team(_request: HttpRequest) -> JsonResponse:
    """Who can be shared with. It is no secret, and needs no sign-in."""
    signed = roster.current(now=timezone.now())
    if signed is None:
        raise Refused(404, NOBODY_TO_SHARE_WITH)
    return JsonResponse({"roster": signed.roster.text, "signature": signed.signature.hex()})
