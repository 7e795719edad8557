"""Who works at the helpline."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class StaffManager(BaseUserManager["Staff"]):
    """Finds a practitioner by email address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> Staff:
        """The practitioner of that address.

        :raises Staff.DoesNotExist: there is none
        """
        return self.get(email__iexact=username)


class Staff(AbstractBaseUser, PermissionsMixin):
    """A practitioner. Signs in under /staff/ and nowhere else.

    It stands here from the first migration because Django cannot swap its user model later.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[StaffManager] = StaffManager()

    class Meta:
        verbose_name_plural = "staff"
        constraints = [models.UniqueConstraint(Lower("email"), name="staff_email_once_whatever_its_case")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin lets them in. Nobody else has an account here."""
        return self.is_active

    def get_full_name(self) -> str:
        """What Django's admin shows beside a change."""
        return self.name

    def get_short_name(self) -> str:
        """What Django's admin greets them by."""
        return self.name
