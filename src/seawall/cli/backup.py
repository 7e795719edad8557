"""`seawall backup`: the whole site while it runs, and apart from it the keys and lists that no backup may hold.

A backup is a folder of its own, named by its time, complete once it bears that name:

    2026-11-23T130500Z/
      SHA256SUMS        of every other file, for `sha256sum --check` too
      manifest.json     what and when it is of, and how many files it has
      seawall.sqlite3   the database; seawall.pgdump if it is PostgreSQL
      secret.key directory.key
      blobs/...         sealed files, hard-linked if this is the same disk

With ``--to`` everything but blobs (sealed already) and the two lists of contents is an age file. The keys are one tar
of the same kind, of which there is only ever the last. docs/operating/backup.md says what an operator does with both.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.cli import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import pyrage

FORMAT = 1
KEPT = ("secret.key", "directory.key")  # what else of the data folder goes along
# Never in a backup: what was erased must not come back with one.
APART = ("keys.sqlite3", "erased.sqlite3", "withdrawn.sqlite3")
BLOBS = "blobs"
SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
KEYS_MANIFEST = "keys.json"
TIME = "%Y-%m-%dT%H%M%SZ"
MADE = "backup.made"  # notes for `seawall doctor`
KEYS_MADE = "keys.made"
_UNFINISHED = "unfinished"
# What else may lie in the data folder, and is made anew.
_PASSING = {"worker.lock", "worker.ran", "worker.ran.new", "reserve", "uploads", "backup.unfinished", MADE, KEYS_MADE}


class Refused(Exception):
    """It was not done. Holds a sentence for the operator."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `backup`."""
    parser = subparsers.add_parser("backup", help="copy the whole site while it runs")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="where backups lie; each is a folder there")
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="write the cases' keys and the lists of what was erased to this file, over the last copy of them",
    )
    parser.add_argument("--to", metavar="age1...", help="encrypt to this age recipient")
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 with a sentence if it cannot be done."""
    now = datetime.now(UTC)
    try:
        _check(args)
        recipient = None if args.to is None else _recipient(args.to)
        if args.folder is not None:
            print(f"Backed up to {take(args.folder, recipient, now)}")
            _warn()
        if args.keys is not None:
            save_keys(args.keys, recipient, now)
            print(f"Keys and lists of what was erased are in {args.keys}")
    except (Refused, database.CannotCopy) as error:
        print(f"seawall: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"seawall: This could not be written: {error}. The backups that are there are whole.", file=sys.stderr)
        return 1
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.folder is None and args.keys is None:
        raise Refused("Say where to: a folder for the backup, or --keys FILE, or both.")
    if args.folder is not None and args.keys is not None and args.folder.resolve() in args.keys.resolve().parents:
        raise Refused("Keep the keys apart from the backups: where both lie, what was erased can be read again.")


def take(folder: Path, recipient: pyrage.x25519.Recipient | None, now: datetime) -> Path:
    """Write a backup into ``folder``; answers its own folder. Dying in between leaves the older ones as they were.

    :raises Refused: another one is being written there, or there is nothing to copy
    :raises CannotCopy: the database cannot be copied
    :raises OSError: the disk is full, or the folder not ours
    """
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    if database.is_empty():
        raise Refused(f"There is no site in {settings.DATA} yet. Say where it is with --data or SEAWALL_DATA.")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)  # of one that was killed
        part = folder / _UNFINISHED
        part.mkdir()
        vendor = database.vendor()
        try:
            # First the database: a file that it names has been there since, or was erased on purpose.
            _seal(database.NAMES[vendor], part, recipient, database.copy)
            for name in KEPT:
                if (settings.DATA / name).exists():
                    _seal(name, part, recipient, partial(shutil.copyfile, settings.DATA / name))
            sums = {path.name: _sha256(path) for path in part.iterdir()}
            blobs = blobs_folder()
            if blobs is not None:
                sums |= _link_blobs(blobs, part / BLOBS, _newest(folder))
            _describe(part, sums, vendor, recipient, now)
            os.sync()
            done = folder / now.strftime(TIME)
            part.rename(done)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        _sync(folder)
    note(MADE, now)
    return done


def save_keys(path: Path, recipient: pyrage.x25519.Recipient | None, now: datetime) -> None:
    """Write the key store and the lists to one file in place of the last copy, of which nothing is left.

    The keys are read first: a case that is erased meanwhile is then on the list.

    :raises Refused: the last copy is of another site, or of this one while it still had its keys
    :raises OSError: the disk is full, or the folder not ours
    """
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    members = {name: _serialized(settings.DATA / name) for name in APART}
    about: dict[str, Any] = {
        "seawall keys": FORMAT,
        "made": now.isoformat(timespec="seconds"),
        "site": hashlib.sha256(b"seawall site\n" + settings.SECRET_KEY.encode()).hexdigest()[:16],
        "cases": _count(settings.DATA / APART[0]),
    }
    _check_last(path, about)
    if recipient is not None:
        import pyrage  # noqa: PLC0415 - only where it is asked for

        members = {f"{name}.age": pyrage.encrypt(content, [recipient]) for name, content in members.items()}
    about["sha256"] = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in {KEYS_MANIFEST: json.dumps(about).encode(), **members}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    _replace(path, packed.getvalue())
    note(KEYS_MADE, now)


def _check_last(path: Path, about: dict[str, Any]) -> None:
    """Never put an empty key store in the place of the only copy of a full one."""
    if not path.exists():
        return
    try:
        with tarfile.open(path) as tar, tar.extractfile(KEYS_MANIFEST) or io.BytesIO() as file:
            last = json.load(file)
        same, cases = last["site"] == about["site"], int(last["cases"])
    except (tarfile.TarError, KeyError, ValueError, TypeError):
        raise Refused(f"{path} is something else than the last copy of the keys. Name another file.") from None
    if not same:
        raise Refused(f"{path} holds the keys of another site. Restore that one first, or name another file.")
    if cases and not about["cases"]:
        raise Refused(
            f"{path} holds the keys of {cases} cases, and here are none. If keys.sqlite3 was lost, stop the site and"
            " take it from that file; if all of them were erased, delete the file."
        )


def _count(path: Path) -> int:
    if not path.exists() or not path.stat().st_size:
        return 0
    with closing(sqlite3.connect(path, timeout=20)) as sql:
        (count,) = sql.execute("SELECT count(*) FROM keys").fetchone()
        return int(count)


def blobs_folder() -> Path | None:
    """Where sealed files lie; None if that is a bucket, which the operator keeps."""
    from django.core.files.storage import FileSystemStorage, storages  # noqa: PLC0415 - after django.setup()

    storage = storages["evidence"]
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def note(name: str, now: datetime) -> None:
    """Leave a note of when that was done, for `seawall doctor`."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    (settings.DATA / name).write_text(now.isoformat(timespec="seconds"))


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another at once, and overwrite what the other held."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    old = path.open("r+b") if path.exists() else None
    new.rename(path)
    _sync(path.parent)
    if old is not None:
        with old:
            old.write(bytes(os.fstat(old.fileno()).st_size))
            old.flush()
            os.fsync(old.fileno())


