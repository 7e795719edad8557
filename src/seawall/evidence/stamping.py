"""Has roots stamped by the authorities of SEAWALL_TSA_URLS. The queue is the table: a restart forgets nothing.

An authority is sent SHA-256(root) and a nonce, nothing else; its answer is checked as far as it can be and kept as it
came.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import structlog
from cryptography import x509
from django.conf import settings
from rfc3161_client.base import HashAlgorithm, TimestampRequestBuilder

from seawall.cases import keys
from seawall.cases import queries as cases
from seawall.evidence import queries
from seawall.evidence.kit import stamps
from seawall.evidence.models import Stamp

if TYPE_CHECKING:
    from datetime import datetime

_MINUTE = 60
_SIX_HOURS = 6 * 3600
# A week and a half, as the waits grow.
TRIES = 40
_AT_ONCE = 50
_PATIENCE = httpx.Timeout(10, read=20)
# With all its certificates an answer has 2 to 10 KB.
_ANSWER_BYTES = 1 << 18


class NoStamp(Exception):
    """The authority gave none this time. Says why, without an address."""


def stamp_due(*, now: datetime) -> int:
    """Ask for the stamps that are due, `_AT_ONCE` at most; how many came. For the worker."""
    due = Stamp.objects.filter(due__lte=int(now.timestamp())).select_related("case").defer("case__manifest")
    came = 0
    silent: set[str] = set()  # an authority that just failed is not asked for the next root as well
    with httpx.Client(timeout=_PATIENCE, follow_redirects=False) as client:
        for stamp in due.order_by("due")[:_AT_ONCE]:
            if stamp.authority in silent:
                continue
            if _stamp(client, stamp, now):
                came += 1
            else:
                silent.add(stamp.authority)
    return came


def ask(client: httpx.Client, authority: str, root: bytes) -> bytes:
    """An authority's answer, checked.

    :raises NoStamp: it did not answer, refused, or answered something else
    """
    request = TimestampRequestBuilder(root, HashAlgorithm.SHA256).build()
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    answer = bytearray()
    try:
        with client.stream("POST", authority, content=request.as_bytes(), headers=headers) as response:
            if not response.is_success:
                raise NoStamp(f"it answered {response.status_code}")
            for piece in response.iter_bytes():
                answer += piece
                if len(answer) > _ANSWER_BYTES:
                    raise NoStamp("its answer is too long")
    except httpx.HTTPError as error:
        raise NoStamp(f"it did not answer: {type(error).__name__}") from error
    try:
        stamps.check(bytes(answer), root, _trusted(), nonce=request.nonce)
    except stamps.WrongStamp as error:
        raise NoStamp(f"its answer {error}") from error
    return bytes(answer)


def _stamp(client: httpx.Client, stamp: Stamp, now: datetime) -> bool:
    """Ask once, and note what came of it. The row may be gone meanwhile, with its case or for a newer root."""
    rows = Stamp.objects.filter(id=stamp.id, token__isnull=True)
    try:
        token = ask(client, stamp.authority, bytes(stamp.root))
        key = cases.wrap_key(stamp.case)
    except cases.UnknownCase:  # it is being erased, and the row with it
        return True
    except NoStamp as error:
        log = structlog.get_logger("seawall.evidence")
        host = httpx.URL(stamp.authority).host
        if stamp.tries + 1 >= TRIES:
            rows.delete()
            log.warning("no time-stamp, given up", authority=host, why=str(error))
        else:
            wait = timedelta(seconds=min(_MINUTE << stamp.tries, _SIX_HOURS))
            rows.update(tries=stamp.tries + 1, due=int((now + wait).timestamp()))
            log.warning("no time-stamp, asking again later", authority=host, why=str(error))
        return False
    wrapped = keys.wrap(key, token, queries.about_stamp(stamp.case, bytes(stamp.root)))
    return rows.update(token=wrapped, due=None, tries=0) == 1


def _trusted() -> list[x509.Certificate]:
    if not settings.TSA_ROOTS:
        return []
    return x509.load_pem_x509_certificates(Path(settings.TSA_ROOTS).read_bytes())
