"""The picture page in every engine: the same bits, one POST and no other word, and no way out for worker and frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image
from skimage import data as photos

from seawall.hashing import fingerprint
from tests.engines import press, until
from tests.engines.chromium import Chromium
from tests.engines.firefox import Firefox
from tests.engines.webkit import WebKit
from tests.leaks.recorder import Recorder, settle
from tests.test_leaks import leaks_over_http, run_of_picture, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django.live_server_helper import LiveServer

    from tests.engines import Engine

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("engines")]

# What each engine's worker is seen to reach without the policy: the control of what the policy holds back.
COMMON = {"fetch", "fetch-no-cors", "xhr", "websocket", "eventsource", "import-scripts", "import", "eval"}

# WebKit gives a shared worker made from a blob no policy at all. The worker that sees the picture has no such thing;
# frame and page have, and are short and pinned: docs/spec/protect-page.md.
WEBKITS_HOLE = {"shared-worker-blob"}


@pytest.fixture(params=["chromium", "firefox", "webkit"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    browser: Engine
    if request.param == "chromium":
        browser = Chromium(request.getfixturevalue("page"))
    else:
        browser = Firefox() if request.param == "firefox" else WebKit()
    yield browser
    browser.close()


@pytest.fixture
def recorder(live_server: LiveServer) -> Iterator[Recorder]:
    with Recorder(forward_to=live_server.thread.port) as listening:
        yield listening


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "coffee.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photos.coffee()).save(path, quality=90, exif=exif)  # type: ignore[no-untyped-call]
    return path


def test_a_picture_is_protected_and_one_post_leaves(engine: Engine, recorder: Recorder, photo: Path) -> None:
    engine.open(f"http://127.0.0.1:{recorder.site}/protect/picture/")
    engine.choose("#picture", photo)
    press(engine, "#to-read")
    engine.run("document.getElementById('future').click()")
    engine.run("document.getElementById('parts').click()")
    until(engine, "!document.getElementById('to-receipt').disabled")
    shown = engine.run("document.getElementById('fingerprints').value")
    made = fingerprint(photo).pdq
    assert f" image pdq1 {made.hex} {made.quality}\n" in shown
    assert " image windows1 " in shown
    press(engine, "#to-receipt")
    press(engine, "#save")
    press(engine, "#to-send")
    press(engine, "#send")
    until(engine, "location.pathname === '/protect/send/' && document.readyState === 'complete'")
    assert engine.run("document.querySelector('h1').innerText") == "Done. It is on its way."
    settle(recorder, 1)

    said = recorder.bytes_to(recorder.site)
    requests = re.findall(rb"^([A-Z]+) (\S+) HTTP/1\.1\r\n", said, re.MULTILINE)
    assert [path for method, path in requests if method != b"GET"] == [b"/protect/send/"]
    assert not [path for _, path in requests if b"?" in path or b"%" in path]
    assert not re.search(rb"\r\n(Cookie|Referer):", said)
    body = said[said.index(b"POST /protect/send/") :].split(b"\r\n\r\n", 1)[1].split(b"\n")[0]
    assert parse_qs(body.decode())["fingerprints"][0].replace("\r\n", "\n") == shown
    assert run_of_picture(said, photo.read_bytes(), np.asarray(Image.open(photo)).tobytes()) is None
    assert not sum(map(recorder.connections_to, (recorder.other, recorder.tcp, recorder.udp)))


@pytest.mark.parametrize("part", ["worker", "frame"])
def test_nothing_leaves_over_http_from(
    part: str, engine: Engine, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, recorder, **{part: True})
    attempt(engine, recorder, photo)
    open_in_frame = WEBKITS_HOLE if part == "frame" and isinstance(engine, WebKit) else set()
    assert leaks_over_http(recorder) <= open_in_frame
    if not open_in_frame:
        assert recorder.bytes_to(recorder.other, recorder.tcp) == b""
    if part == "worker":
        assert not sum(map(recorder.connections_to, (recorder.other, recorder.tcp, recorder.udp)))


def test_the_recorder_sees_what_leaves_without_the_policy(
    engine: Engine, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, recorder, worker=True, policies=0)
    attempt(engine, recorder, photo)
    assert leaks_over_http(recorder) >= COMMON


def attempt(engine: Engine, recorder: Recorder, photo: Path) -> None:
    engine.open(f"http://127.0.0.1:{recorder.site}/protect/picture/")
    engine.choose("#picture", photo)
    until(engine, "document.body.innerText.toLowerCase().includes('5ea5ea')")  # their own answer: they ran to the end
    settle(recorder, 1)
