"""A time-stamping authority: OpenSSL's own, behind a small HTTP server."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONFIG = """
[tsa]
default_tsa = this
[this]
serial = ./serial
signer_cert = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
{chain}
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """Its keys lie in a folder. With ``chain`` it sends its root along, unsorted, as OpenSSL does."""

    folder: Path
    chain: bool = False
    answers: list[int] = field(default_factory=list)  # HTTP statuses to give first, before it works
    asked: list[bytes] = field(default_factory=list)
    replay: bytes | None = None  # what somebody in between answers instead

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "extensions").write_text(
            "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
        )
        (self.folder / "serial").write_text("01\n")
        chain = "certs = ./ca.pem" if self.chain else ""
        (self.folder / "openssl.cnf").write_text(_CONFIG.format(chain=chain))
        new, days = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"], ["-days", "30"]
        ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        self._openssl("req", "-x509", *new, *days, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test root")
        self._openssl("req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test authority")
        self._openssl("x509", "-req", "-in", "tsa.csr", *ca, *days, "-out", "tsa.pem", "-extfile", "extensions")

    @property
    def root(self) -> Path:
        """Its root certificate."""
        return self.folder / "ca.pem"

    def reply(self, query: bytes) -> bytes:
        """A TimeStampResp."""
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr")
        return (self.folder / "reply.tsr").read_bytes()

    def stamp(self, root: bytes) -> bytes:
        """What it says of a root."""
        (self.folder / "root.bin").write_bytes(root)
        self._openssl("ts", "-query", "-data", "root.bin", "-sha256", "-cert", "-out", "own.tsq")
        return self.reply((self.folder / "own.tsq").read_bytes())

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Its address."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                authority.asked.append(query)
                status = authority.answers.pop(0) if authority.answers else 200
                body = authority.replay or authority.reply(query) if status == 200 else b"out of order"
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/tsr"
            finally:
                server.shutdown()
                thread.join()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
