"""Read who may sign in."""

from __future__ import annotations

from seawall.accounts.models import Staff


def staff_lines() -> tuple[str, ...]:
    """One line a practitioner: address, name, whether they may still sign in."""
    rows = Staff.objects.order_by("email").values_list("email", "name", "is_active")
    return tuple(f"{email}  {name}{'' if active else '  (ended)'}" for email, name, active in rows)
