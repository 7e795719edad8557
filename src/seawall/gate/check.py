"""What an upload is: free, or a match with entries of the bank."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec
import structlog

from seawall.gate.config import VIDEO_SECONDS
from seawall.gate.feed import Event
from seawall.gate.indexed import number_and_window
from seawall.hashing import USABLE_QUALITY, fingerprint, look
from seawall.hashing.animations import NotWhole, later_frames
from seawall.hashing.videos import Reading
from seawall.matching import Looks, look_up
from seawall.matching.videos import Videos

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

    from seawall.gate.bank import BankCopy
    from seawall.gate.intake import Upload
    from seawall.matching import HashIndex, Sighting
    from seawall.matching.videos import Bearer

# A picture of fewer pixels on a side is compared as a whole only: its parts are too small to be told from others.
LEAST_SIDE = 32
TOO_PLAIN = "too plain to compare"
NOT_WHOLE = "only a part could be read"
SAME_FILE = "the same file"
log = structlog.get_logger()


class Match(msgspec.Struct, frozen=True):
    """An entry the upload matches, and the view of the upload that shows it best."""

    entry: str  # decimal, up to 63 bits
    distance: int  # bits, of what was found first
    view: str  # what was done to the picture, in words
    kind: str
    agreed: int  # how many other windows of the picture agree
    sure: Literal["certain", "likely"]
    # Of an uploaded video: which share of the entry was found, which of the upload shows it, from and to which second.
    found: float | msgspec.UnsetType = msgspec.UNSET
    shown: float | msgspec.UnsetType = msgspec.UNSET
    seconds: tuple[float, float] | msgspec.UnsetType = msgspec.UNSET


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

    def __init__(self, copy: BankCopy, index: HashIndex, *, windows: bool, video_seconds: int = VIDEO_SECONDS) -> None:
        """``windows``: look for pictures inside of uploads too; else compare each upload as a whole, in eight views.

        ``video_seconds``: how long a video may be decoded.
        """
        self._video_seconds = video_seconds
        self._copy, self._index = copy, index
        self._looks = Looks(index, copy.windows_of) if windows else None
        self._videos = Videos(index, self._bearers)

    def upload(self, upload: Upload) -> Verdict:
        """Compare what was sent.

        :raises UnreadableImage: it is neither a picture nor a video we can read
        """
        if upload.video is None:
            return self.picture(upload.picture())
        return self.video(*upload.video)

    def picture(self, content: bytes) -> Verdict:
        """Compare a picture, or each frame of one that moves until one is found.

        :raises UnreadableImage: it is not a picture we can read
        """
        began = time.perf_counter()
        found: Sequence[Sighting] = ()
        if self._looks is None:
            first = fingerprint(content).pdq
        else:
            whole, plane = look(content)
            first = whole.pdq
            found = self._looks.look(plane) if min(plane.width, plane.height) >= LEAST_SIDE else ()
        # What every platform finds is found here, too, if only by a bit that the smaller plane loses.
        matches = self._matches([*found, *self._wholes(first.quality, first.dihedral())])
        quality = first.quality
        try:
            frames = later_frames(content)
            while not matches and (frame := next(frames, None)) is not None:
                quality = max(quality, frame.quality)
                matches = self._matches(self._wholes(frame.quality, frame.dihedral()))
        except NotWhole:
            return self._answer(matches, NOT_WHOLE, began)
        return self._answer(matches, TOO_PLAIN if quality < USABLE_QUALITY else msgspec.UNSET, began)

    def video(self, file: BinaryIO, md5: bytes) -> Verdict:
        """Compare a video; ``md5`` is its file's.

        :raises UnreadableVideo: nothing in it can be decoded
        """
        began = time.perf_counter()
        same = self._copy.bearers_of_file(md5)
        if same:
            matches = [Match(str(one.entry), 0, SAME_FILE, one.kind, 0, "certain") for one in same]
            return self._answer(matches, msgspec.UNSET, began)
        with Reading(file, cpu_seconds=self._video_seconds, silence=self._video_seconds) as reading:
            looked = self._videos.look(reading, boxes=self._looks is not None)
        matches = [
            Match(
                str(one.entry),
                one.distance,
                one.view,
                one.kind,
                0,
                one.sure,
                round(one.found, 3),
                round(one.shown, 3),
                (one.begin, one.end),
            )
            for one in looked.sightings
        ]
        if looked.problem:
            return self._answer(matches, NOT_WHOLE, began)
        return self._answer(matches, msgspec.UNSET if looked.usable else TOO_PLAIN, began)

    def pdq(self, sent: PdqSent) -> Verdict:
        """Compare a fingerprint as it is."""
        began = time.perf_counter()
        matches = self._matches(self._wholes(sent.quality, [bytes.fromhex(sent.pdq)]))
        return self._answer(matches, TOO_PLAIN if sent.quality < USABLE_QUALITY else msgspec.UNSET, began)

    def _bearers(self, called: Iterable[int]) -> dict[int, Bearer]:
        """Whose these are, of what the index calls so: whole pictures and frames. Windows of pictures are left out."""
        numbers = {one: number for one in called for number, window in [number_and_window(one)] if window == 0}
        found = self._copy.bearers(set(numbers.values()))
        return {one: found[number] for one, number in numbers.items() if number in found}

    def report(self, verdict: Verdict) -> None:
        """Put what was blocked into the outbox. It is on disk when this returns."""
        self._copy.keep_events([Event(str(uuid.uuid4()), match.entry, "blocked") for match in verdict.matches])

    def _wholes(self, quality: float, views: Sequence[bytes]) -> list[_Whole]:
        """The whole pictures of the bank that the upload as a whole is, in one of these views."""
        if quality < USABLE_QUALITY:
            return []
        found = [(number_and_window(one.id), one) for one in look_up(self._index, views)]
        return [_Whole(number, one.distance, one.view) for (number, window), one in found if window == 0]

    def _answer(self, matches: Sequence[Match], reason: str | msgspec.UnsetType, began: float) -> Verdict:
        """``reason``: why it may be free though it should not be; said only if it is."""
        return Verdict(
            verdict="match" if matches else "free",
            matches=tuple(matches),
            took_ms=round((time.perf_counter() - began) * 1000, 2),
            reason=msgspec.UNSET if matches else reason,
        )

    def _matches(self, found: Sequence[Sighting | _Whole]) -> tuple[Match, ...]:
        """One match an entry, the best first. What was withdrawn a moment ago is in no table any more."""
        bearers = self._copy.bearers({one.id for one in found})
        best: dict[int, Match] = {}
        for one in found:
            if (whose := bearers.get(one.id)) is not None and whose.entry not in best:
                best[whose.entry] = Match(str(whose.entry), one.distance, one.view, whose.kind, one.agreed, one.sure)
        return tuple(best.values())


class _Whole(NamedTuple):
    """A picture of the bank that the upload as a whole is: nothing but its one fingerprint was asked."""

    id: int
    distance: int
    view: str
    agreed: int = 0
    sure: Literal["certain", "likely"] = "certain"
