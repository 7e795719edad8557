"""The bank's tables.

What is true of every row that belongs to an entry, by shape:

* its id is 63 bits of a SHA-256, so neither id nor row order says when it came;
* its times are whole hours (`hours`), as is the constraint that refuses anything finer;
* nothing names a person, a case, a form or a batch.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Length
from django.db.models.lookups import In

from seawall.hashing.native import WINDOWS, WINDOWS_BYTES

# Hours since 1970 for the years 2015 to 2084. Seconds, stored by mistake, fall outside.
_AN_HOUR = (400_000, 1_000_000)


def derived_id(*parts: bytes | int | str) -> int:
    """63 bits that follow from ``parts`` alone: the same parts, the same id; no order, no time."""
    text = b"\0".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def entry_id(h: bytes) -> int:
    """The first 63 bits of ``h``, the SHA-256 of a withdraw token."""
    return int.from_bytes(h[:8], "big") >> 1


def _is_hour(field: str, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__range": _AN_HOUR}), name=name)


def _is_long(field: str, lengths: list[int]) -> Q:
    return Q(**{f"{field}__length__in": lengths})


models.BinaryField.register_lookup(Length, "length")


@models.BinaryField.register_lookup
class AnyOf(In):
    """As ``in``, for hundreds of values: PostgreSQL reads them as one array, in half the time."""

    lookup_name = "any_of"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """``lhs = ANY (array)``."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*params, list(self.rhs)]


class Partner(models.Model):
    """Whoever runs platforms and follows the bank."""

    name = models.CharField(max_length=80, unique=True)
    created = models.IntegerField()
    # The last FetchHashes from the very start that was read to its end: the stock client honours withdrawals only then.
    full_fetch = models.IntegerField(null=True)
    # The last hour in which a page of the feed brought it something, acknowledged or not.
    read = models.IntegerField(null=True)
    # The last hour in which it said what it does with uploads: one that never did is shown as not reporting.
    reported = models.IntegerField(null=True)
    # Whether it is given the frames of videos under /v1/ too, each as a picture.
    video_frames = models.BooleanField(default=False)
    # How far into the feed every gate of this partner has acknowledged, and so what counts as delivered.
    delivered_number = models.BigIntegerField(default=0)
    delivered_open = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="partner_has_a_name"),
            _is_hour("created", "partner_created_is_an_hour"),
            _is_hour("read", "partner_read_is_an_hour"),
            _is_hour("reported", "partner_reported_is_an_hour"),
        ]

    def __str__(self) -> str:
        return self.name


