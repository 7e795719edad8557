"""The `seawall` command: one file a subcommand, each with ``add_parser`` and ``run``.

A subcommand is imported only when it is asked for, so that the gate never loads Django.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

# Lies in the data folder until everything that was erased since the backup is erased again.
RESTORING = "restore.unfinished"
# name -> (what it does, whether it needs the site's database and settings)
COMMANDS = {
    "fingerprint": ("make fingerprints of pictures and videos", False),
    "protect": ("fingerprint pictures and videos, keep the receipt, and send the fingerprints to a site", False),
    "match": ("look pictures and videos up in a list of fingerprints", False),
    "index": ("write an index file of a gate's copy, or of a list of fingerprints", False),
    "scan": ("look a whole folder or bucket up in an index file", False),
    "gate": ("the platform's side: follow a feed, answer whether an upload may be shared", False),
    "serve": ("run the site and the exchange", True),
    "worker": ("what is done without anybody asking; `serve` starts one itself", True),
    "partner": ("platforms that follow the exchange, and their keys", True),
    "staff": ("practitioners, who sign in under /staff/", True),
    "roster": ("sign who people can share their cases with", False),
    "backup": ("copy the whole site while it runs", True),
    "restore": ("put a backup back into an empty folder", False),
    "evidence": ("check what a person took out of the locker", False),
    "doctor": ("whether this machine, its settings and the facts are as they should be", True),
    "demo": ("the whole loop on this machine, with a sample platform", False),
    "bench": ("figures with the peer's beside them", False),
}


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand and answer its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    os.umask(0o077)  # databases, keys, indexes: what a command writes is for its own user alone
    parser = argparse.ArgumentParser(
        prog="seawall",
        description="Stops sextortion from working. Pictures are fingerprinted on the person's own device.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in arguments if word in COMMANDS), None)
    for name, (what, _) in COMMANDS.items():
        if name != asked:
            subparsers.add_parser(name, help=what)
    if asked is None:
        parser.parse_args(arguments)
        return 2
    if COMMANDS[asked][1]:
        if "--data" in arguments[:-1]:  # it counts from here on, because settings are read once
            os.environ["SEAWALL_DATA"] = arguments[arguments.index("--data") + 1]
        set_up_django()
    command = import_module(f"seawall.cli.{asked}")
    command.add_parser(subparsers)
    try:
        code: int = command.run(parser.parse_args(arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read what we print has enough, like `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def set_up_django(*, restoring: bool = False) -> None:
    """Load the settings and the site's rooms."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seawall.settings")
    import django  # noqa: PLC0415 - a command without a database must not load it
    from django.conf import settings  # noqa: PLC0415
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise SystemExit(f"seawall: {error}") from None
    if not restoring and (settings.DATA / RESTORING).exists():
        raise SystemExit(
            f"seawall: A restore into {settings.DATA} did not finish, and what was erased may be in it."
            " Empty that folder, and the database if it is PostgreSQL, and restore once more."
        )
