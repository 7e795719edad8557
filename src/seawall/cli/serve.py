"""`seawall serve`: the site and the exchange in one web process, and one worker beside it."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# A slow sender holds a thread; with one thread, one of them would stall the site.
BLOCKING_THREADS = 16


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `serve`."""
    parser = subparsers.add_parser("serve", help="run the site and the exchange")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE")
    parser.add_argument("--tls-key", type=Path, metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from django.conf import settings  # noqa: PLC0415 - after django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    tls = args.tls_cert is not None and args.tls_key is not None
    if not (is_loopback(args.host) or tls or settings.BEHIND_PROXY):
        print(
            f"seawall: {args.host} can be reached from other machines, and this would answer without encryption.\n"
            "Give --tls-cert and --tls-key, or put a TLS proxy in front and set SEAWALL_BEHIND_PROXY=1.",
            file=sys.stderr,
        )
        return 2
    call_command("migrate", verbosity=0)
    worker = subprocess.Popen([sys.executable, "-m", "seawall.cli", "worker"])
    try:
        _serve(args)
    finally:
        worker.terminate()
        worker.wait()
    return 0


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _serve(args: argparse.Namespace) -> None:
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    print(f"Serving on {'https' if args.tls_cert else 'http'}://{args.host}:{args.port}/", flush=True)
    Granian(
        "seawall.wsgi:application",
        address=args.host,
        port=args.port,
        interface=Interfaces.WSGI,
        blocking_threads=BLOCKING_THREADS,
        log_access=False,
        log_level=LogLevels.warning,
        websockets=False,
        ssl_cert=args.tls_cert,
        ssl_key=args.tls_key,
    ).serve()
