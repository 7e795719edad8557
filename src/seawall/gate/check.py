"""What an upload is: free, or a match with entries of the bank."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec
import structlog

from seawall.gate.feed import Event
from seawall.gate.indexed import number_and_window
from seawall.hashing import USABLE_QUALITY, fingerprint, look
from seawall.matching import Looks, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seawall.gate.bank import BankCopy
    from seawall.matching import HashIndex, Sighting

# A picture of fewer pixels on a side is compared as a whole only: its parts are too small to be told from others.
LEAST_SIDE = 32
TOO_PLAIN = "too plain to compare"
log = structlog.get_logger()


class Match(msgspec.Struct, frozen=True):
    """An entry the upload matches, and the view of the upload that shows it best."""

    entry: str  # decimal, up to 63 bits
    distance: int  # bits, of what was found first
    view: str  # what was done to the picture, in words
    kind: str
    agreed: int  # how many other windows of the picture agree
    sure: Literal["certain", "likely"]


class Verdict(msgspec.Struct, frozen=True):
    """The answer to a check."""

    verdict: Literal["free", "match"]
    matches: tuple[Match, ...]
    took_ms: float
    reason: str | msgspec.UnsetType = msgspec.UNSET


class PdqSent(msgspec.Struct, forbid_unknown_fields=True):
    """A fingerprint the platform made itself. It stands for one view only: send pictures to have all eight compared."""

    pdq: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    quality: Annotated[float, msgspec.Meta(ge=0, le=100, multiple_of=1)]  # whole; JSON may write 80 as 80.0


class Checker:
    """Compares uploads with the bank; thread-safe."""

    def __init__(self, copy: BankCopy, index: HashIndex, *, windows: bool) -> None:
        """``windows``: look for pictures inside of uploads too; else compare each upload as a whole, in eight views."""
        self._copy, self._index = copy, index
        self._looks = Looks(index, copy.windows_of) if windows else None

    def picture(self, content: bytes) -> Verdict:
        """Compare a picture.

        :raises UnreadableImage: it is not a picture we can read
        """
        began = time.perf_counter()
        if self._looks is None:
            pdq = fingerprint(content).pdq
            return self._verdict(self._wholes(pdq.quality, pdq.dihedral()), pdq.quality, began)
        whole, plane = look(content)
        found = self._looks.look(plane) if min(plane.width, plane.height) >= LEAST_SIDE else ()
        # What every platform finds is found here, too, if only by a bit that the smaller plane loses.
        exact = self._wholes(whole.pdq.quality, whole.pdq.dihedral())
        return self._verdict([*found, *exact], whole.pdq.quality, began)

    def pdq(self, sent: PdqSent) -> Verdict:
        """Compare a fingerprint as it is."""
        began = time.perf_counter()
        return self._verdict(self._wholes(sent.quality, [bytes.fromhex(sent.pdq)]), sent.quality, began)

    def report(self, verdict: Verdict) -> None:
        """Put what was blocked into the outbox. It is on disk when this returns."""
        self._copy.keep_events([Event(str(uuid.uuid4()), match.entry, "blocked") for match in verdict.matches])

    def _wholes(self, quality: float, views: Sequence[bytes]) -> list[_Whole]:
        """The whole pictures of the bank that the upload as a whole is, in one of these views."""
        if quality < USABLE_QUALITY:
            return []
        found = [(number_and_window(one.id), one) for one in look_up(self._index, views)]
        return [_Whole(number, one.distance, one.view) for (number, window), one in found if window == 0]

    def _verdict(self, found: Sequence[Sighting | _Whole], quality: float, began: float) -> Verdict:
        matches = self._matches(found)
        return Verdict(
            verdict="match" if matches else "free",
            matches=matches,
            took_ms=round((time.perf_counter() - began) * 1000, 2),
            reason=TOO_PLAIN if quality < USABLE_QUALITY and not matches else msgspec.UNSET,
        )

    def _matches(self, found: Sequence[Sighting | _Whole]) -> tuple[Match, ...]:
        """One match an entry, the best first. What was withdrawn a moment ago is in no table any more."""
        owners = self._copy.owners(one.id for one in found)
        best: dict[int, Match] = {}
        for one in found:
            if (owner := owners.get(one.id)) is not None and owner.entry not in best:
                best[owner.entry] = Match(str(owner.entry), one.distance, one.view, owner.kind, one.agreed, one.sure)
        return tuple(best.values())


class _Whole(NamedTuple):
    """A picture of the bank that the upload as a whole is: nothing but its one fingerprint was asked."""

    id: int
    distance: int
    view: str
    agreed: int = 0
    sure: Literal["certain", "likely"] = "certain"
