"""What the locker's page says of this site: who signs the team's roster, and whom to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.conf import settings

from seawall.directory import queries as directory

if TYPE_CHECKING:
    from seawall.directory.queries import Helpline

register = template.Library()


@register.simple_tag
def roster_root() -> str:
    """Return the public key that signs the roster, in hex; nothing where nobody can be shared with."""
    root: bytes = settings.ROSTER_ROOT
    return root.hex()


@register.simple_tag
def helpline() -> Helpline:
    """Return who hosts this site."""
    return directory.helpline()
