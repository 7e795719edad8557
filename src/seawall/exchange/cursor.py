"""Where a follower stands in the feed: ``<generation, hex>.<number>.<o or c>``, opaque to followers.

The last letter says whether the number lay in an hour that was still open when the cursor was given out. Once that
hour is closed its numbers follow the ids of its entries, and a number inside it means something else: the exchange
then takes the follower back to the hour's start. Numbers of closed hours never change again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{1,16})\.(0|[1-9][0-9]{0,17})\.([oc])", re.ASCII)


class BadCursor(ValueError):
    """What was sent is not a cursor of this exchange."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed: everything up to ``number`` has been read."""

    generation: int
    number: int
    open: bool

    def __str__(self) -> str:
        return f"{self.generation:x}.{self.number}.{'o' if self.open else 'c'}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str` wrote.

        :raises BadCursor: it is something else
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise BadCursor("This is not a cursor of this feed. Leave it out to start from the beginning.")
        return cls(int(found[1], 16), int(found[2]), found[3] == "o")
