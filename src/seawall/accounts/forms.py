"""The sign-in form, and how often it may be tried."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

# Checking a password costs a third of a second of computing by design: unbounded tries would slow the whole site.
# 20 a minute let nobody guess a password of 12 characters, and a team sign in.
TRIES, WITHIN = 20, 60.0
_tries: deque[float] = deque(maxlen=TRIES)


class SignIn(AuthenticationForm):
    """Django's own, with a bound on how often anybody may try, counted for the whole site: no address is kept."""

    def clean(self) -> dict[str, Any]:
        """Check the password, unless too many were checked in the last minute."""
        now = time.monotonic()
        if len(_tries) == TRIES and now - _tries[0] < WITHIN:
            raise forms.ValidationError("Too many tries. Wait a minute, then sign in again.", code="too_many")
        _tries.append(now)
        return super().clean()
