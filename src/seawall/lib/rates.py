"""How often somebody did something in this hour, without noting who: counts under an HMAC whose key lasts an hour.

Counts and key lie in memory only, so that nothing on a disk, and nothing after the hour, tells whose they were.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
from typing import TYPE_CHECKING

from seawall.lib.hours import hour

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# 100,000 counts are about 15 MB. Beyond, the oldest is forgotten: a flood weakens the limit, and locks nobody out.
MOST = 100_000


class Rates:
    """Counts by whom. Threads may share one."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._hour: datetime | None = None
        self._key = b""
        self._counts: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, who: bytes, *, now: datetime, by: int = 1) -> int:
        """Count once more, or so much more; the sum of this hour, this time included."""
        with self._lock:
            if self._hour != hour(now):
                self._hour, self._key, self._counts = hour(now), secrets.token_bytes(32), {}
            key = hmac.digest(self._key, who, hashlib.sha256)[:16]
            # Taken out and put in again, so that the oldest is the first.
            counted = self._counts.pop(key, 0) + by
            if len(self._counts) >= self._most:
                del self._counts[next(iter(self._counts))]
            self._counts[key] = counted
            return counted


def network_asking(meta: Mapping[str, str], *, behind_proxy: bool) -> bytes:
    """The network a request comes from, by its WSGI variables.

    A header that anybody can send counts only where our own proxy sets it, and only the entry that the proxy added.
    """
    address = meta.get("REMOTE_ADDR", "")
    if behind_proxy:
        address = meta.get("HTTP_X_FORWARDED_FOR", address).rpartition(",")[2]
    return network(address)


def network(address: str) -> bytes:
    """The network an address is in: the /24 of IPv4, the /56 that IPv6 gives a household; ``b""`` if it is none."""
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return b""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    bits = 24 if parsed.version == 4 else 56  # noqa: PLR2004 - IP's version
    return str(ipaddress.ip_network((parsed, bits), strict=False)).encode()
