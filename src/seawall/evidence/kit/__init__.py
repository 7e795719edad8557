"""Reads what a person took out of the locker, and says whether it is whole: docs/spec/bundle.md.

Plain Python and `cryptography`, no Django, no network, so that it runs in a browser too. It never writes a bundle,
never opens anything sealed, and never says more than "existed unchanged since".

* `canonical` JSON in its one form, and the shapes of what the bundle holds
* `archive`   the ZIP and the signature over every byte of it
* `custody`   the log: a chain of signed lines, and the root after each
* `stamps`    what an authority said of a root
* `report`    all of it together
"""
