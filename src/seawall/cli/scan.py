"""`seawall scan`: look a whole back catalogue up in an index file, on this machine or a Ray cluster."""

from __future__ import annotations

import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from seawall.scan.catalogue import Progress

NONE, UNREADABLE, CANNOT, MATCH, STOPPED = 0, 1, 2, 3, 130

# Seconds between two lines of progress: rewritten on a terminal, one below the other in a log.
_ON_TERMINAL, _IN_LOG = 1.0, 10.0

# extra -> what of it must be there
_PARTS = {"scan": ("fsspec", "pyarrow"), "ray": ("ray",), "s3": ("s3fs",)}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `scan`."""
    parser = subparsers.add_parser(
        "scan",
        help="look a whole folder or bucket up in an index file",
        description="Answers are written to DIR/shards as Parquet. The same command goes on after an interruption. "
        "Exit code 3: at least one picture matches. 1: none does, but a file could not be read. 0: neither. "
        "2: the scan could not be done or finished.",
    )
    parser.add_argument("source", metavar="PATH", help="a folder, s3://BUCKET/FOLDER, or another address fsspec reads")
    parser.add_argument("--index", required=True, metavar="FILE", help="made by `seawall index`")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="for the answers; kept between runs")
    parser.add_argument("--engine", choices=["local", "ray"], default="local", help="(default: local)")
    parser.add_argument("--workers", type=_count, metavar="N", help="at once at most (default: all processors)")
    parser.add_argument(
        "--as-listed", action="store_true", help="go on with the files of the first run, whatever came since"
    )


def run(args: argparse.Namespace) -> int:
    """Scan, and answer by exit code."""
    if missing := _missing(args):
        print(f"seawall: this needs more parts. Install them: pip install 'seawall[{missing}]'", file=sys.stderr)
        return CANNOT
    from seawall.matching import DamagedIndex  # noqa: PLC0415 - after it is clear that all parts are there
    from seawall.scan.catalogue import OtherScan, scan  # noqa: PLC0415
    from seawall.scan.engines import NoEngine  # noqa: PLC0415
    from seawall.scan.listing import CannotList  # noqa: PLC0415
    from seawall.scan.look import WrongIndex  # noqa: PLC0415

    line, stop = _Line(), _Stop()

    def told(progress: Progress) -> None:
        line.show(progress)
        stop.check()

    try:
        progress = scan(
            source=args.source,
            index=args.index,
            out=args.out,
            engine=args.engine,
            workers=args.workers,
            as_listed=args.as_listed,
            told=told,
        )
    except (CannotList, NoEngine, OtherScan, WrongIndex, DamagedIndex) as error:
        line.end()
        print(f"seawall: {error}", file=sys.stderr)
        return CANNOT
    except OSError as error:
        line.end()
        print(f"seawall: we cannot use {error.filename or args.out}: {error.strerror}.", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        line.end()
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return STOPPED
    line.end()
    return _sum_up(progress, args.out)


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _missing(args: argparse.Namespace) -> str:
    """The extra that is not installed, if one is needed."""
    wanted: list[str] = ["ray"] if args.engine == "ray" else []
    wanted += ["s3"] if args.source.startswith("s3:") else []
    for extra in [*wanted, "scan"]:
        if not all(find_spec(part) for part in _PARTS[extra]):
            return extra
    return ""


def _sum_up(progress: Progress, out: Path) -> int:
    """Say what was found."""
    count = progress.verdicts
    earlier = f" ({progress.earlier:,} of them in earlier runs)" if progress.earlier else ""
    print(
        f"{progress.done:,} files{earlier}: {count['match']:,} match, {count['free']:,} free, "
        f"{count['too plain']:,} too plain to compare, {count['unreadable']:,} not read"
    )
    print(f"The answers are in {out / 'shards'}")
    return MATCH if count["match"] else UNREADABLE if count["unreadable"] else NONE


class _Stop:
    """Ctrl-C, also where Python loses it: what a handler raises while an object is cleared away is only printed."""

    def __init__(self) -> None:
        self._pressed = False
        signal.signal(signal.SIGINT, self._press)

    def _press(self, *_: object) -> None:
        self._pressed = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Stop here if it was pressed and got lost."""
        if self._pressed:
            raise KeyboardInterrupt


class _Line:
    """Progress on stderr, from the first second on."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._every = _ON_TERMINAL if self._terminal else _IN_LOG
        self._began = time.monotonic()
        self._next = self._began + _ON_TERMINAL
        self._scanning = 0.0
        self._shown = False

    def show(self, progress: Progress) -> None:
        """Show how far it is, if it is time."""
        now = time.monotonic()
        if progress.files is not None and not self._scanning:
            self._scanning = now
        if now < self._next:
            return
        self._next = now + self._every
        text = self._text(progress, now)
        print(f"\r\x1b[K{text}" if self._terminal else text, end="" if self._terminal else "\n", file=sys.stderr)
        sys.stderr.flush()
        self._shown = True

    def _text(self, progress: Progress, now: float) -> str:
        if progress.files is None:
            return f"Listing: {progress.listed:,} files so far"
        speed = (progress.done - progress.earlier) / max(now - self._scanning, 1e-9)
        left = _span((progress.files - progress.done) / speed) if speed else "some time"
        count = progress.verdicts
        return (
            f"{progress.done:,} of {progress.files:,} files on {progress.where}, {speed:,.0f} a second, {left} left; "
            f"{count['match']:,} match, {count['unreadable']:,} not read"
        )

    def end(self) -> None:
        """Leave the line."""
        if self._terminal and self._shown:
            print(file=sys.stderr)


def _span(seconds: float) -> str:
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
