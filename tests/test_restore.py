"""Backup and restore, as an operator types them, of a site that is in use: `seawall serve`, people over HTTP.

Whatever was erased or taken back after the backup stays so. What was not, is all there again.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage
import pytest

from seawall.cases.tests.client import Refused
from tests.machine import PARTNER, Site, add_file, databases, erase_file, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def ready(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that has run, of which tests get copies."""
    with databases(1, pytestconfig.getoption("--db")) as (url,):
        site = Site(tmp_path_factory.mktemp("ready") / "site", url)
        site.python(PARTNER)
        yield site


@pytest.fixture
def sites(ready: Site, pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """One that has run, and a machine for it to be restored on."""
    shutil.copytree(ready.folder, tmp_path / "old")
    with databases(2, pytestconfig.getoption("--db"), like=ready.database) as (first, second):
        yield Site(tmp_path / "old", first), Site(tmp_path / "new", second)


def test_nothing_that_was_erased_comes_back_and_everything_else_does(sites: tuple[Site, Site], tmp_path: Path) -> None:
    old, new = sites
    with old.serves():
        alice, bob = old.person(), old.person()
        kept, erased = add_file(alice, b"what he wrote"), add_file(alice, b"what she regrets")
        add_file(bob, b"bob's own")
        stays, goes = old.protect(), old.protect()
        backup = take(old, tmp_path)
        erase_file(alice, erased)
        bob.ask("POST", "erase", bob.proof("erase"))
        old.takes_back(goes)
        later = old.protect()
        old.does("backup", "--keys", tmp_path / "keys")
    told = new.does("restore", backup, "--keys", tmp_path / "keys")
    assert "Taken back once more: 1 fingerprints." in told
    assert "Erased once more: 1 files of cases that go on, and 1 cases." in told
    assert old.folder.joinpath("secret.key").read_text() == new.folder.joinpath("secret.key").read_text()
    assert not (new.folder / "restore.unfinished").exists()
    with new.serves():
        again = new.same(alice)
        assert read_file(again, kept) == b"what he wrote"
        with pytest.raises(Refused, match="404"):
            read_file(again, erased)
        with pytest.raises(Refused, match="401"):
            new.same(bob)
        assert new.receipt(stays) == "active"
        assert new.receipt(goes) in {"withdrawing", "withdrawn"}
        assert new.receipt(later) == "unknown"
    assert [path.name for path in (new.folder / "blobs").rglob("*") if path.is_file()] == [kept]


def take(site: Site, folder: Path) -> Path:
    """A backup; answers its folder."""
    (line,) = [line for line in site.does("backup", folder / "backups").splitlines() if line.startswith("Backed up")]
    return Path(line.removeprefix("Backed up to "))


@pytest.fixture
def backup(sites: tuple[Site, Site], tmp_path: Path) -> Path:
    """A site without people, copied; its keys in ``keys`` beside it."""
    old, _ = sites
    old.does("backup", "--keys", tmp_path / "keys")
    return take(old, tmp_path)


def restores(sites: tuple[Site, Site], backup: Path, *words: str | Path) -> str:
    """What the operator is told when it is refused; then nothing was put anywhere."""
    _, new = sites
    done = new.types("restore", backup, *words)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert not new.folder.exists() or list(new.folder.iterdir()) == []
    return done.stderr


def test_it_refuses_to_go_on_without_the_keys_and_says_what_is_lost(
    sites: tuple[Site, Site], backup: Path, tmp_path: Path
) -> None:
    assert "every case is lost" in restores(sites, backup)
    (tmp_path / "keys").write_bytes((tmp_path / "keys").read_bytes()[:700])
    assert "not a whole file" in restores(sites, backup, "--keys", tmp_path / "keys")
    told = sites[1].does("restore", backup, "--without-keys")
    assert "Lost: every case." in told
    assert "Back again: what was taken back since" in told


def test_it_refuses_a_folder_and_a_database_that_are_in_use(
    sites: tuple[Site, Site], backup: Path, tmp_path: Path
) -> None:
    old, new = sites
    before = sorted(path.name for path in old.folder.iterdir())
    done = old.types("restore", backup, "--keys", tmp_path / "keys")
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)
    assert sorted(path.name for path in old.folder.iterdir()) == before
    if old.database is not None:
        new.database = old.database
        assert "The database of SEAWALL_DATABASE_URL is not empty" in restores(
            sites, backup, "--keys", tmp_path / "keys"
        )


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone", "listed less", "sums cut"])
def test_it_refuses_a_backup_that_was_cut_short_or_changed(
    sites: tuple[Site, Site], backup: Path, tmp_path: Path, harm: str
) -> None:
    (file,) = backup.glob("seawall.*")
    content, sums = bytearray(file.read_bytes()), (backup / "SHA256SUMS").read_text()
    if harm == "gone":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(content[:-4096])
    elif harm == "flipped":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif harm == "listed less":
        (backup / "SHA256SUMS").write_text(
            "".join(line for line in sums.splitlines(keepends=True) if file.name not in line)
        )
    else:
        (backup / "SHA256SUMS").write_text(sums[:-10])
    assert "cut short or changed" in restores(sites, backup, "--keys", tmp_path / "keys")


