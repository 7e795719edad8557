"""Two hundred people use a bank of their own, in a process of its own. `test_forget` looks at what is left of it.

`python -m seawall.exchange.tests.crowd arrive|leave TRUTH` with the database in the environment. TRUTH is the file
that says which entries are whose: the bank itself must not.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seawall.exchange.wire import Item

PEOPLE = 200
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def arrive(truth: Path) -> None:
    """In one hour everybody submits 2 to 5 pictures or videos, a gate follows closely, and some are blocked."""
    from seawall.exchange import operations, queries  # noqa: PLC0415 - after django.setup()
    from seawall.exchange.keys import hash_key  # noqa: PLC0415
    from seawall.exchange.wire import Scope, Submission  # noqa: PLC0415

    chance = random.Random(5)  # noqa: S311 - the same crowd every time
    keys = operations.add_partner(name="Meadow", slugs=["facebook", "instagram"], now=NOON)
    caller = queries.caller(hash_key(keys["api"]))
    assert caller is not None
    whose: list[dict[str, object]] = []
    for person in range(PEOPLE):
        now = NOON + timedelta(seconds=17 * person)
        tokens = [chance.randbytes(16) for _ in range(chance.randint(2, 5))]
        # A seventh have videos only, a seventh pictures and videos by turns.
        items = tuple(
            video(chance, each) if person % 7 == 0 or (person % 7 == 1 and nth % 2) else picture(chance, each, person)
            for nth, each in enumerate(tokens)
        )
        scope = Scope(("facebook", "instagram")) if person % 4 else Scope(None, future=True)
        entries = [each.entry for each in operations.submit(submission=Submission(scope, items), now=now)]
        whose.append({"entries": entries, "tokens": [each.hex() for each in tokens]})
        caller = queries.caller(hash_key(keys["api"]))
        assert caller is not None
        cursor = queries.changes(caller, cursor=None, limit=1000).cursor
        operations.acknowledge(caller=caller, gate=uuid.UUID(int=7), cursor=cursor, now=now)
        if person % 3 == 0:  # their blackmailer tries to post all of them
            events = [operations.Report(uuid.UUID(int=chance.getrandbits(128)), entry) for entry in entries]
            operations.take_feedback(caller=caller, events=events, now=now)
    truth.write_text(json.dumps(whose))


def picture(chance: random.Random, token: bytes, person: int) -> Item:
    """A picture; every sixth person sends none of its windows."""
    from seawall.exchange.wire import Item  # noqa: PLC0415

    h, value, quality = hashlib.sha256(token).digest(), chance.randbytes(32), chance.randint(50, 100)
    return Item(h, "image", "pdq1", value, quality, windows(chance) if person % 6 else None)


def video(chance: random.Random, token: bytes) -> Item:
    """A video of nine seconds: all are as long, so that length alone tells nobody apart."""
    from seawall.exchange.wire import Item  # noqa: PLC0415
    from seawall.hashing import Pdq  # noqa: PLC0415
    from seawall.hashing.videos import Frame, pack  # noqa: PLC0415

    frames = [Frame(1000 * second, Pdq(chance.randbytes(32), 100)) for second in range(9)]
    files = {"md5": chance.randbytes(16), "sha256": chance.randbytes(32)}
    return Item(hashlib.sha256(token).digest(), "video", "vpdq1", pack(frames), 100, **files)


def windows(chance: random.Random) -> bytes:
    """126 windows, as random as those of pictures look to a thief."""
    return b"".join(chance.randbytes(32) + bytes([chance.randint(30, 100)]) for _ in range(126))


def leave(truth: Path) -> None:
    """The hour is closed; two hours later every fifth takes everything back; that hour is closed too."""
    from seawall.exchange import operations  # noqa: PLC0415

    operations.close_hours(now=NOON + timedelta(hours=1, minutes=5))
    for person, each in enumerate(json.loads(truth.read_text())):
        if person % 5 == 0:
            for token in each["tokens"]:
                operations.withdraw(token=bytes.fromhex(token), now=NOON + timedelta(hours=2, seconds=17 * person))
    operations.close_hours(now=NOON + timedelta(hours=3, minutes=5))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seawall.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    {"arrive": arrive, "leave": leave}[sys.argv[1]](Path(sys.argv[2]))
