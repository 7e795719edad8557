"""`seawall match`: look pictures up in a list of fingerprints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seawall.hashing import USABLE_QUALITY, UnreadableImage, fingerprint
from seawall.matching import HashIndex, look_up

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

NONE, UNREADABLE, MATCH = 0, 1, 3


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `match`."""
    parser = subparsers.add_parser(
        "match",
        help="look pictures up in a list of fingerprints",
        description="Exit code 3: at least one picture is in the list. 1: one could not be read.",
    )
    parser.add_argument("--bank", required=True, type=Path, metavar="HASHES.txt", help="64 hex digits a line")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Look every file up; one line each."""
    try:
        with args.bank.open("rb") as lines:
            index = read_bank(lines)
    except OSError as error:
        print(f"seawall: we cannot open {args.bank}: {error.strerror}.", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"seawall: {args.bank}, {error}", file=sys.stderr)
        return 2
    return _print_matches(args.files, index)


def read_bank(lines: Iterable[bytes]) -> HashIndex:
    """An index of the fingerprints, each under the number of its line; empty lines count but hold nothing.

    :raises ValueError: naming the line that is not 64 hex digits
    """
    hashes, ids = bytearray(), []
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            try:
                bits = bytes.fromhex(text.decode("ascii"))
            except ValueError:
                bits = b""
            if len(bits) != 32 or len(text) != 64:  # noqa: PLR2004 - a PDQ hash
                raise ValueError(f"line {number}: a fingerprint is 64 hex digits. Correct that line.")
            hashes += bits
            ids.append(number)
    return HashIndex.build(np.frombuffer(hashes, np.uint8).reshape(-1, 32), np.array(ids, np.uint64))


def _print_matches(files: Iterable[Path], index: HashIndex) -> int:
    """Print what was found for each file and answer the exit code."""
    code = NONE
    for file in files:
        try:
            pdq = fingerprint(file).pdq
        except (UnreadableImage, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            code = code or UNREADABLE
            continue
        plain = pdq.quality < USABLE_QUALITY
        found = () if plain else look_up(index, [bytes(view) for view in pdq.dihedral()])
        for match in found:
            print(f"{file}: match, line {match.id}, distance {match.distance}, {match.view}")
            code = MATCH
        if not found:
            print(f"{file}: free" + (", too plain to compare" if plain else ""))
    return code