def test_it_never_writes_beside_the_folder_whatever_the_list_says(
    sites: tuple[Site, Site], backup: Path, tmp_path: Path
) -> None:
    (tmp_path / "evil").write_text("evil")
    digest = hashlib.sha256(b"evil").hexdigest()
    with (backup / "SHA256SUMS").open("a") as file:
        file.write(f"{digest}  blobs/../../../evil\n")
    about = json.loads((backup / "manifest.json").read_text())
    assert "cut short or changed" in restores(sites, backup, "--keys", tmp_path / "keys")
    assert about["files"] == 2


@pytest.mark.parametrize(
    ("days", "older", "told"),
    [(31, False, "Take a newer one, or give --older."), (100, True, "Nobody knows any more what was erased")],
)
def test_it_refuses_old_backups(sites: tuple[Site, Site], backup: Path, days: int, told: str, *, older: bool) -> None:
    made_before(backup, days)
    words = ("--keys", backup.parent.parent / "keys")
    assert told in restores(sites, backup, *words, *(["--older"] if older else []))
    if not older:
        sites[1].does("restore", backup, *words, "--older")


def made_before(backup: Path, days: int) -> None:
    """As if that backup had been made so many days ago."""
    about = json.loads((backup / "manifest.json").read_text())
    about["made"] = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    (backup / "manifest.json").write_text(json.dumps(about))
    sums = (backup / "SHA256SUMS").read_text().splitlines(keepends=True)
    digest = hashlib.sha256((backup / "manifest.json").read_bytes()).hexdigest()
    (backup / "SHA256SUMS").write_text("".join([f"{digest}  manifest.json\n", *sums[1:]]))


def test_no_command_starts_on_a_restore_that_did_not_finish(sites: tuple[Site, Site]) -> None:
    old, _ = sites
    (old.folder / "restore.unfinished").touch()
    for words in (["serve"], ["worker", "--once"], ["backup", "anywhere"]):
        done = old.types(*words)
        assert (done.returncode, "did not finish" in done.stderr) == (1, True)


def test_encrypted_it_can_be_read_by_the_recipient_alone(sites: tuple[Site, Site], tmp_path: Path) -> None:
    old, new = sites
    identity, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    for name, each in (("identity", identity), ("other", other)):
        (tmp_path / name).write_text(f"# created by age-keygen\n{each}\n")
    old.does("backup", tmp_path / "backups", "--keys", tmp_path / "keys", "--to", str(identity.to_public()))
    (backup,) = (tmp_path / "backups").glob("2*Z")
    words = ("--keys", tmp_path / "keys")
    assert "Give --identity FILE." in restores(sites, backup, *words)
    assert "encrypted to somebody else" in restores(sites, backup, *words, "--identity", tmp_path / "other")
    for file in [path for path in backup.rglob("*") if path.is_file()] + [tmp_path / "keys"]:
        for secret in (b"SQLite format", b"PGDMP", b"CREATE TABLE", (old.folder / "secret.key").read_bytes()):
            assert secret not in file.read_bytes()
    new.does("restore", backup, *words, "--identity", tmp_path / "identity")
    assert (new.folder / "secret.key").read_bytes() == (old.folder / "secret.key").read_bytes()


