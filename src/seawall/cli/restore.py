"""`seawall restore`: a backup put back into an empty folder, and everything that was erased since erased again.

The order matters. Until the last step a mark lies in the folder, with which no other command starts: nobody serves a
site in which what was erased has come back for a moment.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.cli import RESTORING, database, set_up_django
from seawall.cli.backup import APART, BLOBS, FORMAT, KEPT, KEYS_MANIFEST, MANIFEST, Refused, blobs_folder, read_sums

if TYPE_CHECKING:
    import argparse

# The privacy page promises that no backup is kept longer.
OLDEST = timedelta(days=30)
# And no older one can be put back at all: the lists of what was erased do not reach further back (`lib.erasures`).
_OLDEST_EVER = timedelta(days=80)
_ENCRYPTED = "This is encrypted. Give --identity FILE."
_NOT_TO_US = "This is encrypted to somebody else. Give the identity that fits."
_NAME = re.compile(rf"(?:{BLOBS}/)?[0-9A-Za-z][0-9A-Za-z._-]*(?:/[0-9A-Za-z][0-9A-Za-z._-]*)*")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup whose every byte is as it was written."""

    folder: Path
    made: datetime
    vendor: str
    sums: dict[str, str]


@dataclass(frozen=True, slots=True)
class Keys:
    """The last copy of the key store and of the lists."""

    made: datetime
    files: dict[str, bytes]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `restore`."""
    parser = subparsers.add_parser("restore", help="put a backup back into an empty folder")
    parser.add_argument("backup", type=Path, metavar="BACKUP", help="the folder of one backup")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="the newest file that `seawall backup --keys` wrote")
    parser.add_argument("--without-keys", action="store_true", help="there is none: every case is lost")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="the age identity, if backups are encrypted")
    parser.add_argument("--older", action="store_true", help="the backup may be older than 30 days")
    parser.add_argument("--data", metavar="DIR", help="the empty folder (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 with a sentence if it cannot be done, and then the folder is as empty as before."""
    now = datetime.now(UTC)
    data = Path(args.data or os.environ.get("SEAWALL_DATA", "data")).resolve()
    try:
        identity = None if args.identity is None else _identity(args.identity)
        backup = check(args.backup)
        _check_age(backup, now, older=args.older)
        keys = _keys(args, backup, identity)
        _check_empty(data)
        try:
            lay(backup, keys, identity, data)
        except BaseException:
            for path in data.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            raise
        told = erase_again(now)
        (data / RESTORING).unlink()
    except (Refused, database.CannotCopy) as error:
        print(f"seawall: {error}", file=sys.stderr)
        return 1
    print(f"Restored the site of {backup.made:%Y-%m-%d %H:%M} UTC into {data}")
    for line in [*told, *_lost(backup, keys)]:
        print(line)
    return 0


