"""`seawall staff`: practitioners, who sign in under /staff/."""

from __future__ import annotations

import getpass
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `staff` and its three verbs."""
    parser = subparsers.add_parser("staff", help="practitioners, who sign in under /staff/")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="let a practitioner sign in; asks for name and password")
    add.add_argument("email")
    add.add_argument("--name", help="asked for if left out")
    add.add_argument("--json", action="store_true", help="what was added as one line of JSON")
    end = verbs.add_parser("end", help="let somebody sign in no more")
    end.add_argument("email")
    listing = verbs.add_parser("list", help="who may sign in")
    for verb in (add, end, listing):
        verb.add_argument("--data", metavar="DIR", help="where everything is kept (default: SEAWALL_DATA, or ./data)")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 with a sentence if it cannot be done."""
    from django.core.management import call_command  # noqa: PLC0415 - after django.setup()

    from seawall.accounts import operations, queries  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    try:
        match args.verb:
            case "add":
                name = args.name or input("Name: ")
                staff = operations.add_staff(email=args.email, name=name, password=_password())
                told = {"email": staff.email, "name": staff.name}
                print(json.dumps(told) if args.json else f"{staff.name} can sign in at /staff/ now.")
            case "end":
                print(f"{operations.end_staff(email=args.email).name} can no longer sign in.")
            case _:
                for line in queries.staff_lines():
                    print(line)
    except (operations.CannotAdd, operations.UnknownStaff) as error:
        print(f"seawall: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("seawall: nobody answered. Give --name, and the password in SEAWALL_STAFF_PASSWORD.", file=sys.stderr)
        return 1
    return 0


def _password() -> str:
    """Asked for twice, or from SEAWALL_STAFF_PASSWORD where nobody sits at the keyboard."""
    if given := os.environ.get("SEAWALL_STAFF_PASSWORD"):
        return given
    first = getpass.getpass("Password (12 characters or more): ")
    if first != getpass.getpass("Once more: "):
        raise SystemExit("seawall: The two passwords differ. Start again.")
    return first
