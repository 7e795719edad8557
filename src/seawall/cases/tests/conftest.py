"""Alice, Bob, and a folder of their own for what lies outside of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seawall.cases import api, guessing, roster
from seawall.lib.rates import Rates

from .client import Person

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)
LIGHT = 64  # KiB of Argon2id, for cases that nobody attacks


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA = tmp_path
    monkeypatch.setattr(api, "_opened", Rates())
    monkeypatch.setattr(guessing, "_wrong", Rates())


@pytest.fixture
def alice(db: Any) -> Person:  # noqa: ARG001 - opens the database
    return Person(memory=LIGHT).open()


@pytest.fixture
def bob(db: Any) -> Person:  # noqa: ARG001 - opens the database
    return Person(memory=LIGHT).open()


@dataclass
class Team:
    """The helpline: its root, its key, and where its roster lies."""

    root: Ed25519PrivateKey
    identity: pyrage.x25519.Identity
    path: Path

    def publish(self, *, epoch: int = 3, expires: date | None = None, root: Ed25519PrivateKey | None = None) -> None:
        """Sign a roster and lay it where the site looks."""
        until = expires or datetime.now(UTC).date() + timedelta(days=29)
        listed = roster.Roster(1, until, epoch, str(self.identity.to_public()))
        self.path.write_text(roster.sign(listed, root or self.root).file)


@pytest.fixture
def team(settings: Any, tmp_path: Path) -> Team:
    """A team that can be shared with."""
    made = Team(Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate(), tmp_path / "roster")
    settings.ROSTER = str(made.path)
    settings.ROSTER_ROOT = made.root.public_key().public_bytes_raw()
    made.publish()
    return made
