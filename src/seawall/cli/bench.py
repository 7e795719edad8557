"""`seawall bench`: figures with the peer's beside them, measured in one run. Needs a checkout and `make setup`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

CHECKOUT = Path(__file__).parents[3]


def names() -> list[str]:
    """The benchmarks there are: each file of bench/ that has a ``run``."""
    return sorted(path.stem for path in (CHECKOUT / "bench").glob("[a-z]*.py"))


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `bench`."""
    parser = subparsers.add_parser("bench", help="figures with the peer's beside them")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(names())} (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")


def run(args: argparse.Namespace) -> int:
    """Measure and print. 3 when a target was missed."""
    if not names():
        print("seawall: the benchmarks and their peers are in a checkout. See its README.", file=sys.stderr)
        return 2
    if unknown := set(args.names) - set(names()):
        print(f"seawall: there is no benchmark {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    sys.path.insert(0, str(CHECKOUT))
    missed = False
    for name in args.names or names():
        for row in import_module(f"bench.{name}").run():
            print(json.dumps(row) if args.json else _line(row), flush=True)
            missed |= not row["met"]
    return 3 if missed else 0


def _line(row: dict[str, Any]) -> str:
    peer = f"{row['peer']:>10.4g} {row['unit']:<4} {row['peer_name']}" if row["peer"] is not None else ""
    ratio = f"{row['ratio']:>7.1f}x" if row["ratio"] is not None else " " * 8
    met = "met" if row["met"] else "MISSED"
    return (
        f"{row['what']:<58} {row['ours']:>10.4g} {row['unit']:<4} {ratio}  target {row['target']:<14} {met:<6} {peer}"
    )
