"""The directory as one signed file, for other helplines to reuse. docs/spec/directory.md is its format."""

from __future__ import annotations

import functools
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils import translation

from seawall.directory import queries

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

FORMAT = "seawall directory 1"


@dataclass(frozen=True, slots=True)
class Published:
    """One day's file: its bytes, the Ed25519 signature of exactly these (64 bytes), and the public key as PEM."""

    document: bytes
    signature: bytes
    public_key: bytes


@functools.lru_cache(maxsize=1)
def published(day: date) -> Published:
    """The file of that day: what pages show on it, signed, in English. Made once a day and process."""
    key = _signing_key(settings.DATA / "directory.key")
    with translation.override("en"):
        document = _document(datetime.combine(day, time(), UTC))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Published(document, key.sign(document), public)


def seconds_left(now: datetime) -> int:
    """How long the file of ``now``'s day stays the newest."""
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return int((midnight - now).total_seconds())


def _document(now: datetime) -> bytes:
    return msgspec.json.encode(
        {
            "format": FORMAT,
            "date": now.date(),
            "services": [*queries.services("adult", now=now), *queries.services("under-18", now=now)],
            "laws": queries.laws(now=now),
            "platforms": [asdict(entry) for entry in queries.platform_entries(now=now)],
        }
    )


def _signing_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs, made once and kept beside the data. A half-written one is never seen."""
    if not path.exists():
        made = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was faster: its key is the key
        finally:
            draft.unlink()
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} is not an Ed25519 key. Move it away, and a new one is made.")
    return key
