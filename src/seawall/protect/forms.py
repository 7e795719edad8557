"""Read what people paste: the receipt of docs/spec/receipt.md, or bare codes from one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

# Five full submissions of 100 pictures. More in one go would be somebody guessing.
MOST_CODES = 500

_CODE = re.compile(r"([0-9a-f]{32})(?:\s+([0-9a-f]{64}))?", re.IGNORECASE)
_HEADER = re.compile(r"(seawall receipt 1|site \S+|made \d{4}-\d{2}-\d{2}|#.*)", re.IGNORECASE)


class NotAReceipt(ValueError):
    """The text is not a receipt. The message says which line, and what to do."""


@dataclass(frozen=True, slots=True)
class Code:
    """One picture's line of a receipt."""

    token: bytes  # 16
    fingerprint: str  # 64 hex digits as the receipt says; empty when only the code was pasted

    @property
    def hex(self) -> str:
        """The token as it stands in the receipt."""
        return self.token.hex()


def read_receipt(text: str) -> tuple[Code, ...]:
    """Find the codes in a pasted receipt, each once, in its order.

    :raises NotAReceipt: a line is neither a code nor part of a receipt, or there is no code, or too many
    """
    codes: dict[bytes, Code] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.strip()
        if not written or _HEADER.fullmatch(written):
            continue
        found = _CODE.fullmatch(written)
        if found is None:
            raise NotAReceipt(
                _("Line %(number)d is not part of a receipt. Paste the receipt as you saved it.") % {"number": number}
            )
        token = bytes.fromhex(found[1])
        codes.setdefault(token, Code(token, (found[2] or "").lower()))
        if len(codes) > MOST_CODES:
            raise NotAReceipt(_("That is too much at once. Paste one receipt at a time."))
    if not codes:
        raise NotAReceipt(_("There is no code in it. Paste all of your receipt, or choose its file."))
    return tuple(codes.values())