class PartnerPlatform(models.Model):
    """A platform (its slug in the directory) that a partner runs."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="platforms")
    platform = models.SlugField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "partner"], name="partner_runs_a_platform_once")]

    def __str__(self) -> str:
        return self.platform


class PartnerKey(models.Model):
    """One key of a partner, as its SHA-256. The key itself has 192 random bits and is shown once."""

    class Kind(models.TextChoices):
        FETCH = "fetch"
        SUBMIT = "submit"
        FEEDBACK = "feedback"
        SUBSCRIPTION = "subscription"
        API = "api"

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    hash = models.BinaryField(unique=True)
    created = models.IntegerField()
    revoked = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_is_long("hash", [32]), name="key_is_stored_as_sha256"),
            models.CheckConstraint(
                condition=Q(kind__in=["fetch", "submit", "feedback", "subscription", "api"]), name="key_has_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} key {self.pk}"


def asked_of_each(related: models.QuerySet[Any]) -> Coalesce:
    """Whether there is such a row, asked for each row of the outer query.

    Not an Exists: PostgreSQL answers one inside an OR or a SELECT by reading the whole inner table first.
    """
    return Coalesce(Subquery(related.values_list(Value(True))[:1]), Value(False))  # noqa: FBT003 - SQL's own


class EntryQuerySet(models.QuerySet["Entry"]):
    """Many entries."""

    def in_scope(self, partner_id: int) -> EntryQuerySet:
        """Those meant for a platform of that partner."""
        # As values: a subquery inside the correlated one would be run again for each entry.
        theirs = list(PartnerPlatform.objects.filter(partner=partner_id).values_list("platform", flat=True))
        ticked = EntryPlatform.objects.filter(entry=OuterRef("pk"), platform__in=theirs)
        return self.filter(Q(future=True) | Q(asked_of_each(ticked)))


class Entry(models.Model):
    """One submission of one picture. The same picture by two people is two entries."""

    class State(models.TextChoices):
        ACTIVE = "active"
        WITHDRAWING = "withdrawing"  # partners are asked; the value is still here
        WITHDRAWN = "withdrawn"  # the value is erased; the row is a tombstone

    class Source(models.TextChoices):
        PERSON = "person"
        PARTNER = "partner"

    id = models.BigAutoField(primary_key=True)  # entry_id(h): SQLite's row number is this random number
    h = models.BinaryField()
    state = models.CharField(max_length=11, choices=State.choices, default=State.ACTIVE)
    source = models.CharField(max_length=7, choices=Source.choices, default=Source.PERSON)
    finder = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+", db_index=False)
    hour = models.IntegerField()  # of its submission
    changed = models.IntegerField()  # the hour of the last change a partner can see
    number = models.BigIntegerField(unique=True)  # in the feed, of its last change; in id order once the hour is closed
    future = models.BooleanField(default=False)  # meant for every platform, also those that join later

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["changed", "id"], name="entry_by_change")]
        constraints = [
            models.CheckConstraint(condition=_is_long("h", [32]), name="entry_h_is_sha256"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "withdrawing", "withdrawn"]), name="entry_has_a_state"
            ),
            models.CheckConstraint(
                condition=Q(source="person", finder__isnull=True) | Q(source="partner", finder__isnull=False),
                name="entry_is_a_persons_or_has_a_finder",
            ),
            _is_hour("hour", "entry_hour_is_an_hour"),
            _is_hour("changed", "entry_change_is_an_hour"),
            models.CheckConstraint(condition=Q(changed__gte=F("hour")), name="entry_changes_after_it_came"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Signal(models.Model):
    """A fingerprint of an entry: of its picture, of one frame of its video, or of its file.

    Not unique: anyone may submit the picture too.
    """

    id = models.BigAutoField(primary_key=True)  # derived_id("signal", h, ordinal)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=5)
    version = models.CharField(max_length=8)
    value = models.BinaryField()
    quality = models.SmallIntegerField()
    t = models.IntegerField(null=True)  # of a frame: milliseconds since the first

    class Meta:
        indexes = [models.Index(fields=["value"], name="signal_by_value")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="image", version="pdq1") & _is_long("value", [32])
                | Q(kind="video", version="vpdq1") & _is_long("value", [32])
                | Q(kind="video", version="sha256") & _is_long("value", [32])
                | Q(kind="video", version="md5") & _is_long("value", [16]),
                name="signal_value_fits_its_version",
            ),
            models.CheckConstraint(
                condition=Q(version="vpdq1", t__isnull=False, t__range=(0, (1 << 24) - 1))
                | ~Q(version="vpdq1") & Q(t__isnull=True),
                name="signal_of_a_frame_has_a_time",
            ),
            models.CheckConstraint(condition=Q(quality__range=(0, 100)), name="signal_quality_is_0_to_100"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Windows(models.Model):
    """A further signal of an entry: the fingerprints of 126 windows of its picture (version windows1).

    Not a row of `Signal`: it tells more of a picture than 256 bits do, so it never goes where those go (/v1/), and it
    is far too long for the index of their values.
    """

    id = models.BigAutoField(primary_key=True)  # derived_id("signal", h, 1)
    entry = models.OneToOneField(Entry, models.CASCADE, related_name="windows")
    value = models.BinaryField()  # on PostgreSQL stored plain: apart from its row it would be numbered by arrival

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_is_long("value", [WINDOWS_BYTES]), name="windows_are_whole"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def quality(self) -> int:
        """Of the first window, which is the whole picture."""
        return int(self.value[WINDOWS_BYTES // WINDOWS - 1])


class EntryPlatform(models.Model):
    """A platform that an entry is meant for."""

    id = models.BigAutoField(primary_key=True)  # derived_id("platform", entry, slug)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="platforms", db_index=False)
    platform = models.SlugField(max_length=40, db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "platform"], name="entry_names_a_platform_once")]

    def __str__(self) -> str:
        return self.platform


class Delivery(models.Model):
    """What became of an entry at a partner."""

    id = models.BigAutoField(primary_key=True)  # derived_id("delivery", entry, partner)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="deliveries", db_index=False)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+", db_index=False)
    delivered = models.IntegerField(null=True)  # the hour every gate had it, or FetchHashes handed it out
    withdrawn = models.IntegerField(null=True)  # the hour every gate had dropped it
    pulled = models.BooleanField(default=False)  # by FetchHashes, which has no way to confirm a withdrawal

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "partner"], name="delivery_of_an_entry_once_a_partner"),
            models.CheckConstraint(
                condition=Q(delivered__isnull=False) | Q(withdrawn__isnull=False), name="delivery_says_something"
            ),
            models.CheckConstraint(
                condition=Q(pulled=False) | Q(withdrawn__isnull=True), name="delivery_by_pull_is_never_confirmed"
            ),
            _is_hour("delivered", "delivery_is_an_hour"),
            _is_hour("withdrawn", "delivery_withdrawn_is_an_hour"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class HandedPage(models.Model):
    """Entries that FetchHashes handed to a partner, until the worker has noted each as a Delivery."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+", db_index=False)
    entries = models.BinaryField()  # uint64 each, little-endian, in the order of the protocol's pages

    def __str__(self) -> str:
        return str(self.pk)


