"""The style and the exit that every page carries inside itself, and the policy that lets these and little else in.

Inline, because a page is then one request, and because nothing of it lies in the browser's cache afterwards. Pinned by
hash, so inline needs no ``unsafe-inline``.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

_STATIC = files("seawall.site") / "static" / "site"


def _pin(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE = (_STATIC / "site.css").read_text(encoding="utf-8")
SCRIPT = (_STATIC / "exit.js").read_text(encoding="utf-8")


def policy(*more: str, pictures: str = "'self' data:", types: str = "'none'") -> str:
    """What a page may load: this site's own style, script and pictures. A page that needs less says so itself.

    ``more``: further directives; ``pictures``: sources of img-src. Trusted Types: no script of ours writes HTML from
    text, so none may; ``types`` names the policies of a page that starts workers.
    """
    directives = (
        "default-src 'none'",
        f"style-src 'self' {_pin(STYLE)}",
        f"script-src 'self' {_pin(SCRIPT)}",
        f"img-src {pictures}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        f"trusted-types {types}",
    )
    return "; ".join((*directives, *more))


# What every answer carries that has no policy of its own.
POLICY = policy()
