"""Room that lockers leave on the disk: for the rest of the site, and for erasing, which is written down first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import structlog
from django.conf import settings

from seawall.cases.endpoint import is_full

if TYPE_CHECKING:
    from collections.abc import Callable

# A manifest is 2 MiB at most. It is written to SQLite's log and to the database, with what is overwritten.
BYTES = 16 << 20

T = TypeVar("T")


def has_room(size: int) -> bool:
    """Whether so many bytes more of lockers leave the disk the room that the rest of the site needs."""
    disk = os.statvfs(settings.DATA)
    free: int = disk.f_bavail * disk.f_frsize
    return free - size >= settings.SPARE_ROOM


def keep() -> None:
    """See that the room is there.

    :raises OSError: it is not, and cannot be: the disk is full
    """
    path = settings.DATA / "reserve"
    if path.exists() and path.stat().st_size == BYTES:
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(handle, 0, BYTES)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def spend_on(erase: Callable[[], T]) -> T:
    """Erase. If the disk is too full for that, give up the reserve and erase then; `keep` makes a new one."""
    try:
        return erase()
    except Exception as error:
        if not is_full(error) or not (settings.DATA / "reserve").exists():
            raise
        structlog.get_logger("seawall.evidence").warning("the disk is full: the reserve is spent on erasing")
        (settings.DATA / "reserve").unlink(missing_ok=True)
        return erase()
