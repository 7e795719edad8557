"""An age recipient, checked to be one: what is sealed to anything else is lost."""

from __future__ import annotations

import re

import pyrage

# The spec of age: Bech32 of 32 bytes under "age". Longer ones are other kinds, which browsers cannot all seal to.
_FORM = re.compile(r"age1[02-9ac-hj-np-z]{58}")


class BadKey(ValueError):
    """A public key that nobody could have. Holds a sentence for whoever writes a client."""


def check_recipient(text: str) -> None:
    """Whether that is an X25519 recipient.

    :raises BadKey: it is none
    """
    try:
        if _FORM.fullmatch(text):
            pyrage.x25519.Recipient.from_str(text)
            return
    except pyrage.RecipientError:
        pass
    raise BadKey("That is no age recipient: age1 and 58 more characters.")
