"""Who works at the helpline."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class Staff(AbstractBaseUser):
    """A practitioner. Has no password: signing in will take a passkey.

    It stands here from the first migration because Django cannot swap its user model later.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects: ClassVar[BaseUserManager[Staff]] = BaseUserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="staff_email_once_whatever_its_case")]

    def __str__(self) -> str:
        return self.name
