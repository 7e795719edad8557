"""Who may sign in: add a practitioner, end an account."""

from __future__ import annotations

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from seawall.accounts.models import Staff


class CannotAdd(ValueError):
    """Nobody is added; the sentence says what to change."""


class UnknownStaff(LookupError):
    """Nobody has an account with that address."""


@transaction.atomic
def add_staff(*, email: str, name: str, password: str) -> Staff:
    """Let a practitioner sign in. They may edit everything under /staff/; roles come with the helpline's own pages.

    :raises CannotAdd: the address is taken or none, the name is empty, or the password is too easy
    """
    email, name = email.strip(), name.strip()
    if Staff.objects.filter(email__iexact=email).exists():
        raise CannotAdd("Somebody with that address can already sign in.")
    staff = Staff(email=email, name=name, is_superuser=True)
    try:
        validate_email(email)
        password_validation.validate_password(password, staff)
        staff.set_password(password)
        staff.full_clean()
    except ValidationError as error:
        raise CannotAdd(" ".join(error.messages)) from error
    staff.save()
    return staff


def end_staff(*, email: str) -> Staff:
    """Let somebody sign in no more. Their open sessions end with their next click; what they changed keeps their name.

    :raises UnknownStaff: nobody has that address
    """
    try:
        staff = Staff.objects.get_by_natural_key(email)
    except Staff.DoesNotExist as error:
        raise UnknownStaff("Nobody has an account with that address.") from error
    staff.is_active = False
    staff.set_unusable_password()
    staff.save(update_fields=["is_active", "password"])
    return staff
