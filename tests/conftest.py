"""The whole system as real processes, and real browsers that are listened to: for the tests that cross rooms."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from skimage import data as photos

from seawall.cli.demo.parts import Demo, start
from tests.engines.chromium import Chromium
from tests.engines.firefox import Firefox
from tests.engines.webkit import WebKit
from tests.leaks.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django.live_server_helper import LiveServer

    from tests.engines import Engine


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Site, exchange, gate and sample platform on free ports, each a process of its own."""
    with ExitStack() as stack:
        yield start(stack, folder=tmp_path_factory.mktemp("demo"), port=0)


@pytest.fixture(params=["chromium", "firefox", "webkit"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each of the three that people have."""
    browser: Engine
    if request.param == "chromium":
        browser = Chromium(request.getfixturevalue("page"))
    else:
        browser = Firefox() if request.param == "firefox" else WebKit()
    yield browser
    browser.close()


@pytest.fixture
def recorder(live_server: LiveServer) -> Iterator[Recorder]:
    """Writes down what browsers say to the site, and wherever else they try."""
    with Recorder(forward_to=live_server.thread.port) as listening:
        yield listening


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG that is to be shown turned."""
    path = tmp_path / "coffee.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photos.coffee()).save(path, quality=90, exif=exif)  # type: ignore[no-untyped-call]
    return path
