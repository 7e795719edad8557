"""`seawall protect`: what the picture page does, where no browser can: fingerprint, keep the receipt, then send.

docs/spec/submission.md and docs/spec/receipt.md. The files stay here.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from seawall.cli.fingerprint import read, windows_text
from seawall.hashing import USABLE_QUALITY, Fingerprint, UnreadableImage
from seawall.hashing.native import WINDOWS, WINDOWS_BYTES
from seawall.hashing.videos import pack, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST = 100  # pictures and videos that one form takes
LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Protected:
    """A picture or video, and the secret that takes it back."""

    made: Fingerprint
    windows: bytes
    token: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `protect`."""
    parser = subparsers.add_parser(
        "protect",
        help="fingerprint pictures and videos, keep the receipt, and send the fingerprints to a site",
        description="The files stay on this computer. Their fingerprints are shown, and sent if you say yes."
        " Exit code 0: all were sent. 1: one was left out, or nothing was sent.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument(
        "--site", required=True, metavar="URL", type=_origin, help="https://HOST of the helpline's site"
    )
    parser.add_argument("--receipt", required=True, type=Path, metavar="NEW_FILE", help="where to keep the receipt")
    parser.add_argument(
        "--for", dest="platforms", nargs="+", metavar="PLATFORM", help="instead of all that take part, like `instagram`"
    )
    parser.add_argument("--future", action="store_true", help="and platforms that join later")
    parser.add_argument("--parts", action="store_true", help="find cropped copies, too; gives away a rough likeness")


def run(args: argparse.Namespace) -> int:
    """Ask, fingerprint, keep the receipt, show what is sent, ask, send."""
    if misuse := _misuse(args):
        return _end(misuse)
    if not _yes("Are you 18 or over, and were you 18 or over when all of these were made?"):
        return _end(f"Go to {args.site}/protect/under-18/. The services there are made for you, and do more.")
    items = tuple(_items(args.files, parts=args.parts))
    if not items:
        return _end("Nothing is left that could be sent.")
    if not _kept(args.receipt, _receipt(args.site, items)):
        return 1
    print(
        f"Your receipt is in {args.receipt}. It is the only way to take a fingerprint back. Keep it.", file=sys.stderr
    )
    scope = " ".join(args.platforms) if args.platforms else "all and future" if args.future else "all"
    text = _submission(scope, items)
    print(text, end="")
    if not _yes(f"This is all that is sent to {args.site}. Send it?"):
        args.receipt.unlink()
        return _end("Nothing was sent. The receipt would be of no use, so it is deleted.")
    return _sent(args, text) or int(len(items) < len(args.files))


def _misuse(args: argparse.Namespace) -> str:
    if len(args.files) > MOST:
        return f"One form takes {MOST} pictures and videos. Name fewer, and the others next time."
    if args.future and args.platforms:
        return "With --for only those platforms are meant. Leave out --future, or --for."
    return ""


def _origin(text: str) -> str:
    """A site's origin. What leaves is nobody else's to read, so HTTP is for this machine only."""
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL):
        return f"{parts.scheme}://{parts.netloc}"
    raise argparse.ArgumentTypeError("give the site as https://HOST")


def _yes(question: str) -> bool:
    print(f"{question} Type yes or no: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"yes", "y"}


def _end(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _items(files: Sequence[str], *, parts: bool) -> Iterator[Protected]:
    """Those that can be protected; of the others is said why not."""
    for file in files:
        try:
            made, windows = read(file, windows=parts)
        except UnreadableImage as error:
            print(f"{file}: {error}", file=sys.stderr)
            continue
        except OSError as error:
            print(f"{file}: We cannot open this file: {error.strerror}.", file=sys.stderr)
            continue
        if made.pdq.quality < USABLE_QUALITY:
            print(f"{file}: Too plain or too small to be told from others. It is left out.", file=sys.stderr)
            continue
        if made.problem:
            print(f"{file}: {made.problem} What could be read is protected.", file=sys.stderr)
        yield Protected(made, windows)


def _receipt(site: str, items: Sequence[Protected]) -> str:
    lines = [
        "seawall receipt 1",
        f"site {site}",
        f"made {datetime.now(UTC).date()}",
        "# Keep this. It is the only way to see what happened, or to take a fingerprint back.",
        f"# Paste all of it at {site}/protect/receipt/",
        *(f"{each.token.hex()} {_name(each.made)}" for each in items),
    ]
    return "\n".join(lines) + "\n"


def _name(made: Fingerprint) -> str:
    return made.sha256 if made.kind == "video" else made.pdq.hex


def _kept(path: Path, receipt: str) -> bool:
    """Write it where nothing is yet."""
    try:
        with path.open("x") as file:
            file.write(receipt)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        _end(f"We cannot keep the receipt in {path}: {error.strerror}. Name another file. Nothing was sent.")
        return False
    return True


def _submission(scope: str, items: Sequence[Protected]) -> str:
    lines = [line for each in items for line in _lines(each)]
    return "\n".join(["seawall fingerprints 1", f"for {scope}", *lines]) + "\n"


def _lines(item: Protected) -> Iterator[str]:
    made, h = item.made, hashlib.sha256(item.token).hexdigest()
    if made.kind == "video":
        yield f"{h} video vpdq1 {to_text(pack(made.frames))} {max(frame.pdq.quality for frame in made.frames)}"
        yield f"{h} video md5 {made.md5} 100"
        yield f"{h} video sha256 {made.sha256} 100"
        return
    yield f"{h} image pdq1 {made.pdq.hex} {made.pdq.quality}"
    if item.windows:
        yield f"{h} image windows1 {windows_text(item.windows)} {item.windows[WINDOWS_BYTES // WINDOWS - 1]}"


def _sent(args: argparse.Namespace, text: str) -> int:
    """Send it. 1 if it was not taken, or nobody knows whether it was."""
    again = f"Nobody may have got it. Paste the receipt at {args.site}/protect/receipt/ to see, or run this once more."
    try:
        answer = httpx.post(f"{args.site}/protect/send/", data={"fingerprints": text}, timeout=60)
    except httpx.HTTPError:
        return _end(f"We cannot reach {args.site}. {again}")
    if answer.is_success:
        print("Done. It is on its way.", file=sys.stderr)
        return 0
    if answer.is_server_error or answer.is_redirect:
        return _end(f"The site answered {answer.status_code}. {again}")
    args.receipt.unlink()
    what = "Is a platform in --for misspelt?" if args.platforms else "Is this the newest Seawall?"
    return _end(f"The site did not take it ({answer.status_code}), and nothing was stored. {what}")
