"""/case/api/: open a case, sign in, share. The locker's part of it is in `evidence`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from django.http import JsonResponse
from django.utils import timezone
from msgspec import Meta

from seawall.cases import operations, queries, session
from seawall.cases.endpoint import Body, Empty, Refused, read

if TYPE_CHECKING:
    from django.http import HttpRequest

CaseHex = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
KeyHex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
SignatureHex = Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]
Nonce = Annotated[str, Meta(max_length=200)]
# Any key will do, so that a case that is not there takes as long to refuse as one that is.
_NOBODY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")  # RFC 8032, test 2
WRONG = "That did not open a case. Check the number and the words."


class Login(Body, frozen=True):
    """Who signs in, and the proof."""

    case: CaseHex
    nonce: Nonce
    signature: SignatureHex


class Open(Login, frozen=True):
    """A new case."""

    sign_key: KeyHex
    recipient: Annotated[str, Meta(max_length=62)]
    envelope: bytes


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
    try:
        operations.open_case(
            case=case, sign_key=sign_key, recipient=body.recipient, envelope=body.envelope, now=timezone.now()
        )
    except operations.Taken as error:
        raise Refused(409, str(error)) from None
    except (operations.BadKey, operations.BadEnvelope) as error:
        raise Refused(422, str(error)) from None
    return JsonResponse({"session": session.token(case), "seq": 1}, status=201)


def login(request: HttpRequest) -> JsonResponse:
    """Sign in. A case that is not there is refused like one whose words are wrong."""
    body = read(request, Login)
    case = bytes.fromhex(body.case)
    found = queries.find(case)
    sign_key = bytes(found.sign_key) if found else _NOBODY
    signature = bytes.fromhex(body.signature)
    right = session.proves(request, "login", case=case, sign_key=sign_key, nonce=body.nonce, signature=signature)
    if found is None or not right:
        raise Refused(401, WRONG)
    operations.use(case=found, now=timezone.now())
    return JsonResponse({"session": session.token(case)})
