"""What the processes leave on the disk."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from seawall.cli.demo.parts import Demo


@pytest.mark.xdist_group("demo")
def test_nobody_else_on_the_machine_can_read_a_file_of_a_site_or_a_gate(demo: Demo) -> None:
    kept = [path for part in ("site", "gate") for path in (demo.sample.parent / part).rglob("*")]
    assert {"seawall.sqlite3", "secret.key", "worker.lock"} <= {path.name for path in kept}
    assert len([path for path in kept if path.name.endswith((".sqlite3", ".db"))]) >= 2, kept
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in kept if path.stat().st_mode & 0o077} == {}
