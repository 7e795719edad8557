"""What a decoder's process is told of where it runs: no keys, whatever a hostile file may make it do."""

from __future__ import annotations

import os


def without_secrets() -> dict[str, str]:
    """Our environment without our own settings, of which some are keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEAWALL_")}
