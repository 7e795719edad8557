"""Memory stays within its limit, whoever sends what."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from PIL import Image
from starlette.datastructures import Headers
from starlette.requests import Request

from seawall.gate import intake
from seawall.gate.intake import BODIES, HASHERS, VIDEOS, WAITING, Intake, Refusal, read_upload
from seawall.gate.tests.conftest import CHECK_KEY, GateProcess, fingerprint_of, jpeg, photo, running, until
from seawall.gate.tests.exchange import ListExchange

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Iterator

CAT = photo("chelsea.png")
MAX_BYTES = 8 << 20
HEAD = (
    "POST /check HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n"
    "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateProcess]:
    exchange = ListExchange()
    exchange.submit(1, {1: fingerprint_of(CAT)})
    with running(exchange, tmp_path_factory.mktemp("gate") / "data", SEAWALL_GATE_MAX_BYTES=str(MAX_BYTES)) as gate:
        yield gate


def run(work: Coroutine[Any, Any, Any]) -> None:
    """Run it in a thread of its own: a browser's test may have left its event loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def stalled_upload(gate: GateProcess) -> socket.socket:
    """Sends most of the largest upload, and then nothing."""
    upload = socket.create_connection(("127.0.0.1", gate.port))
    upload.settimeout(20)
    with suppress(OSError):  # it may be refused while we are sending
        upload.sendall(HEAD.format(key=CHECK_KEY, length=MAX_BYTES).encode() + bytes(MAX_BYTES - 1000))
    return upload


def test_uploads_that_stall_cannot_use_up_the_memory_and_others_are_told_when_to_come_back(gate: GateProcess) -> None:
    process = psutil.Process(gate.process.pid)
    before = process.memory_info().rss
    uploads: list[socket.socket] = []
    try:
        while gate.check(jpeg(CAT)).status_code != 503:
            uploads.append(stalled_upload(gate))
            assert len(uploads) < 10 * BODIES
        assert len(uploads) >= BODIES
        refused = gate.check(jpeg(CAT))
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["message"] == "The gate has too much to do. Send it again in a second."
        assert process.memory_info().rss - before < 2 * BODIES * MAX_BYTES
        assert gate.status() == "I-AM-ALIVE"
    finally:
        for upload in uploads:
            upload.close()
    until(lambda: gate.check(jpeg(CAT)).status_code == 200)


def test_a_giant_picture_in_a_small_file_is_refused_before_it_costs_memory(gate: GateProcess) -> None:
    """115 megapixels of lossless WebP are 1 MB of file, and were 1.8 GB of decoder."""
    file = io.BytesIO()
    Image.new("RGB", (10_700, 10_700), (10, 20, 30)).save(file, "WEBP", lossless=True, method=0, quality=0)
    peak = peak_of(gate)
    answer = gate.check(file.getvalue())
    assert (answer.status_code, peak_of(gate) - peak < 100 << 20) == (422, True)
    assert "too large" in answer.json()["message"]


def peak_of(gate: GateProcess) -> int:
    """Bytes of memory the gate ever held at once."""
    status = Path(f"/proc/{gate.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def test_more_checks_than_may_wait_are_told_to_come_back() -> None:
    async def crowd() -> None:
        room, go = Intake(1000, max_video_bytes=1000, folder=Path()), threading.Event()
        waiting = [asyncio.create_task(room.work(go.wait)) for _ in range(HASHERS + WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="too much to do") as refused:
            await room.work(go.wait)
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
        go.set()
        assert await asyncio.gather(*waiting) == [True] * len(waiting)
        assert await room.work(lambda: "free again") == "free again"
        room.close()

    run(crowd())


def test_pictures_do_not_wait_for_videos() -> None:
    async def crowd() -> None:
        room, go = Intake(1000, max_video_bytes=1000, folder=Path()), threading.Event()
        videos = [asyncio.create_task(room.work(go.wait, video=True)) for _ in range(VIDEOS)]
        assert await asyncio.wait_for(room.work(lambda: "a picture"), 10) == "a picture"
        assert not any(video.done() for video in videos)
        go.set()
        await asyncio.gather(*videos)
        room.close()

    run(crowd())


def test_a_sender_who_does_not_keep_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stalled(intake.Body):
        async def chunks(self) -> AsyncGenerator[bytes, None]:
            yield b"--b\r\n"
            await asyncio.Event().wait()

    async def read() -> None:
        room = Intake(1000, max_video_bytes=1000, folder=Path())
        body = Stalled(room, Request({"type": "http"}), 1000)
        async with read_upload(Headers({"content-type": "multipart/form-data; boundary=b"}), body):
            pass

    monkeypatch.setattr(intake, "BODY_SECONDS", 0.05)
    with pytest.raises(Refusal, match="too long") as refused:
        run(read())
    assert refused.value.status == 408
