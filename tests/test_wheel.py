"""A wheel, made from the source archive and installed by itself: it works where no checkout is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image
from skimage import data

from seawall.hashing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parent.parent
# Any module-wide fixture is built once a worker of pytest-xdist: keep these on one.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def seawall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `seawall` command of a fresh environment that holds the wheel and borrows what the wheel stands on."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT)
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv/bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    # Written last, or pip would find the checkout's editable install. That is not borrowed: it is a .pth file itself.
    (site_packages,) = (folder / "venv/lib").glob("python*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    where = run(python, "-c", "import seawall; print(seawall.__path__[0])", cwd=folder)
    assert Path(where.strip()) == site_packages / "seawall"
    return folder / "venv/bin/seawall"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")  # type: ignore[no-untyped-call]
    return tmp_path / "coffee.png"


@pytest.fixture
def site(seawall: Path, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(seawall), "serve", "--port", str(port), "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, cwd=tmp_path, env=clean()) as process:
        try:
            yield await_health(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def await_health(site: str, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            assert httpx.get(f"{site}/health/").text == "ok"
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return site
    raise AssertionError("the site did not come up")


def clean() -> dict[str, str]:
    """The environment without what would lead back to the checkout or to the tests' own settings."""
    ours = ("SEAWALL_", "DJANGO_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def run(*command: str | Path, cwd: Path | None = None, code: int = 0) -> str:
    done = subprocess.run(command, cwd=cwd, env=clean(), capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stderr if code == 2 else done.stdout


def test_it_fingerprints_a_picture_as_the_checkout_does(seawall: Path, picture: Path) -> None:
    (line,) = run(seawall, "fingerprint", "--json", picture.name, cwd=picture.parent).splitlines()
    assert json.loads(line)["pdq"] == fingerprint(picture).pdq.hex


def test_it_searches(seawall: Path, picture: Path) -> None:
    (picture.parent / "bank.txt").write_text(f"{'0' * 64}\n{fingerprint(picture).pdq.hex}\n")
    found = run(seawall, "match", "--bank", "bank.txt", picture.name, cwd=picture.parent, code=3)
    assert "match, line 2, distance 0" in found


def test_it_says_where_the_benchmarks_are(seawall: Path) -> None:
    assert "in a checkout" in run(seawall, "bench", code=2)


def test_it_serves_the_site_with_all_that_belongs_to_it(site: str, seawall: Path) -> None:
    page = httpx.get(f"{site}/protect/picture/").text
    assert "AGFzbQEAAAA" in page, "no WebAssembly in the picture page"
    assert '<html lang="cy"' in httpx.get(f"{site}/cy/").text
    for path in ("/steps/6/", "/directory.json", "/staff/login/", "/static/admin/css/base.css", "/api/openapi.json"):
        assert httpx.get(f"{site}{path}").status_code == 200, path
    assert not list(seawall.parents[1].glob("lib/**/seawall/*/tests")), "tests are not for installing"
