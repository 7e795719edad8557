"""The list of what was erased."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from seawall.lib.erasures import Erasures

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
ADD_MANY = """
import sys
from pathlib import Path
from seawall.lib.erasures import Erasures
erased = Erasures(Path(sys.argv[1]))
for each in range(10_000):
    erased.add("file", bytes([int(sys.argv[2])]) + each.to_bytes(4, "big"))
    print(each, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "erased.sqlite3"


def keys(count: int) -> list[bytes]:
    return [hashlib.sha256(bytes([each])).digest()[:16] for each in range(count)]


def test_it_lists_what_was_erased_by_kind(path: Path) -> None:
    erased = Erasures(path)
    erased.add("file", b"alice", b"bob")
    erased.add("case", b"charlie")
    assert Erasures(path).all("file") == {b"alice", b"bob"}
    assert Erasures(path).all("case") == {b"charlie"}
    assert Erasures(path).all("entry") == set()


def test_listing_twice_is_as_good_as_once(path: Path) -> None:
    for _ in range(2):
        Erasures(path).add("file", b"alice")
    assert Erasures(path).all("file") == {b"alice"}


@pytest.mark.parametrize("bad", ["text", b""])
def test_it_refuses_what_is_no_key(path: Path, bad: bytes) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        Erasures(path).add("file", b"alice", bad)
    assert Erasures(path).all("file") == set()


def test_the_file_does_not_tell_in_which_order_things_were_erased(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for path, order in ((one, keys(90)), (other, keys(90)[::-1])):
        for key in order:
            Erasures(path).add("file", key)
        if path is one:
            before = one.read_bytes()
        Erasures(path).tidy(now=NOW)
    places = [one.read_bytes().index(key) for key in sorted(keys(90))]
    assert places in (sorted(places), sorted(places, reverse=True))
    pages = slice(100, None)  # the header counts changes
    assert one.read_bytes()[pages] == other.read_bytes()[pages]
    placed = [before.index(key) for key in sorted(keys(90))]
    assert placed != sorted(placed, reverse=True), "then tidy() is not needed"
    assert [each.name for each in tmp_path.iterdir() if each not in (one, other)] == []


def test_a_row_goes_after_the_last_backup_that_could_need_it(path: Path) -> None:
    Erasures(path).add("file", *keys(1))
    Erasures(path).tidy(now=NOW + timedelta(days=89))
    assert Erasures(path).all("file") == set(keys(1))
    Erasures(path).tidy(now=NOW + timedelta(days=130))
    assert Erasures(path).all("file") == set()
    assert keys(1)[0] not in path.read_bytes()


def test_it_stores_no_time_finer_than_the_month(path: Path) -> None:
    Erasures(path).add("file", b"alice")
    with closing(sqlite3.connect(path)) as sql:
        ((kind, key, month),) = sql.execute("SELECT * FROM erased").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="rowid"):
            sql.execute("SELECT rowid FROM erased")
    assert (kind, key) == ("file", b"alice")
    assert month in {12 * each.year + each.month for each in (NOW, datetime.now(UTC))}


def test_threads_may_add_at_once(path: Path) -> None:
    def add(part: list[bytes]) -> None:
        for key in part:
            Erasures(path).add("file", key)

    threads = [threading.Thread(target=add, args=(keys(80)[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Erasures(path).all("file") == set(keys(80))


def test_what_was_listed_outlives_kill_9_of_several_processes(path: Path) -> None:
    command = [sys.executable, "-c", ADD_MANY, str(path)]
    running = [
        subprocess.Popen([*command, str(who)], stdout=subprocess.PIPE, text=True, start_new_session=True)
        for who in range(2)
    ]
    listed = set()
    for who, process in enumerate(running):
        assert process.stdout is not None
        for line in process.stdout:
            listed.add(bytes([who]) + int(line).to_bytes(4, "big"))
            if int(line) == 20:
                os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert len(listed) >= 42
    assert Erasures(path).all("file") >= listed