class Feedback(models.Model):
    """What a partner says of an entry: its last opinion, and how many uploads it blocked."""

    id = models.BigAutoField(primary_key=True)  # derived_id("feedback", entry, partner)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="feedback", db_index=False)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+", db_index=False)
    opinion = models.CharField(max_length=14)  # a feedbackValue of the StopNCII protocol
    tags = models.JSONField(default=list)
    blocked = models.IntegerField(default=0)
    hour = models.IntegerField()  # of the last of them

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "partner"], name="feedback_on_an_entry_once_a_partner"),
            models.CheckConstraint(condition=Q(blocked__gte=0), name="feedback_counts_up"),
            models.CheckConstraint(
                condition=Q(
                    opinion__in=[
                        "Unknown",
                        "None",
                        "QualityUnknown",
                        "PendingReview",
                        "Blocked",
                        "NotBlocked",
                        "Withdrawn",
                        "Deleted",
                    ]
                ),
                name="feedback_has_a_known_value",
            ),
            _is_hour("hour", "feedback_hour_is_an_hour"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class FeedbackEvent(models.Model):
    """An event already counted, so that a gate may send it again. It does not say which entry it was about."""

    id = models.BigAutoField(primary_key=True)  # derived_id("event", partner, event, entry)
    hour = models.IntegerField()

    class Meta:
        constraints = [_is_hour("hour", "event_hour_is_an_hour")]

    def __str__(self) -> str:
        return str(self.pk)


class Follower(models.Model):
    """A gate of a partner, and how far it has acknowledged the feed."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="followers", db_index=False)
    gate = models.UUIDField()
    number = models.BigIntegerField()
    open = models.BooleanField()  # whether the number lay in an hour that was still open (see `cursor`)
    seen = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "gate"], name="follower_is_one_gate_of_a_partner"),
            _is_hour("seen", "follower_seen_is_an_hour"),
        ]

    def __str__(self) -> str:
        return str(self.gate)


class FeedCounter(models.Model):
    """The one row that every change of the bank locks until it commits.

    Numbers therefore become visible in their order, so a follower that has read up to n can never miss one below n.
    Hours become visible in their order too: a change that finds a later hour here belongs to that hour.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    generation = models.BigIntegerField()  # random; a restore draws a new one
    number = models.BigIntegerField(default=0)  # the last one given out
    hour = models.IntegerField()  # the open hour
    first = models.BigIntegerField(default=0)  # the last number before the open hour
    closed = models.BigIntegerField(default=0)  # up to here hours are closed: their numbers never change again

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="counter_is_one_row"),
            models.CheckConstraint(
                condition=Q(closed__lte=F("first")) & Q(first__lte=F("number")), name="counter_is_in_order"
            ),
            _is_hour("hour", "counter_hour_is_an_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.generation:x}.{self.number}"


class FeedHour(models.Model):
    """An hour that is over: the numbers (first, last] were given out in it."""

    hour = models.IntegerField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField(db_index=True)
    renumbered = models.BooleanField(default=False)  # its numbers follow the ids now
    rewritten = models.BooleanField(default=False)  # and so do the pages of the tables

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="feed_hour_is_in_order"),
            models.CheckConstraint(
                condition=Q(rewritten=False) | Q(renumbered=True), name="feed_hour_is_closed_in_order"
            ),
        ]

    def __str__(self) -> str:
        return str(self.hour)
