r"""The bytes around a sealed manifest: whose, which version, after which, signed. docs/spec/sealing.md.

``seawall manifest 1\n`` + case (16) + seq (8, big endian) + SHA-256 of the envelope before (32) + age file +
Ed25519 signature over all of that (64).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from seawall.lib import signatures

MAGIC = b"seawall manifest 1\n"
AGE = b"age-encryption.org/v1\n"
MANIFEST_BYTES = 2 << 20
_HEAD = len(MAGIC) + 16 + 8 + 32
_SIGNATURE = 64


class BadEnvelope(ValueError):
    """Not an envelope of this case. Holds a sentence for whoever writes a client."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A manifest's envelope, its form checked; `signed_by` checks the rest."""

    raw: bytes
    case: bytes
    seq: int
    before: bytes

    @property
    def digest(self) -> bytes:
        """What the next one names as the one before it."""
        return hashlib.sha256(self.raw).digest()

    def signed_by(self, key: bytes) -> bool:
        """Whether the owner of that verify key signed it."""
        return signatures.verify(key=key, signature=self.raw[-_SIGNATURE:], message=self.raw[:-_SIGNATURE])


def parse(raw: bytes, *, limit: int = MANIFEST_BYTES) -> Envelope:
    """Take the envelope apart.

    :raises BadEnvelope: too large, too short, or not of that form
    """
    if len(raw) > limit:
        raise BadEnvelope(f"The manifest is larger than {limit:,} bytes. Remove some notes or files.")
    if len(raw) < _HEAD + len(AGE) + _SIGNATURE or not raw.startswith(MAGIC):
        raise BadEnvelope("This is no manifest envelope of version 1.")
    if not raw.startswith(AGE, _HEAD):
        raise BadEnvelope("The manifest inside of the envelope is not sealed as an age file.")
    at = len(MAGIC)
    case, seq, before = raw[at : at + 16], int.from_bytes(raw[at + 16 : at + 24], "big"), raw[at + 24 : at + 56]
    if not 1 <= seq < 1 << 63:
        raise BadEnvelope("The envelope's number counts from 1.")
    return Envelope(raw, case, seq, before)
