"""Videos in the picture page of every engine: Python's bits, one POST with the text shown, and no other word."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import av
import pytest

from bench import _clips
from seawall.exchange import wire
from seawall.hashing import distance, fingerprint
from seawall.hashing.videos import unpack
from tests.engines import send, shown
from tests.engines.firefox import Firefox
from tests.leaks.traffic import assert_one_post_left

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines import Engine
    from tests.leaks.recorder import Recorder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("engines")]


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """H.264 with frames that refer forward, filmed upright, of a rate that varies; and VP9 without a duration."""
    times = [67 * number + number % 3 * 9 for number in range(40)]
    shown = _clips.panned(21, len(times))
    upright = _clips.write(tmp_path / "upright.mp4", shown, rotation=90, times=times, options={"bf": "3"})
    endless = {"live": "1"}
    live = _clips.write(tmp_path / "live.webm", _clips.panned(22, 40), codec=_clips.VP9, container=endless)
    return [upright, live]


def lumas(path: Path) -> bytes:
    """Those of about a frame a second."""
    with av.open(path) as file:
        return b"".join(bytes(frame.planes[0]) for frame in islice(file.decode(video=0), 0, None, 12))


def test_videos_are_protected_with_pythons_bits_and_one_post_leaves(
    engine: Engine,
    recorder: Recorder,
    clips: list[Path],
    photo: Path,
) -> None:
    engine.open(f"http://127.0.0.1:{recorder.site}/protect/picture/")
    loaded = len(recorder.bytes_to(recorder.site))
    engine.choose("#picture", photo, *clips)
    text = shown(engine, parts=False)
    assert len(recorder.bytes_to(recorder.site)) == loaded, "nothing is fetched once a video is chosen"
    picture, *videos = wire.parse(text).items
    assert picture.value == fingerprint(photo).pdq.bits
    off = []
    for path, item in zip(clips, videos, strict=True):
        made = fingerprint(path)
        assert (item.md5, item.sha256) == (bytes.fromhex(made.md5), bytes.fromhex(made.sha256))
        frames = unpack(item.value)
        assert [frame.t for frame in frames] == [frame.t for frame in made.frames]
        off += [distance(a.pdq.bits, b.pdq.bits) for a, b in zip(frames, made.frames, strict=True)]
    if isinstance(engine, Firefox):  # it hands out no luma, only the colours that it made of it
        assert sum(off) / len(off) <= 3
        assert max(off) <= 10
    else:
        assert set(off) == {0}

    send(engine)
    for path in clips:
        assert_one_post_left(recorder, text, path.read_bytes(), lumas(path))
