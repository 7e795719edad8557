"""What a time-stamping authority said of a root (RFC 3161).

`rfc3161-client` reads most answers. It refuses those whose certificates are not sorted, which OpenSSL's own authority
makes, and it is not there in a browser: then the raw answer is looked at as far as that goes, and `openssl` is asked.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

try:
    import rfc3161_client as rfc3161
except ImportError:  # in a browser
    rfc3161 = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

_PATIENCE = 20  # seconds that openssl may take


class WrongStamp(ValueError):
    """Not a stamp of this root, or not by a trusted authority. Holds the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When an authority saw a root.

    ``time`` is None where nothing here could read the answer; ``trusted`` says that a given authority's certificate
    vouches for it.
    """

    time: datetime | None
    trusted: bool


def imprint(root: bytes) -> bytes:
    """What an authority is sent."""
    return hashlib.sha256(root).digest()


def check(token: bytes, root: bytes, authorities: Sequence[x509.Certificate], *, nonce: int | None = None) -> Stamp:
    """Read an authority's answer, and check it against the root, and against the authorities if some are given.

    :raises WrongStamp: it is of something else, was refused, or none of these authorities vouches for it
    """
    answer = _decode(token)
    if answer is None:
        return _check_raw(token, root, authorities)
    if answer.status != rfc3161.PKIStatus.GRANTED:
        raise WrongStamp("is a refusal.")
    return _check(answer, root, authorities, nonce)


def _decode(token: bytes) -> rfc3161.TimeStampResponse | None:
    if rfc3161 is None:
        return None
    try:
        return rfc3161.decode_timestamp_response(token)
    except ValueError:
        return None


def _check(
    answer: rfc3161.TimeStampResponse, root: bytes, authorities: Sequence[x509.Certificate], nonce: int | None
) -> Stamp:
    said = answer.tst_info
    if bytes(said.message_imprint.message) != imprint(root):
        raise WrongStamp("is a stamp of something else.")
    if nonce is not None and said.nonce != nonce:
        raise WrongStamp("answers another request.")
    if authorities:
        builder = rfc3161.VerifierBuilder(roots=list(authorities))
        try:
            builder.build().verify(answer, imprint(root))
        except rfc3161.VerificationError as error:
            raise WrongStamp("is not by the authority whose certificate you gave.") from error
    return Stamp(said.gen_time.astimezone(UTC), trusted=bool(authorities))


def _check_raw(token: bytes, root: bytes, authorities: Sequence[x509.Certificate]) -> Stamp:
    """What can be told of an answer that the library does not read."""
    if imprint(root) not in token:
        raise WrongStamp("is a stamp of something else.")
    openssl = shutil.which("openssl")
    if openssl is None:
        if authorities:
            raise WrongStamp("cannot be read here. Install openssl and run this again.")
        return Stamp(None, trusted=False)
    with tempfile.TemporaryDirectory() as folder:
        file, given = Path(folder, "token.tsr"), Path(folder, "authorities.pem")
        file.write_bytes(token)
        time = _time_in(_ask(openssl, "-reply", "-in", str(file), "-text").stdout)
        if authorities:
            given.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in authorities))
            verify = ["-verify", "-digest", imprint(root).hex(), "-in", str(file), "-CAfile", str(given)]
            if _ask(openssl, *verify, "-attime", str(int(time.timestamp()))).returncode:
                raise WrongStamp("is not by the authority whose certificate you gave.")
    return Stamp(time, trusted=bool(authorities))


def _ask(openssl: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [openssl, "ts", *arguments]
    return subprocess.run(  # noqa: S603 - no shell, and every argument is ours
        command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False
    )


def _time_in(text: str) -> datetime:
    found = re.search(r"^Time stamp: (\w{3} +\d+ \d\d:\d\d:\d\d)(?:\.\d+)? (\d{4}) GMT$", text, re.MULTILINE)
    if not found:
        raise WrongStamp("cannot be read.")
    return datetime.strptime(" ".join(found.groups()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
