"""`seawall index`: write the index file that `seawall scan` looks pictures up in."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seawall.cli.match import read_bank
from seawall.gate.bank import BankCopy, UnknownSchema
from seawall.matching import HashIndex

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `index`."""
    parser = subparsers.add_parser(
        "index",
        help="write an index file of a gate's copy, or of a list of fingerprints",
        description="A match in the file then bears the number of the entry, or of the list's line.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the index file to write; an old one is replaced")
    bank = parser.add_mutually_exclusive_group(required=True)
    bank.add_argument("--gate", type=Path, metavar="DIR", help="a gate's folder; the gate may be running")
    bank.add_argument("--bank", type=Path, metavar="HASHES.txt", help="64 hex digits a line")


def run(args: argparse.Namespace) -> int:
    """Write it; 2 with a sentence if that cannot be done."""
    try:
        index = _of_gate(args.gate) if args.gate else _of_list(args.bank)
        index.save(args.file)
    except OSError as error:
        said = f"we cannot use {error.filename}: {error.strerror}." if error.strerror else error
        print(f"seawall: {said}", file=sys.stderr)
        return 2
    except (UnknownSchema, ValueError) as error:
        print(f"seawall: {error}", file=sys.stderr)
        return 2
    except sqlite3.DatabaseError as error:
        print(f"seawall: the copy in {args.gate} cannot be used: {error}.", file=sys.stderr)
        return 2
    print(f"{args.file}: {len(index):,} fingerprints")
    return 0


def _of_gate(folder: Path) -> HashIndex:
    copy = BankCopy.open_to_read(folder)
    try:
        if not copy.state().complete:
            raise ValueError("this copy is not complete yet. Let the gate fetch its first list, then try again.")
        hashes, entries = copy.fingerprints()
    finally:
        copy.close()
    if np.unique(entries).size != entries.size:
        raise ValueError("this copy holds entries of several fingerprints each, which an index file cannot name yet.")
    return HashIndex.build(hashes, entries)


def _of_list(bank: Path) -> HashIndex:
    try:
        with bank.open("rb") as lines:
            return read_bank(lines)
    except ValueError as error:
        raise ValueError(f"{bank}, {error}") from error
