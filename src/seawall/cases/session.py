"""Who asks: nonces, signed proofs, and the token of who is signed in. All stateless: no table knows of a session.

A proof is an Ed25519 signature of what is asked, a nonce of ours not older than a minute, the case and the origin, so
that it holds once, here and for nothing else. A token holds 30 minutes, longer while it is used, and lies in a header,
never in a cookie.
"""

from __future__ import annotations

import secrets
import time
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

from django.core import signing
from django.http import HttpRequest
from django.utils import timezone

from seawall.cases import keys, operations, queries
from seawall.cases.endpoint import Refused
from seawall.lib import signatures

if TYPE_CHECKING:
    from django.http import HttpResponseBase

    from seawall.cases.endpoint import View
    from seawall.cases.models import Case

NONCE_SECONDS = 60
IDLE_SECONDS = 30 * 60
# However often it was used, a token ends after this; a page signs in again by itself.
LONGEST_SECONDS = 12 * 3600
# A token older than this is renewed by the next answer.
_RENEW_SECONDS = 5 * 60
SIGNED_OUT = "You are signed out. Sign in with your number and words."

Action = Literal["open", "login", "erase"]


class CaseRequest(HttpRequest):
    """A request that `require` let in."""

    case: Case


def nonce() -> str:
    """A challenge, good for a minute. Nothing remembers it."""
    return signing.TimestampSigner(salt="seawall.cases.nonce").sign(secrets.token_hex(16))


def is_fresh(text: str) -> bool:
    """Whether that is a nonce of ours, not older than a minute."""
    try:
        signing.TimestampSigner(salt="seawall.cases.nonce").unsign(text, max_age=NONCE_SECONDS)
    except signing.BadSignature:
        return False
    return True


def origin(request: HttpRequest) -> str:
    """As the browser names it in ``location.origin``."""
    return f"{request.scheme}://{request.get_host()}"


def to_sign(action: Action, *, nonce: str, case: bytes, origin: str) -> bytes:
    """The bytes that a proof signs."""
    return f"seawall {action} 1\n{nonce}\n{case.hex()}\n{origin}\n".encode()


def proves(request: HttpRequest, action: Action, *, case: bytes, sign_key: bytes, nonce: str, signature: bytes) -> bool:
    """Whether the owner of that key asked for this, here and within the last minute."""
    message = to_sign(action, nonce=nonce, case=case, origin=origin(request))
    signed = signatures.verify(key=sign_key, signature=signature, message=message)
    return is_fresh(nonce) and signed  # both are looked at, whichever fails


def token(case: bytes, *, since: int | None = None) -> str:
    """A session's token, idle from now on; ``since`` is when the person signed in, if not just now."""
    started = int(time.time()) if since is None else since
    return signing.TimestampSigner(salt="seawall.cases.session").sign(f"{case.hex()}.{started:x}")


def require(view: View) -> View:
    """Let in who shows the token of a case that is still there, as ``request.case``; everyone else gets a 401."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        case, since = _shown(request)
        found = queries.find(case)
        if found is None or keys.get(case) is None:
            raise Refused(401, SIGNED_OUT)
        operations.use(case=found, now=timezone.now())
        request.case = found  # type: ignore[attr-defined]
        answer = view(request, *args, **kwargs)
        if since is not None:
            answer.headers["Session"] = token(case, since=since)
        return answer

    return wrapped


def _shown(request: HttpRequest) -> tuple[bytes, int | None]:
    """The case of the token shown, and when it began if it is time for a new one."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    signer = signing.TimestampSigner(salt="seawall.cases.session")
    try:
        if scheme.lower() != "bearer":
            raise signing.BadSignature  # noqa: TRY301 - one answer, whatever is wrong
        case, _, started = signer.unsign(shown, max_age=IDLE_SECONDS).partition(".")
        since = int(started, 16)
        if time.time() - since > LONGEST_SECONDS:
            raise signing.SignatureExpired
    except signing.BadSignature:
        raise Refused(401, SIGNED_OUT) from None
    try:
        signer.unsign(shown, max_age=_RENEW_SECONDS)
    except signing.SignatureExpired:
        return bytes.fromhex(case), since
    return bytes.fromhex(case), None
