"""The promise of the picture page, tried: the code that sees the picture cannot send it anywhere.

Everything a real Chromium says is written down (two HTTP origins, bare TCP, UDP) while a picture is protected as a
person would do it, and while worker and frame try every way out we know of. The controls run the same attempts without
the policy, to show that the recorder would have seen them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage import data as photos

from seawall.hashing.tests.test_heic import heic
from seawall.protect import page as picture_page
from seawall.protect import views
from seawall.site.tests.browse import follow
from tests.leaks.recorder import settle
from tests.leaks.traffic import assert_one_post_left, run_of_picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.leaks.recorder import Recorder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LEAKS = Path(__file__).parent / "leaks"


@pytest.fixture
def heic_photo(tmp_path: Path) -> Path:
    path = tmp_path / "coffee.heic"
    path.write_bytes(heic(Image.fromarray(photos.coffee())))  # type: ignore[no-untyped-call]
    return path


# The picture page, and the one for HEIC: other workers, and policies that are made alike.
PAGES = ["/protect/picture/", "/protect/picture/heic/"]


def choose(page: Page, recorder: Recorder, *files: Path, path: str = PAGES[0]) -> None:
    page.goto(f"http://127.0.0.1:{recorder.site}{path}")
    page.set_input_files("#picture", files)


def test_the_search_for_the_picture_would_find_it(photo: Path) -> None:
    file, pixels = photo.read_bytes(), np.asarray(Image.open(photo)).tobytes()
    for hidden in (file[5000:5016], pixels[70001:70019].hex().encode(), base64.b64encode(file[901:930])):
        assert run_of_picture(b"GET /?x=" + hidden + b" HTTP/1.1", file, pixels)
    assert run_of_picture(b"GET /protect/ HTTP/1.1", file, pixels) is None


def test_one_post_leaves_and_it_is_the_text_shown(page: Page, recorder: Recorder, photo: Path) -> None:
    begin(page, recorder)
    page.set_input_files("#picture", photo)
    assert_one_post_left(recorder, protect(page), photo.read_bytes(), np.asarray(Image.open(photo)).tobytes())


def test_one_post_leaves_of_a_heic_photo_too(page: Page, recorder: Recorder, heic_photo: Path) -> None:
    begin(page, recorder)
    page.set_input_files("#picture", heic_photo)
    follow(page.get_by_role("link", name="Go to the page for HEIC photos"))
    loaded = len(recorder.bytes_to(recorder.site))
    page.set_input_files("#picture", heic_photo)
    page.locator("#to-read:enabled").wait_for()
    assert len(recorder.bytes_to(recorder.site)) == loaded, "nothing is fetched once a photo is chosen"
    pixels = np.asarray(pillow_heif.open_heif(heic_photo)).tobytes()
    assert_one_post_left(recorder, protect(page), heic_photo.read_bytes(), pixels)


def begin(page: Page, recorder: Recorder) -> None:
    page.goto(f"http://127.0.0.1:{recorder.site}/protect/")
    follow(page.get_by_role("link", name="Yes, both"))


def protect(page: Page) -> str:
    """Send what was chosen, as a person does: the text that was shown."""
    page.get_by_role("button", name="Continue").click()
    page.locator("#future").check()
    page.locator("#parts").check()
    shown = page.get_by_label("This is all that is sent").input_value()
    assert " image windows1 " in shown
    page.get_by_role("button", name="Continue").click()
    with page.expect_download():
        page.get_by_role("link", name="Save as a file").click()
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name="Send these fingerprints").click()
    page.get_by_role("heading", name="Done").wait_for()
    return shown


def serve(
    monkeypatch: pytest.MonkeyPatch,
    recorder: Recorder,
    *,
    worker: bool = False,
    frame: bool = False,
    policies: int = 2,
) -> None:
    """Serve the page with the attempts in place of its worker or frame, sealed as the real one is."""
    script = picture_page.page_text()
    pin = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    here = (
        f'const HTTP = "http://127.0.0.1:{recorder.other}", TCP = {recorder.tcp}, UDP = {recorder.udp}, '
        f'PIN = "sha256-{pin}";\n'
    )
    attempts = {name: here + (LEAKS / f"{name}.js").read_text(encoding="utf-8") for name in ("worker", "frame")}
    parts = picture_page.seal(
        worker=attempts["worker"] if worker else picture_page.worker_text(),
        frame=attempts["frame"] if frame else picture_page.frame_text(),
        page=script,
        style=picture_page.style_text(),
    )
    policy = ", ".join(parts.policy.split(", ")[:policies])
    parts = picture_page.Sealed(parts.frame, parts.script, parts.style, policy)
    monkeypatch.setattr(views, "sealed", lambda: parts)
    monkeypatch.setattr(views, "sealed_for_heic", lambda: parts)


def leaks_over_http(recorder: Recorder) -> set[str]:
    """The names of the attempts that reached one of the origins."""
    traffic = recorder.bytes_to(recorder.site, recorder.other)
    assert b"/protect/picture/" in traffic, "The recorder heard nothing at all."
    return {match.decode() for match in re.findall(rb"/leak/\w+/([\w-]+)", traffic)}


def answered(page: Page) -> None:
    """Wait for the attempts' own answer: it shows that they ran to their end."""
    page.get_by_text("5ea5ea").wait_for(timeout=20_000)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_leaves_the_worker_that_sees_the_picture(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    serve(monkeypatch, recorder, worker=True)
    choose(page, recorder, photo, path=path)
    answered(page)
    settle(recorder, 1)
    assert leaks_over_http(recorder) == set()
    assert recorder.bytes_to(recorder.other, recorder.tcp, recorder.udp) == b""
    assert [recorder.connections_to(port) for port in (recorder.other, recorder.tcp, recorder.udp)] == [0, 0, 0]


@pytest.mark.parametrize("path", PAGES)
def test_the_recorder_sees_a_worker_leak_without_the_policy(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    serve(monkeypatch, recorder, worker=True, policies=0)
    choose(page, recorder, photo, path=path)
    answered(page)
    settle(recorder, 1)
    seen = leaks_over_http(recorder)
    assert {"fetch", "fetch-no-cors", "xhr", "websocket", "eventsource", "import-scripts", "import"} <= seen
    assert {"eval", "function", "timeout", "worker-blob", "import-data", "font-face"} <= seen
    assert recorder.connections_to(recorder.tcp) > 0


def test_no_request_leaves_the_frame(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, recorder, frame=True)
    choose(page, recorder, photo)
    answered(page)
    settle(recorder, 1)
    assert leaks_over_http(recorder) == set()
    assert recorder.bytes_to(recorder.other, recorder.tcp) == b""


def test_the_recorder_sees_a_frame_leak_without_the_policy(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, recorder, frame=True, policies=0)
    choose(page, recorder, photo)
    answered(page)
    settle(recorder, 1)
    seen = leaks_over_http(recorder)
    assert {"img", "fetch", "beacon", "script", "script-integrity", "import", "stylesheet", "worker-blob"} <= seen
    assert {"preload-script-integrity", "modulepreload-integrity", "iframe", "video", "style-import"} <= seen
    assert recorder.connections_to(recorder.tcp) > 0
    assert recorder.connections_to(recorder.udp) > 0, "STUN"


def test_the_first_policy_alone_would_let_the_frame_out(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why there are two: a pin admits an external script that has its hash, and the address carries data out."""
    serve(monkeypatch, recorder, frame=True, policies=1)
    choose(page, recorder, photo)
    answered(page)
    settle(recorder, 1)
    assert "script-integrity" in leaks_over_http(recorder)


MOVES = re.findall(r"^  \"?([\w-]+)\"?: \(u\)", (LEAKS / "frame.js").read_text().split("const MOVES")[1], re.MULTILINE)


@pytest.mark.parametrize("policy", [True, False], ids=["sealed", "control"])
def test_the_frame_cannot_take_itself_elsewhere(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch, *, policy: bool
) -> None:
    serve(monkeypatch, recorder, frame=True, policies=2 if policy else 0)
    assert len(MOVES) >= 8
    for move in MOVES:
        choose(page, recorder, photo.rename(photo.parent / move))
        photo = photo.parent / move
        page.wait_for_timeout(700)  # long enough to move; the page itself waits longer for an answer
    settle(recorder, 1)
    if policy:
        assert leaks_over_http(recorder) == set()
        assert recorder.bytes_to(recorder.other, recorder.tcp) == b""
    else:
        assert {"location", "replace", "anchor-self", "anchor-download", "meta-refresh"} <= leaks_over_http(recorder)


ALONG_THE_TIE = """
self.onmessage = ({ ports: [port] }) => {
  const there = parent.opener;
  const tries = [
    () => { there.location = `${HTTP}/leak/frame/opener-location`; },
    () => { there.location.replace(`${HTTP}/leak/frame/opener-replace`); },
    () => open(`${HTTP}/leak/frame/open`),
    () => there.open(`${HTTP}/leak/frame/opener-open`),
    () => there.postMessage({ seawall: "receipt", nonce: "n", text: RECEIPT }, "*"),
    () => there.focus(),
  ];
  for (const attempt of tries) try { attempt(); } catch {}
  // The page takes the frame out as soon as it has its answer: give what was tried the time to arrive.
  setTimeout(() => port.postMessage(["done", "5ea5ea" + "0".repeat(58), 99, "", 0]), 1000);
};
"""
CASE = """async (held) => {
  globalThis.heard = [];
  addEventListener("message", ({ origin, source }) => heard.push([origin, source.opener === window]));
  const { listenForReceipts, receiveInto } = await import("/static/cases/receiving.js");
  globalThis.data = { receipts: [] };
  receiveInto({ data, change: async (edit) => edit(data) });
  listenForReceipts();
}"""


def test_the_frame_cannot_use_the_case_that_opened_the_page(
    page: Page, recorder: Recorder, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "e" * 32
    here = f'const HTTP = "http://127.0.0.1:{recorder.other}", RECEIPT = "{token}";'
    parts = picture_page.seal(
        worker=picture_page.worker_text(),
        frame=here + ALONG_THE_TIE,
        page=picture_page.page_text(),
        style=picture_page.style_text(),
    )
    monkeypatch.setattr(views, "sealed", lambda: parts)
    page.goto(f"http://127.0.0.1:{recorder.site}/privacy/")
    page.evaluate(CASE)
    with page.expect_popup() as popup:
        page.evaluate("() => { open('/protect/picture/') }")
    tab = popup.value
    tab.set_input_files("#picture", photo)
    answered(tab)
    settle(recorder, 1)
    assert leaks_over_http(recorder) == set()
    assert recorder.bytes_to(recorder.other) == b""
    assert page.url.endswith("/privacy/")
    # Its message comes, from no origin and from no tab that the case opened, and is dropped.
    assert page.evaluate("() => heard") == [["null", False]]
    assert page.evaluate("() => data.receipts") == []

    # The control: the page itself, outside of the sandbox, could do both.
    tab.evaluate("(text) => opener.postMessage({ seawall: 'receipt', nonce: 'n', text }, '*')", token)
    page.wait_for_function("() => data.receipts.length === 1")
    tab.evaluate("(there) => { opener.location = there }", f"http://127.0.0.1:{recorder.other}/leak/frame/control")
    page.wait_for_url("**/leak/frame/control")
    settle(recorder, 1)
    assert leaks_over_http(recorder) == {"control"}
