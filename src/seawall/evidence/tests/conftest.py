"""Lockers on both storages, and people who keep things in them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto.server import ThreadedMotoServer

from seawall.cases.tests.server import own_database, serving
from seawall.evidence import queries
from seawall.evidence.tests.authority import Authority
from seawall.evidence.tests.locker import Locker
from seawall.site.tests.browse import visitors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """A data folder of this test's own."""
    folder = settings.DATA = tmp_path / "data"
    folder.mkdir()
    settings.STORAGES = settings.STORAGES | {
        "evidence": {"BACKEND": "seawall.evidence.storage.Folder", "OPTIONS": {"location": settings.DATA / "blobs"}}
    }
    return folder


@pytest.fixture(scope="module")
def s3() -> Iterator[None]:
    """moto's S3 server, where the usual variables lead."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, settings: Any, data: Path) -> None:
    """Each test that asks for it runs on a folder and on a bucket."""
    assert data.is_dir()
    if request.param == "folder":
        return
    request.getfixturevalue("s3")
    settings.STORAGES = settings.STORAGES | {
        "evidence": {
            "BACKEND": "seawall.evidence.bucket.Bucket",
            "OPTIONS": {"bucket_name": "locker", "location": request.node.name.replace("[", "/").rstrip("]")},
        }
    }
    made = queries.storage().connection.create_bucket(Bucket="locker")  # type: ignore[union-attr]
    assert made.name == "locker"


@pytest.fixture
def alice(db: None) -> Locker:  # noqa: ARG001 - she has a case
    return Locker.opened()


@pytest.fixture
def bob(db: None) -> Locker:  # noqa: ARG001 - he has one too
    return Locker.opened()


@dataclass(frozen=True)
class Site:
    """A real server of its own, and where its data lies."""

    url: str
    environment: dict[str, str]

    @property
    def folder(self) -> Path:
        """Its data; ``root.key`` there signs rosters."""
        return Path(self.environment["SEAWALL_DATA"])

    @property
    def authority(self) -> Path:
        """The root certificate of who stamps here."""
        return self.folder / "authority/ca.pem"

    @property
    def blobs(self) -> dict[str, bytes]:
        """Every sealed file on its disk."""
        return {path.name: path.read_bytes() for path in (self.folder / "blobs").rglob("*") if path.is_file()}

    def run(self, script: str, *arguments: str) -> None:
        """Do what somebody could do who has the server, its database and its keys in his hands."""
        subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{script}", *arguments],
            env=self.environment,
            check=True,
        )


def seawall(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Our own command."""
    command = [sys.executable, "-m", "seawall.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Uploads come several at once, which the test client's database in memory cannot bear. No roster is signed yet."""
    folder = tmp_path_factory.mktemp("site")
    made = seawall("roster", "new-root", folder / "root.key").stdout
    root = made.partition("SEAWALL_ROSTER_ROOT=")[2].strip()
    authority = Authority(folder / "authority")
    with own_database(folder) as environment, authority.serving() as tsa:
        environment |= {"SEAWALL_ROSTER": str(folder / "roster"), "SEAWALL_ROSTER_ROOT": root}
        environment |= {"SEAWALL_TSA_URLS": tsa, "SEAWALL_TSA_ROOTS": str(authority.root)}
        with serving(environment) as url:
            yield Site(url, environment)


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., Page]]:
    with visitors(browser) as arrive:

        def without_window(**kind: Any) -> Page:
            page = arrive(**kind)
            # Chromium's own window for choosing where a file goes cannot be driven.
            page.add_init_script("delete window.showSaveFilePicker")
            return page

        yield without_window