def check(folder: Path) -> Backup:
    """Read every byte of a backup.

    :raises Refused: a file is missing or not as it was written
    """
    try:
        sums = read_sums(folder)
        about: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        if about["seawall backup"] != FORMAT or _number(about["seawall"]) > _number(version("seawall")):
            raise Refused("This backup is of a newer Seawall. Install that one first.")
        made, vendor, files = datetime.fromisoformat(about["made"]), str(about["database"]), int(about["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{folder} is not a whole backup. Take another one.") from None
    wrong = [name for name, digest in sums.items() if not _is_whole(folder, name, digest)]
    if wrong or MANIFEST not in sums or len(sums) != files + 1 or vendor not in database.NAMES:
        named = f" {wrong[0]} is not as it was written." if wrong else ""
        raise Refused(f"This backup was cut short or changed.{named} Take another one.")
    return Backup(folder, made, vendor, sums)


def _is_whole(folder: Path, name: str, digest: str) -> bool:
    path = folder / name
    if not _NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _check_empty(data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        raise Refused(f"{data} is not empty. Move it away first, and keep it until the site runs again.")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)


def _check_age(backup: Backup, now: datetime, *, older: bool) -> None:
    age = now - backup.made
    if age > _OLDEST_EVER:
        raise Refused(
            f"This backup is {age.days} days old. Nobody knows any more what was erased since, so it stays where it is."
        )
    if age > OLDEST and not older:
        raise Refused(
            f"This backup is {age.days} days old, and none should be kept for more than 30."
            " Take a newer one, or give --older."
        )


def _keys(args: argparse.Namespace, backup: Backup, identity: object) -> Keys | None:
    if args.keys is not None:
        return read_keys(args.keys, identity)
    if args.without_keys:
        return None
    raise Refused(
        "Give --keys FILE: without it every case is lost, and what was erased or taken back since"
        f" {backup.made:%Y-%m-%d %H:%M} UTC comes back. If there is no such file any more, give --without-keys."
    )


def read_keys(path: Path, identity: object) -> Keys:
    """What `seawall backup --keys` wrote.

    :raises Refused: it is not, or it was cut short or changed, or it is encrypted to somebody else
    """
    try:
        with tarfile.open(path) as tar:
            read = {each.name: file.read() for each in tar if (file := tar.extractfile(each)) is not None}
        about = json.loads(read.pop(KEYS_MANIFEST))
        made = datetime.fromisoformat(about["made"])
        whole = about["seawall keys"] == FORMAT and about["sha256"] == {
            name: hashlib.sha256(content).hexdigest() for name, content in read.items()
        }
    except (OSError, ValueError, KeyError, TypeError, tarfile.TarError):
        whole = False
    if not whole or {name.removesuffix(".age") for name in read} != set(APART):
        raise Refused(f"{path} is not a whole file of `seawall backup --keys`. Take another copy.")
    return Keys(
        made,
        {
            name.removesuffix(".age"): _decrypted(content, identity) if name.endswith(".age") else content
            for name, content in read.items()
        },
    )


def lay(backup: Backup, keys: Keys | None, identity: object, data: Path) -> None:
    """Put everything where it belongs, and the database in order.

    :raises Refused: the database is of another kind, or not empty, or the identity does not fit
    :raises CannotCopy: the database cannot be put back
    """
    (data / RESTORING).touch()
    for name in KEPT:
        _lay_file(backup, name, identity, data / name)
    for name, content in ({} if keys is None else keys.files).items():
        if content:
            (data / name).write_bytes(content)
    os.environ["SEAWALL_DATA"] = str(data)
    set_up_django(restoring=True)
    from django.core.management import call_command  # noqa: PLC0415 - after django.setup()

    if database.vendor() != backup.vendor:
        raise Refused(f"This backup is of {backup.vendor}. Set SEAWALL_DATABASE_URL to an empty database of that kind.")
    if not database.is_empty():
        raise Refused("The database of SEAWALL_DATABASE_URL is not empty. Make a new one, and name that.")
    _lay_blobs(backup)
    laid = data / "database.restoring"
    _lay_file(backup, database.NAMES[backup.vendor], identity, laid)
    database.put_back(laid)
    laid.unlink()
    call_command("migrate", verbosity=0)


def _lay_blobs(backup: Backup) -> None:
    blobs = [name for name in backup.sums if name.startswith(f"{BLOBS}/")]
    folder = blobs_folder()
    if blobs and folder is None:
        raise Refused("This backup holds sealed files, and the settings name a bucket. Restore with a folder first.")
    for name in blobs:
        target = Path(str(folder), name.removeprefix(f"{BLOBS}/"))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(backup.folder / name, target)


def _lay_file(backup: Backup, name: str, identity: object, target: Path) -> None:
    if f"{name}.age" in backup.sums:
        import pyrage  # noqa: PLC0415 - only where it is needed

        if identity is None:
            raise Refused(_ENCRYPTED)
        try:
            pyrage.decrypt_file(str(backup.folder / f"{name}.age"), str(target), [identity])
        except pyrage.DecryptError:
            raise Refused(_NOT_TO_US) from None
    elif name in backup.sums:
        shutil.copyfile(backup.folder / name, target)


def erase_again(now: datetime) -> list[str]:
    """Erase whatever was erased since the backup, and let every gate read the feed anew; lines for the operator."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()

    from seawall.cases import operations as cases  # noqa: PLC0415
    from seawall.evidence import operations as evidence  # noqa: PLC0415
    from seawall.exchange import operations as exchange  # noqa: PLC0415
    from seawall.lib.erasures import Erasures  # noqa: PLC0415

    exchange.start_generation(now=now)
    withdrawn = exchange.withdraw_again(now=now)
    files = evidence.replay(files=Erasures(settings.DATA / "erased.sqlite3").all("file"))
    ended = cases.replay(now=now)
    evidence.sweep(now=now + timedelta(days=1))  # the bytes of all these; nobody is sending anything just now
    return [
        f"Taken back once more: {withdrawn} fingerprints.",
        f"Erased once more: {files} files of cases that go on, and {ended} cases.",
    ]


def _lost(backup: Backup, keys: Keys | None) -> list[str]:
    if keys is None:
        return [
            "Lost: every case. Nobody can open one without the keys, so they are gone.",
            f"Back again: what was taken back since {backup.made:%Y-%m-%d %H:%M} UTC. Say so on your site.",
        ]
    return [
        f"On no list is what was erased or taken back after {keys.made:%Y-%m-%d %H:%M} UTC: it comes back.",
        "Cases opened after that are gone.",
        "Partners that use Meta's tools are not told of this: ask each for a full fetch.",
    ]


def _identity(path: Path) -> object:
    import pyrage  # noqa: PLC0415 - only where it is needed

    try:
        (line,) = [line for line in path.read_text().split() if line.startswith("AGE-SECRET-KEY-")]
        return pyrage.x25519.Identity.from_str(line)
    except (OSError, ValueError, pyrage.IdentityError):
        raise Refused(f"{path} holds no age identity. It has a line that starts with AGE-SECRET-KEY-.") from None


def _decrypted(content: bytes, identity: object) -> bytes:
    import pyrage  # noqa: PLC0415 - only where it is needed

    if identity is None:
        raise Refused(_ENCRYPTED)
    try:
        return bytes(pyrage.decrypt(content, [identity]))
    except pyrage.DecryptError:
        raise Refused(_NOT_TO_US) from None
