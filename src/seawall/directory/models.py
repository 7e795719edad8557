"""What an operator changed: the helpline's own values, its closures, and facts looked up anew. No person is in here."""

from __future__ import annotations

from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q

_HTTPS = URLValidator(schemes=["https"], message="Give an address that begins with https://.")


class FactEdit(models.Model):
    """An operator's word on one fact, laid over the file. An empty column leaves what the file says."""

    class Status(models.TextChoices):
        VERIFIED = "verified", "I read it on the owner's own page: show it"
        UNCONFIRMED = "unconfirmed", "it may be wrong: hide it"

    fact = models.CharField(max_length=130, unique=True)  # an id of facts.by_id()
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.VERIFIED)
    source = models.CharField(max_length=300, help_text="Where you read it: an address, or who told you.")
    checked = models.DateField(help_text="The day you looked.")
    what = models.TextField("words", blank=True, help_text="New words. One step a line where there are steps.")
    url = models.CharField("address", blank=True, max_length=300, validators=[_HTTPS])
    value = models.CharField(max_length=100, blank=True, help_text="A new number, email address, or yes / no.")
    hours = models.CharField(max_length=100, blank=True, help_text="When it can be reached.")

    class Meta:
        verbose_name = "fact"
        constraints = [
            models.CheckConstraint(condition=~Q(source=""), name="fact_edit_has_a_source"),
            models.CheckConstraint(condition=Q(status__in=["verified", "unconfirmed"]), name="fact_edit_has_a_status"),
        ]

    def __str__(self) -> str:
        return self.fact


class Operator(models.Model):
    """The helpline that hosts this site. One row at most; without it the shipped values hold."""

    class Nation(models.TextChoices):
        ENGLAND = "ENG", "England"
        WALES = "WLS", "Wales"
        SCOTLAND = "SCT", "Scotland"
        NORTHERN_IRELAND = "NIR", "Northern Ireland"

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=100)
    logo = models.CharField("logo text", max_length=40, blank=True, help_text="Short. Shown at the top of each page.")
    phones = models.TextField(help_text="One a line: the number, then a comma and what it is for, if you like.")
    email = models.EmailField(blank=True)
    url = models.CharField("website", blank=True, max_length=300, validators=[_HTTPS])
    nation = models.CharField(max_length=3, choices=Nation.choices, help_text="Whose bank holidays you keep.")
    opens = models.TimeField()
    closes = models.TimeField()
    monday = models.BooleanField(default=True)
    tuesday = models.BooleanField(default=True)
    wednesday = models.BooleanField(default=True)
    thursday = models.BooleanField(default=True)
    friday = models.BooleanField(default=True)
    saturday = models.BooleanField(default=False)
    sunday = models.BooleanField(default=False)
    partners = models.TextField(blank=True, help_text="What to say about the platforms that work with you.")

    class Meta:
        verbose_name = verbose_name_plural = "helpline"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="operator_is_one"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(phones=""), name="operator_has_name_and_phone"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="operator_closes_after_it_opens"),
            models.CheckConstraint(condition=Q(nation__in=["ENG", "WLS", "SCT", "NIR"]), name="operator_has_a_nation"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def days(self) -> frozenset[int]:
        """The days of the week it is open; 1 is Monday."""
        week = (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)
        return frozenset(day for day, is_open in enumerate(week, start=1) if is_open)


class Closure(models.Model):
    """Days on which the helpline is closed beside its bank holidays."""

    first = models.DateField()
    last = models.DateField()
    reason = models.CharField(max_length=100, blank=True, help_text="For the team. The public does not see it.")

    class Meta:
        ordering = ["first"]
        constraints = [
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="closure_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"
