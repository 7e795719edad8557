"""Partner keys: 192 random bits in hex, kept as SHA-256. Such a key needs no slow hash: it cannot be guessed."""

from __future__ import annotations

import hashlib
import secrets


def make_key() -> str:
    """A new key. Hex, because the stock StopNCII client splits its settings at commas."""
    return secrets.token_hex(24)


def hash_key(key: str) -> bytes:
    """What the table holds and looks up: 32 bytes."""
    return hashlib.sha256(key.encode()).digest()
