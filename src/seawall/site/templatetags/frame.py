"""The frame's inline parts, and the same page in the other layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.safestring import mark_safe

from seawall.directory import queries as directory
from seawall.site.frame import SCRIPT, STYLE

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def style() -> SafeString:
    """Return the site's style, for a style element: its very text is pinned."""
    return mark_safe(STYLE)  # noqa: S308 - our own file


@register.simple_tag
def exit_script() -> SafeString:
    """Return what the exit does with scripts on: its very text is pinned."""
    return mark_safe(SCRIPT)  # noqa: S308 - our own file


@register.simple_tag(takes_context=True)
def other_layout(context: dict[str, Any]) -> str:
    """Return this page's address in the other layout, or nothing where the page has no address of its own."""
    request = context.get("request")
    if request is None or request.method == "POST" or "lost" in context:
        return ""
    path: str = request.path_info
    return path if getattr(request, "easy_read", False) else f"/easy{path}"


@register.simple_tag(takes_context=True)
def logo(context: dict[str, Any]) -> str:
    """Return what stands at the top of the page: the operator's few words. A page about a fault asks no database."""
    return ("" if "lost" in context else directory.helpline().logo) or "Seawall"
