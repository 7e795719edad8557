"""Whatever is sent as a video, the person and the platform read a clear sentence, and neither waits for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import av
import psutil
import pytest

from bench import _clips
from seawall.gate.tests.conftest import GateProcess, fingerprint_of, photo, running
from seawall.gate.tests.exchange import ListExchange
from seawall.hashing import UnreadableImage, fingerprint
from tests.strange import STRANGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateProcess]:
    exchange = ListExchange()
    exchange.submit(1, {1: fingerprint_of(photo("chelsea.png"))})
    settings = {"SEAWALL_GATE_VIDEO_SECONDS": "4"}
    with running(exchange, tmp_path_factory.mktemp("strange") / "data", **settings) as gate:
        yield gate


@pytest.mark.parametrize("name", STRANGE)
def test_it_is_read_or_refused_in_words_here_and_at_the_gate(name: str, gate: GateProcess, tmp_path: Path) -> None:
    strange = STRANGE[name]
    path = strange.make(tmp_path)
    if strange.says is None:
        made = fingerprint(path)
        least, most = strange.frames
        assert least <= len(made.frames) <= most
        assert (strange.problem or "None") in str(made.problem)
    else:
        with pytest.raises(UnreadableImage, match=strange.says) as refused:
            fingerprint(path)
        assert str(refused.value).endswith(".")

    answer = gate.check(path.read_bytes())
    said = answer.json()
    if strange.says is None:
        assert (answer.status_code, said["verdict"]) == (200, "free"), said
    elif answer.status_code == 200:  # the start of it could be decoded
        assert said["reason"] == "only a part could be read"
    else:
        assert answer.status_code == 422
        assert strange.says in said["message"]
    assert not psutil.Process(gate.process.pid).children(), "a decoder is left behind"


def test_a_video_that_would_take_minutes_is_answered_by_what_was_seen_until_then(
    gate: GateProcess, tmp_path: Path
) -> None:
    path = _for_hours(_clips.write(tmp_path / "some.mp4", _clips.panned(1, 20, size=(1280, 720))), tmp_path, 600)
    began = time.monotonic()
    said = gate.http.post("/check", files={"file": path.read_bytes()}, timeout=240).raise_for_status().json()
    took = time.monotonic() - began
    assert said["verdict"] == "free"
    assert said["reason"] == "only a part could be read"
    alone = time.monotonic()
    with av.open(path) as file:
        for count, _ in enumerate(file.decode(video=0)):
            if count == 600:
                break
    whole = (time.monotonic() - alone) * 20  # 12,000 frames
    assert took < whole, "it was decoded to its end"


def _for_hours(clip: Path, folder: Path, times: int) -> Path:
    """The same two seconds again and again: much to decode, little to make."""
    path = folder / "again.mp4"
    with av.open(clip) as source, av.open(path, "w") as file:
        given = source.streams.video[0]
        stream = file.add_stream_from_template(given)
        packets = [(bytes(each), each) for each in source.demux(given) if each.size]
        length = sum(each.duration or 0 for _, each in packets)
        for turn in range(times):
            for content, each in packets:
                packet = av.Packet(content)
                packet.stream, packet.time_base, packet.is_keyframe = stream, each.time_base, each.is_keyframe
                packet.pts, packet.dts = (each.pts or 0) + turn * length, (each.dts or 0) + turn * length
                file.mux(packet)
    return path