def test_killed_halfway_a_backup_leaves_the_ones_before_it_usable(sites: tuple[Site, Site], tmp_path: Path) -> None:
    old, new = sites
    old.does("backup", "--keys", tmp_path / "keys")
    first = take(old, tmp_path)
    (old.folder / "blobs/00").mkdir(parents=True)
    for each in range(2000):  # enough to be in the middle of
        (old.folder / f"blobs/00/{each:032x}").write_bytes(os.urandom(4096))
    killed = 0
    for wait in (0.1, 0.2, 0.3, 0.4, 0.6):
        command = [sys.executable, "-m", "seawall.cli", "backup", str(tmp_path / "backups")]
        running = subprocess.Popen(command, env=old.environment, stdout=subprocess.PIPE, start_new_session=True)
        unfinished = tmp_path / "backups/unfinished"
        while running.poll() is None and not unfinished.exists():
            time.sleep(0.005)
        time.sleep(wait)
        killed += running.poll() is None
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
    assert killed
    assert all((each / "SHA256SUMS").exists() for each in (tmp_path / "backups").glob("2*Z"))
    new.does("restore", first, "--keys", tmp_path / "keys")
    assert take(old, tmp_path).joinpath("SHA256SUMS").read_text().count("blobs/") == 2000
    assert not (tmp_path / "backups/unfinished").exists()


def test_on_a_full_disk_it_says_so_and_leaves_the_ones_before_it_usable(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    old, new = sites
    old.does("backup", "--keys", tmp_path / "keys")
    first = take(old, tmp_path)
    command = [sys.executable, "-m", "seawall.cli", "backup", str(tmp_path / "backups")]
    full = subprocess.run(
        command,
        env=old.environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )
    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    assert full.stderr.startswith("seawall: ")
    assert list((tmp_path / "backups").glob("2*Z")) == [first]
    assert not (tmp_path / "backups/unfinished").exists()
    new.does("restore", first, "--keys", tmp_path / "keys")


def test_the_same_file_lies_on_the_disk_once_and_outlives_its_erasure_here(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    old, _ = sites
    blob = old.folder / "blobs/ab" / ("ab" * 16)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"sealed")
    first = take(old, tmp_path)
    time.sleep(1.1)  # each bears its second as its name
    copies = [backup / "blobs/ab" / blob.name for backup in (first, take(old, tmp_path))]
    assert all(each.samefile(blob) for each in copies)
    blob.unlink()
    assert {each.read_bytes() for each in copies} == {b"sealed"}


def test_keys_are_kept_apart_and_only_the_last_copy_of_them(sites: tuple[Site, Site], tmp_path: Path) -> None:
    old, _ = sites
    with old.serves():
        alice = old.person()
        (case,) = keys_of(old.folder / "keys.sqlite3")
        backup = take(old, tmp_path)
        old.does("backup", "--keys", tmp_path / "keys")
        old_copy = (tmp_path / "keys").open("rb")
        old.person()
        alice.ask("POST", "erase", alice.proof("erase"))
        old.does("backup", "--keys", tmp_path / "keys")
    with old_copy:
        assert set(old_copy.read()) == {0}, "the copy before is overwritten, not only forgotten"
    assert case not in (tmp_path / "keys").read_bytes()
    assert case not in b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())
    refused = old.types("backup", tmp_path / "backups", "--keys", tmp_path / "backups/keys")
    assert "Keep the keys apart" in refused.stderr


def keys_of(store: Path) -> list[bytes]:
    with closing(sqlite3.connect(store)) as sql:
        return [key for (key,) in sql.execute("SELECT wrap FROM keys")]


def test_the_only_copy_of_the_keys_is_never_replaced_by_nothing(sites: tuple[Site, Site], tmp_path: Path) -> None:
    old, new = sites
    with old.serves():
        old.person()
        old.does("backup", "--keys", tmp_path / "keys")
    (old.folder / "keys.sqlite3").unlink()
    assert "holds the keys of 1 cases, and here are none" in old.types("backup", "--keys", tmp_path / "keys").stderr
    new.does("staff", "list")
    assert "the keys of another site" in new.types("backup", "--keys", tmp_path / "keys").stderr


def test_postgresqls_programs_are_asked_for_by_the_package_that_has_them(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    old, _ = sites
    if old.database is None:
        pytest.skip("SQLite needs none")
    (tmp_path / "bin").mkdir()
    old.path = str(tmp_path / "bin")
    assert "Install the Debian package postgresql-client" in old.types("backup", tmp_path / "backups").stderr
    assert list((tmp_path / "backups").glob("*Z")) == []
