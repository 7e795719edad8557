"""`seawall partner`: platforms that follow the exchange, and their keys."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# What each kind of key opens; docs/operating/partners.md says who needs which.
_OPENS = {
    "fetch": "GET  /v1/FetchHashes     header x-functions-key",
    "submit": "POST /v1/SubmitHashes    header x-functions-key",
    "feedback": "POST /v1/SubmitFeedback  header x-functions-key",
    "subscription": "all of /v1/              header Ocp-Apim-Subscription-Key",
    "api": "all of /api/             header Authorization: Bearer",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `partner` and its verbs."""
    parser = subparsers.add_parser("partner", help="platforms that follow the exchange, and their keys")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="let a partner follow, and show its keys once")
    add.add_argument("name")
    add.add_argument("--platform", nargs="+", required=True, metavar="SLUG", help="platforms it runs")
    add.add_argument("--json", action="store_true", help="keys as one line of JSON")
    rotate = verbs.add_parser("rotate", help="a second set of keys; the old ones stay in force until revoked")
    rotate.add_argument("name")
    rotate.add_argument("--json", action="store_true", help="keys as one line of JSON")
    revoke = verbs.add_parser("revoke", help="end one key, by its number in `list`")
    revoke.add_argument("number", type=int)
    frames = verbs.add_parser("frames", help="whether it gets each frame of a video as a picture under /v1/")
    frames.add_argument("name")
    frames.add_argument("given", choices=["on", "off"])
    listing = verbs.add_parser("list", help="partners, their platforms, keys and last full fetch")
    for verb in (add, rotate, revoke, frames, listing):
        verb.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 with a sentence if it cannot be done."""
    from django.core.management import call_command  # noqa: PLC0415 - after django.setup()

    from seawall.exchange import operations, queries  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    try:
        match args.verb:
            case "add":
                _show(operations.add_partner(name=args.name, slugs=args.platform, now=now), as_json=args.json)
            case "rotate":
                _show(operations.rotate_keys(name=args.name, now=now), as_json=args.json)
            case "revoke":
                operations.revoke_key(number=args.number, now=now)
                print(f"Key {args.number} opens nothing any more.")
            case "frames":
                operations.give_frames(name=args.name, on=args.given == "on")
                print(
                    "It counts from the partner's next fetch from the very start (`tx fetch --clear`, then `tx fetch`)."
                )
            case _:
                for line in queries.partner_lines():
                    print(line)
    except (
        operations.PartnerExists,
        operations.UnknownPlatform,
        operations.UnknownPartner,
        operations.UnknownKey,
    ) as error:
        print(f"seawall: {error}", file=sys.stderr)
        return 1
    return 0


def _show(keys: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        import json  # noqa: PLC0415 - rarely asked for

        print(json.dumps(keys))
        return
    print("These keys are shown once. Keep them where you keep passwords.\n")
    for kind, key in keys.items():
        print(f"{kind:<13}{key}\n             {_OPENS[kind]}")
