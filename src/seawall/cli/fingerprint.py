"""`seawall fingerprint`: the fingerprints of picture files, one line each."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING

from seawall.hashing import USABLE_QUALITY, Fingerprint, UnreadableImage, fingerprint, look

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `fingerprint`."""
    parser = subparsers.add_parser("fingerprint", help="make fingerprints of pictures")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON line a file")
    parser.add_argument("--windows", action="store_true", help="also of 126 parts of each picture (windows1)")


def run(args: argparse.Namespace) -> int:
    """Fingerprint every file. 1 if one could not be read; the others are still done."""
    code = 0
    for file in args.files:
        try:
            made, windows = _made(file, windows=args.windows)
        except UnreadableImage as error:
            print(f"{file}: {error}", file=sys.stderr)
            code = 1
            continue
        except OSError as error:
            print(f"{file}: We cannot open this file: {error.strerror}.", file=sys.stderr)
            code = 1
            continue
        print(_json_line(file, made, windows) if args.json else _lines(file, made, windows))
        if made.pdq.quality < USABLE_QUALITY:
            print(
                f"{file}: This picture is too plain or too small to be told from others, so it cannot be matched.",
                file=sys.stderr,
            )
    return code


def _made(file: str, *, windows: bool) -> tuple[Fingerprint, bytes]:
    """The fingerprint, and its windows if they are asked for."""
    if not windows:
        return fingerprint(file), b""
    made, plane = look(file)
    return made, plane.registered()


def _text(windows: bytes) -> str:
    return base64.urlsafe_b64encode(windows).decode()


def _lines(file: str, made: Fingerprint, windows: bytes) -> str:
    line = f"{made.pdq.hex}  quality {made.pdq.quality}  {file}"
    return f"{line}\nwindows1 {_text(windows)}" if windows else line


def _json_line(file: str, made: Fingerprint, windows: bytes) -> str:
    return json.dumps(
        {
            "file": file,
            "version": made.version,
            "kind": made.kind,
            "pdq": made.pdq.hex,
            "quality": made.pdq.quality,
            "sha256": made.sha256,
            "md5": made.md5,
            "frames": [],
            **({"windows1": _text(windows)} if windows else {}),
        }
    )
