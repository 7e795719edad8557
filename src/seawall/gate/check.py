"""What an upload is: free, or a match with entries of the bank."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import structlog

from seawall.gate.feed import Event
from seawall.gate.indexed import WINDOW_BITS
from seawall.hashing import USABLE_QUALITY, fingerprint
from seawall.matching import look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seawall.gate.bank import BankCopy
    from seawall.matching import HashIndex

TOO_PLAIN = "too plain to compare"
log = structlog.get_logger()


class Match(msgspec.Struct, frozen=True):
    """An entry the upload matches, with its closest signal and the view of the upload that came so close."""

    entry: str  # decimal, up to 63 bits
    distance: int  # bits, 0 to 31
    view: str
    kind: str


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

    def __init__(self, copy: BankCopy, index: HashIndex) -> None:
        self._copy, self._index = copy, index

    def picture(self, content: bytes) -> Verdict:
        """Compare a picture in its eight views.

        :raises UnreadableImage: it is not a picture we can read
        """
        began = time.perf_counter()
        pdq = fingerprint(content).pdq
        return self._verdict(pdq.quality, [bytes(view) for view in pdq.dihedral()], began)

    def pdq(self, sent: PdqSent) -> Verdict:
        """Compare a fingerprint as it is."""
        return self._verdict(sent.quality, [bytes.fromhex(sent.pdq)], time.perf_counter())

    def report(self, verdict: Verdict) -> None:
        """Put what was blocked into the outbox. It is on disk when this returns."""
        self._copy.keep_events([Event(str(uuid.uuid4()), match.entry, "blocked") for match in verdict.matches])

    def _verdict(self, quality: float, views: Sequence[bytes], began: float) -> Verdict:
        plain = quality < USABLE_QUALITY
        matches = () if plain else self._matches(views)
        return Verdict(
            verdict="match" if matches else "free",
            matches=matches,
            took_ms=round((time.perf_counter() - began) * 1000, 2),
            reason=TOO_PLAIN if plain else msgspec.UNSET,
        )

    def _matches(self, views: Sequence[bytes]) -> tuple[Match, ...]:
        """One match an entry, the closest first. What was withdrawn a moment ago is in no table any more."""
        found = look_up(self._index, views)
        owners = self._copy.owners(one.id >> WINDOW_BITS for one in found)
        best: dict[int, Match] = {}
        for one in found:
            if (owner := owners.get(one.id >> WINDOW_BITS)) is not None and owner.entry not in best:
                best[owner.entry] = Match(str(owner.entry), one.distance, one.view, owner.kind)
        return tuple(best.values())
