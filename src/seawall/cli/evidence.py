"""`seawall evidence verify`: whether a bundle from the locker is whole. Needs no network and no database."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from seawall.evidence.kit import report as reports

if TYPE_CHECKING:
    import argparse

    from seawall.evidence.kit.report import Report, Stamped

HOLDS, AMISS, NOT_UNDERSTOOD = 0, 1, 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `evidence`."""
    parser = subparsers.add_parser("evidence", help="check what a person took out of the locker")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser(
        "verify",
        help="whether a bundle is whole and unchanged",
        description="Exit code 0: it is. 1: it is not, and why. 2: the question was not understood.",
    )
    verify.add_argument("bundle", type=Path, metavar="BUNDLE", help="the ZIP, once the age file was opened")
    verify.add_argument("--key", type=_key, metavar="HEX", help="the case's verify key, if you know it from elsewhere")
    verify.add_argument(
        "--authority", type=Path, action="append", default=[], metavar="CA.pem", help="whose time-stamps you trust"
    )


def run(args: argparse.Namespace) -> int:
    """Check one bundle, and say what was found."""
    try:
        authorities = [each for path in args.authority for each in x509.load_pem_x509_certificates(path.read_bytes())]
        with args.bundle.open("rb") as file:
            report = reports.check(file, key=args.key, authorities=authorities)
    except OSError as error:
        print(f"seawall: we cannot read {error.filename or args.bundle}: {error.strerror}.", file=sys.stderr)
        return NOT_UNDERSTOOD
    except ValueError:
        print("seawall: --authority takes a file with certificates in PEM form.", file=sys.stderr)
        return NOT_UNDERSTOOD
    for problem in report.problems:
        print(f"{args.bundle}: {problem}", file=sys.stderr)
    if report.problems:
        print(f"{args.bundle}: do not rely on it. Ask for the bundle again.", file=sys.stderr)
        return AMISS
    _print(args.bundle, report)
    return HOLDS


def _key(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError(text)
    return text.lower()


def _print(bundle: Path, report: Report) -> None:
    print(f"{bundle}: unchanged since it was signed")
    print(f"signed    {report.made} by the device's clock, with the key {report.key}")
    print(f"log       {report.lines} lines, none missing")
    for stamp in report.stamps:
        print(f"stamp     lines 1 to {stamp.line}, {_when(stamp)}")
    for each in report.exhibits:
        print(f"{each.path}  {each.size:,} bytes, SHA-256 {each.sha256}")
        covering = report.since(each)
        print(f"          {f'existed unchanged since {_when(covering)}' if covering else 'no time-stamp covers it'}")


def _when(stamp: Stamped) -> str:
    if stamp.time is None:
        return "time not readable here: install openssl"
    told = f"{stamp.time:%Y-%m-%dT%H:%M:%SZ}"
    return told if stamp.trusted else f"{told} if you trust its authority: check with --authority"
