"""The picture page in every engine: the same bits, one POST and no other word, and no way out for worker and frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from seawall.hashing import fingerprint
from tests.engines import send, shown, until
from tests.engines.webkit import WebKit
from tests.leaks.recorder import settle
from tests.leaks.traffic import assert_one_post_left
from tests.test_leaks import leaks_over_http, serve

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines import Engine
    from tests.leaks.recorder import Recorder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("engines")]

# What each engine's worker is seen to reach without the policy: the control of what the policy holds back.
COMMON = {"fetch", "fetch-no-cors", "xhr", "websocket", "eventsource", "import-scripts", "import", "eval"}

# WebKit gives a shared worker made from a blob no policy at all. The worker that sees the picture has no such thing;
# frame and page have, and are short and pinned: docs/spec/protect-page.md.
WEBKITS_HOLE = {"shared-worker-blob"}


def test_a_picture_is_protected_and_one_post_leaves(engine: Engine, recorder: Recorder, photo: Path) -> None:
    engine.open(f"http://127.0.0.1:{recorder.site}/protect/picture/")
    engine.choose("#picture", photo)
    text = shown(engine, parts=True)
    made = fingerprint(photo).pdq
    assert f" image pdq1 {made.hex} {made.quality}\n" in text
    assert " image windows1 " in text
    send(engine)
    assert_one_post_left(recorder, text, photo.read_bytes(), np.asarray(Image.open(photo)).tobytes())


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
