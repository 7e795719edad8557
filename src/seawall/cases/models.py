"""What is kept of a case: public keys, and sealed bytes wrapped by the case's own key (`keys`).

No row says when it was made, and its id is part of a hash: neither id nor row order tells who came first. The only
time is the day of last use, which retention needs.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

models.BinaryField.register_lookup(Length, "length")

# Days since 1970 for the years 2015 to 2084. Seconds or hours, stored by mistake, fall outside.
_A_DAY = (16_436, 41_973)


def case_id(case: bytes) -> int:
    """The first 63 bits of the case's 16 bytes, themselves a hash."""
    return int.from_bytes(case[:8], "big") >> 1


def _is_long(field: str, length: int, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__length": length}), name=name)


class Case(models.Model):
    """A case. ``case`` is SHA-256("seawall/v1/case" || number)[:16]; the number itself never comes here."""

    id = models.BigAutoField(primary_key=True)  # set by `case_id`, so that SQLite's rowid has no order either
    case = models.BinaryField(max_length=16, unique=True)
    sign_key = models.BinaryField(max_length=32)
    recipient = models.CharField(max_length=62)
    seq = models.BigIntegerField(default=1)
    digest = models.BinaryField(max_length=32)  # of the envelope in force: the next one names it
    manifest = models.BinaryField()  # the envelope, wrapped
    used = models.IntegerField()  # the day of last use, counted from 1970

    class Meta:
        constraints = [
            _is_long("case", 16, "case_is_16_bytes"),
            _is_long("sign_key", 32, "case_sign_key_is_32_bytes"),
            _is_long("digest", 32, "case_digest_is_32_bytes"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="case_counts_from_1"),
            models.CheckConstraint(condition=Q(used__range=_A_DAY), name="case_used_is_a_day"),
        ]

    def __str__(self) -> str:
        return "a case"


class Share(models.Model):
    """What a person re-sealed for the helpline's team: the keys of chosen files, and which files these are."""

    id = models.BigAutoField(primary_key=True)  # 63 random bits
    case = models.ForeignKey(Case, models.CASCADE, related_name="shares")
    epoch = models.IntegerField()  # of the team's key that it is sealed to
    wrapped = models.BinaryField()  # files and sealed bytes, wrapped by the case's key

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(epoch__gte=1), name="share_epoch_counts_from_1")]

    def __str__(self) -> str:
        return "a share"

    @property
    def name(self) -> str:
        """Its id as the page knows it: 16 hex digits."""
        return f"{self.id:016x}"

    @property
    def kind(self) -> str:
        """What its wrapped bytes are bound to, beside the case."""
        return f"share {self.name} {self.epoch}"
