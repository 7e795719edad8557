"""What is kept of a locker: sealed files, the sealed log, and what time-stamping authorities said.

Ids are random or part of a hash, so no row tells when it came or who came first. The only times are those of what is
not finished: an upload that goes on, a stamp that is still to be fetched.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

models.BinaryField.register_lookup(Length, "length")


def random_id() -> int:
    """63 random bits."""
    return secrets.randbits(63)


class Blob(models.Model):
    """A file of a locker, sealed in the browser. Its name, type, key and hash lie in the case's manifest."""

    class State(models.TextChoices):
        PART = "part"  # it is being sent; what came is in DATA/uploads
        WHOLE = "whole"  # all of it is in the storage, and no manifest speaks of it yet
        KEPT = "kept"  # a manifest speaks of it

    id = models.BigAutoField(primary_key=True)  # the first 63 bits of ``blob``
    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="+")
    blob = models.BinaryField(max_length=16, unique=True)
    size = models.BigIntegerField()  # of the sealed file
    state = models.CharField(max_length=5, choices=State.choices, default=State.PART)
    touched = models.BigIntegerField(null=True)  # seconds since 1970, until it is kept

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(blob__length=16), name="blob_id_is_16_bytes"),
            models.CheckConstraint(condition=Q(size__gte=1), name="blob_has_a_size"),
            models.CheckConstraint(condition=Q(state__in=["part", "whole", "kept"]), name="blob_has_a_state"),
            models.CheckConstraint(
                condition=Q(state="kept", touched__isnull=True) | ~Q(state="kept") & Q(touched__isnull=False),
                name="blob_bears_no_time_once_kept",
            ),
        ]
        indexes = [models.Index(fields=["touched"], name="blob_unfinished", condition=Q(touched__isnull=False))]

    def __str__(self) -> str:
        return "a sealed file"

    @property
    def name(self) -> str:
        """In the storage: 256 folders, so that none grows long."""
        text = bytes(self.blob).hex()
        return f"{text[:2]}/{text}"


class LogRow(models.Model):
    """A row of a case's log, sealed in the browser, wrapped by the case's key."""

    id = models.BigAutoField(primary_key=True, default=random_id)
    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField()
    wrapped = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "seq"], name="log_row_once"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="log_counts_from_1"),
        ]

    def __str__(self) -> str:
        return "a row of a log"


class Stamp(models.Model):
    """A root that an authority is to stamp, or its answer, wrapped by the case's key."""

    id = models.BigAutoField(primary_key=True, default=random_id)
    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="+", db_index=False)
    root = models.BinaryField(max_length=32)
    authority = models.CharField(max_length=300)
    token = models.BinaryField(null=True)
    tries = models.SmallIntegerField(default=0)
    due = models.BigIntegerField(null=True)  # seconds since 1970, until it is there

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "root", "authority"], name="stamp_of_a_root_once"),
            models.CheckConstraint(condition=Q(root__length=32), name="stamp_root_is_sha256"),
            models.CheckConstraint(
                condition=Q(token__isnull=True, due__isnull=False) | Q(token__isnull=False, due__isnull=True),
                name="stamp_is_there_or_due",
            ),
        ]
        indexes = [models.Index(fields=["due"], name="stamp_due", condition=Q(due__isnull=False))]

    def __str__(self) -> str:
        return "a time-stamp"
