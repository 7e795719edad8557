"""A person with a case, in Python: makes the same number, words, keys and bytes as the page does.

For the tests of every room. `Person().open()`, then `login()`, `manifest()` and `write(edit)`; each talks HTTP through
``send``, which is Django's test client unless another is given (`over_http` for a real server).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seawall.cases import envelope as envelopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PADDING = 4096


def draw_number() -> str:
    """12 characters: "1", ten at random, and the check character, drawn anew until that is a plain one."""
    while True:
        body = "1" + "".join(secrets.choice(CROCKFORD) for _ in range(10))
        check = check_of(body)
        if check < len(CROCKFORD):
            return body + CROCKFORD[check]


def check_of(body: str) -> int:
    """Crockford's check: the value of the characters, modulo 37."""
    value = 0
    for character in body:
        value = value * 32 + CROCKFORD.index(character)
    return value % 37


@dataclass(frozen=True)
class Keys:
    """What number and words become."""

    case: bytes
    identity: pyrage.x25519.Identity
    signer: Ed25519PrivateKey

    @property
    def recipient(self) -> str:
        return str(self.identity.to_public())

    @property
    def sign_key(self) -> bytes:
        return self.signer.public_key().public_bytes_raw()


def derive(number: str, words: str, *, memory: int = 64 * 1024) -> Keys:
    """``memory`` in KiB; tests that open many cases lower it, the page never does."""
    salt = hashlib.sha256(b"seawall/v1" + number.encode()).digest()[:16]
    root = Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=memory).derive(words.encode())
    age, seed = (HKDF(SHA256(), 32, salt=None, info=b"seawall/v1/" + use).derive(root) for use in (b"age", b"sign"))
    case = hashlib.sha256(b"seawall/v1/case" + number.encode()).digest()[:16]
    return Keys(case, identity_of(age), Ed25519PrivateKey.from_private_bytes(seed))


def identity_of(secret: bytes) -> pyrage.x25519.Identity:
    """An age identity from its 32 bytes."""
    return pyrage.x25519.Identity.from_str(bech32("age-secret-key-", secret).upper())


def bech32(prefix: str, payload: bytes) -> str:
    """As BIP 173 writes it."""
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{each:08b}" for each in payload)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    head = [ord(each) >> 5 for each in prefix] + [0] + [ord(each) & 31 for each in prefix]
    check = 1
    for value in [*head, *values, 0, 0, 0, 0, 0, 0]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    check ^= 1
    values += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1" + "".join(letters[value] for value in values)


def canonical(plain: object) -> bytes:
    """JSON in the one way there is."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal(plain: bytes, recipient: str, step: int = PADDING) -> bytes:
    """An age file of ``plain``, padded with blanks to steps of ``step`` bytes."""
    padded = plain + b" " * (-len(plain) % step)
    sealed: bytes = pyrage.encrypt(padded, [pyrage.x25519.Recipient.from_str(recipient)])
    return sealed


def envelope(keys: Keys, seq: int, before: bytes, plain: dict[str, Any]) -> bytes:
    """A manifest, sealed and signed. ``before`` is the SHA-256 of the envelope before, 32 zeros for the first."""
    head = envelopes.MAGIC + keys.case + seq.to_bytes(8, "big") + before + seal(canonical(plain), keys.recipient)
    return head + keys.signer.sign(head)


def unseal(keys: Keys, raw: bytes) -> dict[str, Any]:
    """What a manifest's envelope holds; it must be signed."""
    parsed = envelopes.parse(raw)
    assert parsed.case == keys.case
    assert parsed.signed_by(keys.sign_key)
    plain: dict[str, Any] = json.loads(pyrage.decrypt(raw[len(envelopes.MAGIC) + 56 : -64], [keys.identity]))
    return plain


def empty() -> dict[str, Any]:
    """The manifest of a new case."""
    lists = ("receipts", "notes", "links", "payments", "timeline", "shares")
    return {
        "version": 1,
        "made": "2026-11-23T14:00:00Z",
        "salt": secrets.token_hex(16),
        "files": {},
        **{each: [] for each in lists},
        "custody": {"count": 0, "head": bytes(32).hex(), "line": bytes(32).hex()},
    }


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Send(Protocol):
    """One request."""

    def __call__(self, method: str, path: str, *, body: bytes, headers: dict[str, str]) -> Answer: ...


