"""Ed25519, checked strictly: what one of our programs refuses, all refuse."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_PRIME = 2**255 - 19
# The y of the eight points whose order is small (RFC 8032's curve): such a "key" signs anything.
_SMALL_ORDER = {
    0,
    1,
    _PRIME - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    _PRIME - 2707385501144840649318225287225658788936804267575313519463743609750303402022,
}


def is_public_key(key: bytes) -> bool:
    """Whether those 32 bytes can be somebody's key: written in the one way there is, and not of small order."""
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    return len(key) == 32 and y < _PRIME and y not in _SMALL_ORDER  # noqa: PLR2004 - bytes of a key


def verify(*, key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``key``'s owner signed ``message``.

    OpenSSL refuses an S that is not reduced, and leaves the cofactor out: what it takes, stricter clients take too.
    """
    if not is_public_key(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
