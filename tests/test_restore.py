"""A backup and a restore, by the very commands of docs/operating/site.md."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parent.parent / "docs/operating/site.md").read_text()
SEND = """
import hashlib
from django.utils import timezone
from seawall.exchange import operations, wire
token = bytes(16)
line = f"{hashlib.sha256(token).hexdigest()} image pdq1 {'0f' * 32} 100"
operations.submit(submission=wire.parse(f"seawall fingerprints 1\\nfor all and future\\n{line}\\n"), now=timezone.now())
"""
TAKE_BACK = """
from django.utils import timezone
from seawall.exchange import operations
operations.withdraw(token=bytes(16), now=timezone.now())
"""


def steps(word: str) -> str:
    """The one block of shell commands of the guide that holds that word."""
    block: str
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) if word in block]
    return block


def state(database: Path) -> tuple[str, int]:
    """Of the only entry, and the feed's generation."""
    found: tuple[str, int]
    with sqlite3.connect(database) as sql:
        (found,) = sql.execute("SELECT state, generation FROM exchange_entry, exchange_feedcounter").fetchall()
    sql.close()
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The data folder of a site that has run."""
    tmp_path.chmod(0o700)
    run(tmp_path, sys.executable, "-m", "seawall.cli", "staff", "list")
    return tmp_path


def sh(site: Path, commands: str) -> None:
    """Run what the guide says, but in this folder and with this Python."""
    commands = commands.replace("/opt/seawall/bin/python", sys.executable).replace("/var/lib/seawall", str(site))
    run(site, "sh", "-e", "-c", commands)


def python(site: Path, program: str) -> None:
    run(site, sys.executable, "-c", f"import django; django.setup(){program}")


def run(site: Path, *command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SEAWALL_", "DJANGO_"))}
    environment |= {"SEAWALL_DATA": str(site), "DJANGO_SETTINGS_MODULE": "seawall.settings"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_restore_brings_back_what_was_withdrawn_and_starts_the_feed_anew(site: Path) -> None:
    database = site / "seawall.sqlite3"
    python(site, SEND)
    before, generation = state(database)
    sh(site, steps(".backup("))
    assert (site / "backup.sqlite3").stat().st_mode & 0o077 == 0
    python(site, TAKE_BACK)
    assert state(database)[0] != before
    sh(site, steps("start_generation"))
    after, now = state(database)
    assert after == before, "then the guide's warning is out of date"
    assert now != generation, "a gate would go on from where it was, and skip changes"
