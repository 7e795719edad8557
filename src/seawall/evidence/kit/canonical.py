"""JSON in the one form there is for each value, and checks of its shape. docs/spec/bundle.md."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST = 2**53 - 1  # what every JSON reader holds exactly


class NotCanonical(ValueError):
    """Not JSON, or JSON written in another form than the one we sign."""


def write(value: Any) -> bytes:
    """The bytes that are hashed and signed."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def read(raw: bytes) -> Any:
    """The value of which ``raw`` is the canonical form.

    :raises NotCanonical: there is none
    """
    try:
        value = json.loads(raw)
        same = write(value) == raw
    except (ValueError, RecursionError) as error:  # UnicodeError is a ValueError
        raise NotCanonical("not JSON") from error
    if not same:
        raise NotCanonical("not canonical JSON")
    return value


def has_shape(value: Any, shape: Mapping[str, Callable[[Any], bool]]) -> bool:
    """Whether it is an object of exactly those members, each as its check wants it."""
    return isinstance(value, dict) and value.keys() == shape.keys() and all(shape[name](value[name]) for name in shape)


def is_text(value: Any) -> bool:
    """Any text."""
    return isinstance(value, str)


def is_bool(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    """A whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def like(pattern: str) -> Callable[[Any], bool]:
    """Text that matches as a whole."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def hexes(count: int) -> Callable[[Any], bool]:
    """So many lowercase hex digits."""
    return like(rf"[0-9a-f]{{{count}}}")


is_time = like(r"2\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ")
