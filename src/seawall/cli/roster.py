"""`seawall roster`: sign, on a machine that is not the server, who people can share their cases with."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `roster` and its two verbs."""
    parser = subparsers.add_parser("roster", help="sign who people can share their cases with")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    new_root = verbs.add_parser("new-root", help="make the organisation's root key, and show its public half")
    new_root.add_argument("file", type=Path, help="where the secret half goes; keep it away from the server")
    sign = verbs.add_parser("sign", help="sign a roster, valid for 30 days")
    sign.add_argument("--root", type=Path, required=True, metavar="FILE", help="what new-root wrote")
    sign.add_argument("--recipient", required=True, metavar="age1...", help="the team's key of this epoch")
    sign.add_argument("--epoch", type=int, required=True, metavar="N", help="one more whenever the team's key changes")
    sign.add_argument("--out", type=Path, required=True, metavar="FILE", help="the roster; its version goes up by one")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 with a sentence if it cannot be done."""
    from seawall.cases.recipient import BadKey  # noqa: PLC0415 - after django.setup()
    from seawall.cases.roster import BadRoster  # noqa: PLC0415

    try:
        return _new_root(args.file) if args.verb == "new-root" else _sign(args)
    except (BadKey, BadRoster, OSError) as error:
        print(f"seawall: {error}", file=sys.stderr)
        return 1


def _new_root(path: Path) -> int:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    root = Ed25519PrivateKey.generate()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{root.private_bytes_raw().hex()}\n")
    except FileExistsError:
        print(f"seawall: {path} is there already. A root is made once.", file=sys.stderr)
        return 1
    print(f"Keep {path} offline. On the server, set:\nSEAWALL_ROSTER_ROOT={root.public_key().public_bytes_raw().hex()}")
    return 0


def _sign(args: argparse.Namespace) -> int:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    from seawall.cases import roster  # noqa: PLC0415

    try:
        root = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(args.root.read_text().strip()))
    except ValueError:
        print(f"seawall: {args.root} is no root key.", file=sys.stderr)
        return 1
    before = roster.parse(args.out.read_text()).roster if args.out.exists() else None
    version, epoch = (before.version + 1, before.epoch) if before else (1, 1)
    if not epoch <= args.epoch < 1_000_000_000:  # noqa: PLR2004 - nine digits, as a roster has room for
        print(f"seawall: epochs only go up: this one is {epoch} or more.", file=sys.stderr)
        return 1
    today = datetime.now(UTC).date()
    signed = roster.sign(roster.Roster(version, today + roster.VALID, args.epoch, args.recipient), root)
    # A file beside it first: the server reads one roster or the other, never half of one.
    half = args.out.with_name(f"{args.out.name}.half")
    half.write_text(signed.file)
    half.chmod(0o644)
    half.replace(args.out)
    print(f"Version {version}, epoch {args.epoch}, until {signed.roster.expires}. Put {args.out} at SEAWALL_ROSTER.")
    return 0
