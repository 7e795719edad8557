"""`seawall demo`: the site, the exchange, a gate and a sample platform, as real processes on loopback."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.cli.demo.loop import walk
from seawall.cli.demo.parts import start

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `demo`."""
    parser = subparsers.add_parser("demo", help="the whole loop on this machine, with a sample platform")
    parser.add_argument("--once", action="store_true", help="do the loop with a sample photo, print each step, end")
    parser.add_argument("--port", type=int, default=8000, help="the site's port; gate and platform take the next two")


def run(args: argparse.Namespace) -> int:
    """Start everything in a folder of its own, which goes when this ends."""
    # However it is ended, its processes and its folder go with it. A shell's background job ignores SIGINT by itself.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-demo-")))
        demo = start(stack, folder=folder, port=0 if args.once else args.port)
        if args.once:
            return walk(demo)
        print(
            f"\n  Start here          {demo.site}/"
            f"\n  Protect a picture   {demo.site}/protect/"
            f"\n  Then post it here   {demo.platform}/"
            f"\n  A picture to try    {demo.sample}"
            f"\n  Another partner     {Path(sys.prefix) / 'bin/seawall'} partner add NAME --platform reddit"
            f" --data {folder}/site"
            f"\n\nThe gate answers on {demo.gate}/check to whoever sends `Authorization: Bearer {demo.gate_key}`."
            f"\nEverything here goes when you press Ctrl-C.\n",
            flush=True,
        )
        demo.wait()
    return 0