def through_django(method: str, path: str, *, body: bytes, headers: dict[str, str]) -> Answer:
    """Django's test client, at http://testserver."""
    from django.test import Client  # noqa: PLC0415 - after django.setup()

    kind = headers["Content-Type"]
    got = Client(raise_request_exception=False).generic(method, path, body, content_type=kind, headers=headers)
    content = b"".join(got) if got.streaming else got.content
    return Answer(got.status_code, content, dict(got.headers))


@contextmanager
def over_http(origin: str) -> Iterator[Send]:
    """A real server at that origin. Threads may share it."""
    with httpx.Client(base_url=origin, timeout=60) as client:

        def send(method: str, path: str, *, body: bytes, headers: dict[str, str]) -> Answer:
            got = client.request(method, path, content=body, headers=headers)
            return Answer(got.status_code, got.content, dict(got.headers))

        yield send


class Refused(AssertionError):
    """The server said no; ``answer`` is what it said."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body[:300]!r}")
        self.answer = answer


@dataclass
class Person:
    """Alice, say. Knows her number and words, and nothing is kept for her."""

    number: str = field(default_factory=draw_number)
    words: str = "correct-horse-battery-staple-orbit-lamp"
    send: Send = through_django
    origin: str = "http://testserver"
    memory: int = 64 * 1024
    session: str = ""
    seq: int = 0
    before: bytes = bytes(32)

    def __post_init__(self) -> None:
        self.keys = derive(self.number, self.words, memory=self.memory)

    def call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> Answer:
        """One request to /case/api/``path``; ``body`` goes as JSON, ``raw`` as it is."""
        headers = {"Content-Type": "application/json" if raw is None else "application/octet-stream"}
        if self.session:
            headers["Authorization"] = f"Bearer {self.session}"
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        answer = self.send(method, f"/case/api/{path}", body=sent, headers=headers)
        renewed = {name.lower(): value for name, value in answer.headers.items()}.get("session")
        self.session = renewed or self.session
        return answer

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> Any:
        """As `call`, but an error is one: answers the JSON, or None where there is none."""
        answer = self.call(method, path, body, raw=raw)
        if answer.status >= 400:
            raise Refused(answer)
        return answer.json if answer.body else None

    def proof(self, action: str) -> dict[str, str]:
        """A fresh nonce of the server's, and the signature of it."""
        nonce = self.ask("POST", "challenge", {})["nonce"]
        message = f"seawall {action} 1\n{nonce}\n{self.keys.case.hex()}\n{self.origin}\n".encode()
        return {"nonce": nonce, "signature": self.keys.signer.sign(message).hex()}

    def first(self, plain: dict[str, Any] | None = None) -> bytes:
        """The first envelope of this case."""
        return envelope(self.keys, 1, bytes(32), plain or empty())

    def open(self, plain: dict[str, Any] | None = None) -> Person:
        """Open the case, and be signed in."""
        first = self.first(plain)
        body = {
            "case": self.keys.case.hex(),
            "sign_key": self.keys.sign_key.hex(),
            "recipient": self.keys.recipient,
            "envelope": base64.b64encode(first).decode(),
            **self.proof("open"),
        }
        self.session = self.ask("POST", "open", body)["session"]
        self.seq, self.before = 1, hashlib.sha256(first).digest()
        return self

    def login(self) -> Person:
        """Sign in, here or on another device."""
        self.session = self.ask("POST", "login", {"case": self.keys.case.hex(), **self.proof("login")})["session"]
        return self

    def manifest(self) -> dict[str, Any]:
        """The manifest in force, opened. Later writes are made from it."""
        raw = base64.b64decode(self.ask("GET", "manifest")["envelope"])
        self.seq, self.before = envelopes.parse(raw).seq, hashlib.sha256(raw).digest()
        return unseal(self.keys, raw)

    def write(self, edit: Callable[[dict[str, Any]], None], **more: Any) -> int:
        """Change the manifest: read, ``edit``, write, and anew if another tab was quicker.

        ``more`` goes beside it: attach, erase, log, root.
        """
        while True:
            plain = self.manifest()
            edit(plain)
            raw = envelope(self.keys, self.seq + 1, self.before, plain)
            body = {"attach": [], "erase": [], "log": [], "root": None, **more}
            answer = self.call("PUT", "manifest", {"envelope": base64.b64encode(raw).decode(), **body})
            if answer.status == 409:
                continue
            if answer.status >= 400:
                raise Refused(answer)
            self.seq, self.before = self.seq + 1, hashlib.sha256(raw).digest()
            return self.seq
