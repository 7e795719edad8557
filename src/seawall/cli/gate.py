"""`seawall gate`: run the platform's side, or ask its copy of the bank."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.gate.bank import BankCopy, UnknownSchema
from seawall.gate.check import Checker
from seawall.gate.config import KEY_FILE, BadSetting, looks, read, video_seconds
from seawall.hashing import UnreadableImage, is_video_file

if TYPE_CHECKING:
    import argparse

    from seawall.gate.check import Match, Verdict

# HMA's own port, so that what talks to HMA today finds us.
PORT = 5100
FREE, UNREADABLE, MATCH = 0, 1, 3


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `gate serve` and `gate check`."""
    gate = subparsers.add_parser(
        "gate", help="the platform's side: follow a feed, answer whether an upload may be shared"
    )
    verbs = gate.add_subparsers(dest="verb", metavar="VERB", required=True)
    serve = verbs.add_parser("serve", help="follow an exchange and answer POST /check")
    serve.add_argument("--feed", required=True, metavar="URL", help="the exchange's API: https://HOST/api")
    serve.add_argument(
        "--key", help="better SEAWALL_GATE_FEED_KEY, which `ps` does not show: the API key the exchange gave you"
    )
    serve.add_argument(
        "--check-key",
        metavar="KEY",
        help="better SEAWALL_GATE_KEY: what your servers send with a check (else made once)",
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=PORT)
    check = verbs.add_parser(
        "check",
        help="look pictures and videos up in a gate's copy, without reporting anything",
        description="Exit code 3: at least one file matches. 0: none does. 1: none does, but one could not be read.",
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for verb in (serve, check):
        verb.add_argument(
            "--data",
            type=Path,
            default=Path("gate-data"),
            metavar="DIR",
            help="the gate's folder (default: ./gate-data)",
        )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop, or check and answer by exit code."""
    try:
        return _serve(args) if args.verb == "serve" else _check(args)
    except (BadSetting, UnknownSchema, OSError) as error:
        print(f"seawall: {error}", file=sys.stderr)
    except sqlite3.DatabaseError as error:
        print(
            f"seawall: the copy in {args.data} cannot be used: {error}. "
            "If it is damaged, stop the gate, delete that folder and start it again: it fetches the bank anew.",
            file=sys.stderr,
        )
    return 2


def _serve(args: argparse.Namespace) -> int:
    from seawall.gate.server import serve  # noqa: PLC0415 - `gate check` needs no server

    config = read(
        feed=args.feed,
        key=args.key,
        check_key=args.check_key,
        data=args.data,
        host=args.host,
        port=args.port,
        environ=os.environ,
    )
    print(f"Checking uploads on http://{config.host}:{config.port}/check", flush=True)
    if not (args.check_key or os.environ.get("SEAWALL_GATE_KEY")):
        print(f"The key your servers send with a check is in {config.data / KEY_FILE}", flush=True)
    return serve(config)


def _check(args: argparse.Namespace) -> int:
    windows = looks(os.environ)
    copy = BankCopy.open_to_read(args.data)
    if not copy.state().complete:
        print(
            "seawall: this copy is not complete yet. Let the gate fetch its first list, then try again.",
            file=sys.stderr,
        )
        return 2
    index, seconds = copy.build_index(windows=windows), video_seconds(os.environ)
    checker = Checker(copy, index, windows=windows, video_seconds=seconds)
    code = FREE
    for file in args.files:
        try:
            verdict = _verdict(checker, file)
        except (UnreadableImage, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            code = code or UNREADABLE
            continue
        for match in verdict.matches:
            print(f"{file}: match, entry {match.entry}, distance {match.distance}, {match.view}{_span(match)}")
            code = MATCH
        if not verdict.matches:
            print(f"{file}: free" + (f", {verdict.reason}" if verdict.reason else ""))
    copy.close()
    return code


def _span(match: Match) -> str:
    """Of an uploaded video: where to look."""
    return f", from {match.seconds[0]:g} s to {match.seconds[1]:g} s" if match.seconds else ""


def _verdict(checker: Checker, file: Path) -> Verdict:
    if not is_video_file(file):
        return checker.picture(file.read_bytes())
    with file.open("rb") as content:
        return checker.video(content, hashlib.file_digest(content, _md5).digest())


def _md5() -> hashlib._Hash:
    """For partners whose lists are MD5; nothing here rests on its security."""
    return hashlib.md5(usedforsecurity=False)
