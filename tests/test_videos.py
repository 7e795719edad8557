"""A video's way through every room: fingerprinted, sent as the page sends it, followed by a gate, found, taken back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from bench import _clips
from seawall.gate.tests.conftest import until
from seawall.hashing import fingerprint
from seawall.hashing.videos import pack, to_text
from tests.test_video_journey import ask, waited

if TYPE_CHECKING:
    from pathlib import Path

    from seawall.cli.demo.parts import Demo

TOKEN = b"sixteen bytes ok"
SIZE = (320, 180)


def shown(seed: int, seconds: int) -> list[_clips.Picture]:
    return list(_clips.panned(seed, 10 * seconds, size=SIZE))


def text(path: Path) -> str:
    """What the page writes for a video (docs/spec/video.md, section 5)."""
    made = fingerprint(path)
    h, best = hashlib.sha256(TOKEN).hexdigest(), max(frame.pdq.quality for frame in made.frames)
    return (
        "seawall fingerprints 1\nfor facebook\n"
        f"{h} video vpdq1 {to_text(pack(made.frames))} {best}\n{h} video md5 {made.md5} 100\n"
        f"{h} video sha256 {made.sha256} 100\n"
    )


@pytest.mark.xdist_group("demo")
def test_a_video_is_blocked_however_it_is_cut_and_the_gate_says_where_until_it_is_taken_back(
    demo: Demo, tmp_path: Path
) -> None:
    mine = _clips.write(tmp_path / "mine.mp4", shown(71, 14))
    # Seconds 4 to 10 of it, mirrored, in another codec, behind two seconds of something else.
    part = [np.ascontiguousarray(frame[:, ::-1]) for frame in shown(71, 14)[40:100]]
    copy = _clips.write(
        tmp_path / "copy.webm", [*[np.zeros_like(part[0])] * 20, *part], codec=_clips.VP9, options={"crf": "36"}
    )
    other = _clips.write(tmp_path / "other.mp4", shown(72, 8))
    assert ask(demo, copy)["verdict"] == "free"

    sent = httpx.post(f"{demo.site}/protect/send/", data={"fingerprints": text(mine)})
    assert sent.status_code == 200, sent.text
    [match] = matches(waited(demo, copy, "match"))
    entry = str(int.from_bytes(hashlib.sha256(TOKEN).digest()[:8], "big") >> 1)
    assert (match["entry"], match["kind"], match["view"]) == (entry, "video", "mirrored left to right")
    assert match["seconds"] == [pytest.approx(2, abs=1), pytest.approx(8, abs=1)]
    assert matches(ask(demo, mine))[0]["view"] == "the same file"
    assert ask(demo, other)["verdict"] == "free"

    def receipt(what: str) -> dict[str, Any]:
        answer = httpx.post(f"{demo.site}/api/receipts/{what}", json={"token": TOKEN.hex()})
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    until(lambda: receipt("status")["platforms"][0]["blocked"] >= 2)
    receipt("withdraw")
    assert waited(demo, copy, "free")["verdict"] == "free"
    assert ask(demo, mine)["verdict"] == "free"
    until(lambda: receipt("status")["state"] == "withdrawn")


def matches(said: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said["matches"]
    return found