def _serialized(path: Path) -> bytes:
    """A whole SQLite file at one moment; nothing if nothing was ever written there."""
    if not path.exists() or not path.stat().st_size:
        return b""
    with closing(sqlite3.connect(path, timeout=20)) as sql:
        sql.execute("BEGIN")
        sql.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the pages of one moment are read from here on
        return sql.serialize()


def _recipient(text: str) -> pyrage.x25519.Recipient:
    import pyrage  # noqa: PLC0415 - only where it is asked for

    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise Refused(f"{text} is no age recipient. `age-keygen` makes one; it starts with age1.") from None


def _seal(name: str, part: Path, recipient: pyrage.x25519.Recipient | None, write: Callable[[Path], object]) -> None:
    """Let ``write`` write that file into the backup, encrypted if asked: then the backup's disk never sees it clear."""
    if recipient is None:
        write(part / name)
        return
    import pyrage  # noqa: PLC0415 - only where it is asked for
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    clear = settings.DATA / "backup.unfinished"
    clear.unlink(missing_ok=True)
    try:
        write(clear)
        pyrage.encrypt_file(str(clear), str(part / f"{name}.age"), [recipient])
    finally:
        clear.unlink(missing_ok=True)


def _link_blobs(blobs: Path, target: Path, before: Path | None) -> dict[str, str]:
    """Hard-link the sealed files, or copy them to another disk; answers their checksums by name.

    A file never changes once it is there, so what is the same file as in the backup before is not read again.
    """
    known = {} if before is None else read_sums(before)
    sums = {}
    for path in sorted(blobs.rglob("*")) if blobs.is_dir() else ():
        name = f"{BLOBS}/{path.relative_to(blobs).as_posix()}"
        here = target / path.relative_to(blobs)
        if not path.is_file():
            continue
        here.parent.mkdir(parents=True, exist_ok=True)
        try:
            _link(path, here)
        except FileNotFoundError:  # erased since the database was copied
            continue
        same = name in known and before is not None and (before / name).exists() and here.samefile(before / name)
        sums[name] = known[name] if same else _sha256(here)
    return sums


def _link(path: Path, here: Path) -> None:
    try:
        here.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(path, here)


def _describe(
    part: Path, sums: dict[str, str], vendor: str, recipient: pyrage.x25519.Recipient | None, now: datetime
) -> None:
    about = {
        "seawall backup": FORMAT,
        "made": now.isoformat(timespec="seconds"),
        "seawall": version("seawall"),
        "database": vendor,
        "encrypted": recipient is not None,
        "files": len(sums),
    }
    (part / MANIFEST).write_text(json.dumps(about, indent=1) + "\n")
    sums = {MANIFEST: _sha256(part / MANIFEST), **sums}
    (part / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))


def read_sums(backup: Path) -> dict[str, str]:
    """What SHA256SUMS says: checksum by name. Lines that say nothing are passed over."""
    lines = (line.partition("  ") for line in (backup / SUMS).read_text().splitlines())
    return {name: digest for digest, _, name in lines if name}


def all_backups(folder: Path) -> list[Path]:
    """The whole backups of a folder, oldest first."""
    return sorted(path.parent for path in folder.glob(f"2*Z/{SUMS}"))


def _newest(folder: Path) -> Path | None:
    return next(reversed(all_backups(folder)), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    at = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(at)
    finally:
        os.close(at)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "backup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("Another backup is being written there. Wait for it.") from None
        yield


def _warn() -> None:
    """What the operator should know about the backup just made."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from seawall.exchange import queries  # noqa: PLC0415 - after django.setup()

    if fresh := queries.in_order_of_arrival():
        print(f"It holds {fresh} changes in the order they came. Fewest there are at five past an hour.")
    blobs = blobs_folder()
    if blobs is None:
        print(
            "Not in it: the sealed files. They lie in a bucket: let that keep what is deleted for 30 days, no longer."
        )
    known = {*KEPT, *APART, *database.NAMES.values(), *_PASSING}
    known |= {f"{name}{end}" for name in known for end in ("-wal", "-shm", "-journal")}
    for path in settings.DATA.iterdir():
        if path.name not in known and path != blobs:
            print(f"Not in it: {path}, which is no part of a site.")
