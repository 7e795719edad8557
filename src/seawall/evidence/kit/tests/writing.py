"""A second maker of bundles, for tests: docs/spec/bundle.md read by someone who did not see the browser's."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import zipfile
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Case:
    """A person's: key, salt, and the lines of the log."""

    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    case: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    lines: list[bytes] = field(default_factory=list)

    @property
    def key(self) -> bytes:
        return self.signer.public_key().public_bytes_raw()

    @property
    def last(self) -> str:
        return hashlib.sha256(self.lines[-1]).hexdigest() if self.lines else "0" * 64

    def log(self, action: str, about: str) -> None:
        line = {
            "action": action,
            "actor": "person",
            "at": f"2026-11-23T12:00:{len(self.lines):02}Z",
            "object": about,
            "prev": self.last,
            "seq": len(self.lines) + 1,
        }
        signed = self.signer.sign(b"seawall custody line 1\n" + self.case + canonical(line))
        self.lines.append(canonical({**line, "signature": signed.hex()}))

    def root(self) -> bytes:
        count = len(self.lines).to_bytes(8, "big")
        parts = self.case + self.key + self.salt + count + bytes.fromhex(self.last)
        return hashlib.sha256(b"seawall root 1\n" + parts).digest()


@dataclass
class Bundle:
    """What goes into a ZIP. Tests change ``entries`` between `of` and `sealed`."""

    case: Case
    entries: dict[str, bytes]

    @classmethod
    def of(cls, case: Case, files: list[bytes], stamps: dict[str, bytes] | None = None) -> Bundle:
        """An export of files that the log knows already. Appends its own line."""
        exhibits = [
            {
                "added": "2026-11-23T12:00:00Z",
                "intimate": False,
                "name": f"Schirmfoto «{number}».png",
                "note": "",
                "of": None,
                "path": f"exhibits/{number:04}.png",
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "type": "image/png",
            }
            for number, content in enumerate(files, 1)
        ]
        manifest = canonical(exhibits)
        case.log("exported", hashlib.sha256(manifest).hexdigest())
        made = cls(case, {"README.txt": b"Check me.\n", "manifest.json": manifest})
        made.entries |= {exhibit["path"]: content for exhibit, content in zip(exhibits, files, strict=True)}  # type: ignore[misc]
        made.entries |= stamps or {}
        made.restate()
        return made

    def restate(self) -> None:
        """Write log and case anew, as the case is now."""
        self.entries["custody.jsonl"] = b"".join(line + b"\n" for line in self.case.lines)
        self.entries["case.json"] = canonical(
            {
                "case": self.case.case.hex(),
                "custody": {"count": len(self.case.lines), "line": self.case.last},
                "made": "2026-11-23T12:34:56Z",
                "salt": self.case.salt.hex(),
                "verify_key": self.case.key.hex(),
                "version": 1,
            }
        )

    def sealed(self, *, method: int = zipfile.ZIP_STORED) -> bytes:
        """The ZIP with the signature in its comment."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in self.entries.items():
                archive.writestr(name, content)
        return sign(self.case, file.getvalue())


def sign(case: Case, archive: bytes) -> bytes:
    """A ZIP without a comment, signed."""
    assert archive.endswith(b"\0\0")
    body = archive[:-2] + b"\x51\x00"
    magic = b"seawall bundle 1\n"
    return body + magic + case.signer.sign(magic + hashlib.sha512(body).digest())


def added(files: list[bytes]) -> Case:
    """A case whose log knows these files."""
    case = Case()
    for content in files:
        case.log("added", hashlib.sha256(content).hexdigest())
    return case
