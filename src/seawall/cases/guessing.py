"""What a wrong sign-in costs: time, more with each of the same case. A right one is never kept waiting.

Six words are 77 bits: no rate of guessing finds them. This keeps a guesser from using up the server, and must not let
one use up the owner's way in: at most `SLEEPERS` requests wait at a time, all others are refused at once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from seawall.cases.endpoint import Refused
from seawall.lib.rates import Rates

if TYPE_CHECKING:
    from datetime import datetime

WRONG = "That did not open a case. Check the number and the words."
BUSY = "That did not open a case. There were many wrong tries: wait a minute, then check the number and the words."
# The site answers with 16 threads (`cli.serve`). A quarter may wait for guessers.
SLEEPERS = 4
# Somebody who mistypes is not kept waiting.
FREE = 3
FIRST_SECONDS = 0.5
LONGEST_SECONDS = 8.0

_wrong = Rates()
_sleepers = threading.BoundedSemaphore(SLEEPERS)


def seconds(times: int) -> float:
    """How long the answer to the so-many-th wrong try of an hour is held back."""
    if times <= FREE:
        return 0.0
    return float(min(FIRST_SECONDS * 2 ** min(times - FREE - 1, 10), LONGEST_SECONDS))


def refuse(case: bytes, *, now: datetime) -> Refused:
    """What to answer a wrong sign-in, after the wait. Asks nothing about the case, so it tells nothing either."""
    held_back = seconds(_wrong.count(case, now=now))
    if held_back:
        if not _sleepers.acquire(blocking=False):
            return Refused(429, BUSY)
        try:
            time.sleep(held_back)
        finally:
            _sleepers.release()
    return Refused(401, WRONG)
