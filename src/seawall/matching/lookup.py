"""One picture, looked up in all the ways it can be turned and mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seawall.hashing import MATCH_DISTANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seawall.matching.index import HashIndex

# The order of seawall.hashing.Pdq.dihedral(). A match under "rotated 90" says: turn the upload anticlockwise by 90
# degrees and it is the picture of the bank.
VIEWS = (
    "original",
    "rotated 90",
    "rotated 180",
    "rotated 270",
    "mirrored top to bottom",
    "mirrored left to right",
    "mirrored along the diagonal",
    "mirrored along the other diagonal",
)
ORIGINAL_ONLY = VIEWS[:1]


class Found(NamedTuple):
    """The best view under which a number of the index was found."""

    id: int
    distance: int  # bits, 0 to 31
    view: str


def look_up(index: HashIndex, views: Sequence[bytes]) -> tuple[Found, ...]:
    """What ``index`` holds within the match distance of any of ``views``, closest first.

    ``views`` are 1 to 8 fingerprints of 32 bytes in the order of `VIEWS`. Of two views as close, the first counts.
    """
    queries = np.frombuffer(b"".join(views), np.uint8).reshape(len(views), 32)
    matches = index.search(queries, MATCH_DISTANCE)
    best: dict[int, Found] = {}
    order = np.lexsort((matches.id, matches.query, matches.distance))
    for row in order.tolist():
        number = int(matches.id[row])
        if number not in best:
            best[number] = Found(number, int(matches.distance[row]), VIEWS[int(matches.query[row])])
    return tuple(best.values())
