"""What the gate answers to a video, and to pictures of one; a real process, real files of real encoders."""

from __future__ import annotations

import hashlib
import io
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from bench import _clips
from seawall.gate.bank import FILE, BankCopy
from seawall.gate.feed import VPDQ, Add, Page, Remove, Signal
from seawall.gate.tests.conftest import GateProcess, fingerprint_of, jpeg, photo, running, until
from seawall.gate.tests.exchange import ListExchange
from seawall.gate.tests.test_serve import gate_command
from seawall.hashing import fingerprint
from seawall.hashing.videos import pack
from seawall.matching import look_up

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICES, BOBS, CAROLS = 2**62 + 7, 21, 22
SIZE = (320, 180)


def shown(seed: int, frames: int = 120) -> list[_clips.Picture]:
    return list(_clips.panned(seed, frames, size=SIZE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def protected(folder: Path) -> Path:
    """Alice's video, of twelve seconds."""
    return _clips.write(folder / "alices.mp4", shown(31))


@pytest.fixture(scope="module")
def bank(protected: Path) -> ListExchange:
    """Alice holds a video, Bob a picture that one of its frames nearly is, Carol another picture."""
    bank = ListExchange()
    md5 = hashlib.md5(protected.read_bytes(), usedforsecurity=False).digest()
    bank.submit(ALICES, {1: pack(fingerprint(protected).frames), 2: md5})
    bank.submit(BOBS, {3: fingerprint_of(Image.fromarray(shown(31)[70]))})
    bank.submit(CAROLS, {4: fingerprint_of(photo("rocket.jpg"))})
    return bank


@pytest.fixture(scope="module")
def gate(bank: ListExchange, folder: Path) -> Iterator[GateProcess]:
    settings = {"SEAWALL_GATE_MAX_BYTES": str(1 << 20), "SEAWALL_GATE_MAX_VIDEO_BYTES": str(8 << 20)}
    with running(bank, folder / "data", **settings) as gate:
        yield gate


def sent(gate: GateProcess, folder: Path, frames: list[_clips.Picture], **how: Any) -> dict[str, dict[str, Any]]:
    """What matches, by entry."""
    codec = how.get("codec", _clips.H264)
    path = _clips.write(folder / f"upload{codec.suffix}", frames, **how)
    return {match["entry"]: match for match in gate.matches(path.read_bytes())}


def test_the_very_file_is_known_without_decoding_it(gate: GateProcess, protected: Path) -> None:
    [match] = gate.matches(protected.read_bytes())
    assert (match["entry"], match["view"], match["kind"]) == (str(ALICES), "the same file", "video")


def test_a_copy_encoded_again_mirrored_and_trimmed_matches_and_says_from_where_to_where(
    gate: GateProcess, folder: Path
) -> None:
    part = [np.ascontiguousarray(frame[:, ::-1]) for frame in shown(31)[33:90]]
    black = [np.zeros_like(part[0])] * 30
    match = sent(gate, folder, [*black, *part], codec=_clips.VP9)[str(ALICES)]
    assert match["kind"] == "video"
    assert match["view"] == "mirrored left to right"
    assert match["shown"] >= 0.8 > match["found"]
    assert match["seconds"][0] == pytest.approx(3, abs=1)
    assert match["seconds"][1] == pytest.approx(8.7, abs=1)


def test_the_command_says_from_where_to_where(gate: GateProcess, folder: Path) -> None:
    upload = _clips.write(folder / "half.mp4", [*shown(32, 10), *shown(31)[:68]])
    said = gate_command("check", str(upload), "--data", str(gate.folder))
    assert said.returncode == 3, said.stderr
    [line] = [line for line in said.stdout.splitlines() if f"entry {ALICES}," in line]
    assert re.search(r", original, from [01] s to [78](\.\d+)? s$", line), line


def test_a_copy_in_a_phones_screen_matches(gate: GateProcess, folder: Path) -> None:
    canvas = np.full((420, 320, 3), 240, np.uint8)
    canvas[:30] = 40
    framed = []
    for frame in shown(31):
        canvas[120:300] = frame
        framed.append(canvas.copy())
    assert "a part of the upload" in sent(gate, folder, framed)[str(ALICES)]["view"]


def test_a_copy_amid_another_video_matches_by_what_was_protected(gate: GateProcess, folder: Path) -> None:
    match = sent(gate, folder, [*shown(77, 100), *shown(31), *shown(78, 100)])[str(ALICES)]
    assert match["found"] >= 0.8 > match["shown"]


def test_a_short_piece_of_it_amid_another_video_is_no_video_match(gate: GateProcess, folder: Path) -> None:
    assert str(ALICES) not in sent(gate, folder, [*shown(77, 100), *shown(31)[:20]])


def test_a_picture_matches_a_frame_of_the_video(gate: GateProcess) -> None:
    found = gate.matches(jpeg(Image.fromarray(shown(31)[20])))
    assert [(match["entry"], match["kind"]) for match in found] == [(str(ALICES), "video")]


def test_a_video_matches_a_picture_that_it_shows(gate: GateProcess, folder: Path) -> None:
    rocket = np.asarray(photo("rocket.jpg").resize(SIZE))
    match = sent(gate, folder, [*shown(80, 60), *[rocket] * 10, *shown(81, 60)])[str(CAROLS)]
    assert match["kind"] == "image"
    assert match["seconds"] == [6, 7]


def test_another_video_is_free_and_a_black_one_is_too_plain(gate: GateProcess, folder: Path) -> None:
    other = _clips.write(folder / "other.mp4", shown(99, 60))
    assert gate.check(other.read_bytes()).json()["verdict"] == "free"
    black = _clips.write(folder / "black.mp4", [np.zeros((90, 160, 3), np.uint8)] * 30)
    assert gate.check(black.read_bytes()).json()["reason"] == "too plain to compare"


def test_every_video_match_is_reported(bank: ListExchange, gate: GateProcess, protected: Path) -> None:
    before = list(bank.counted.values()).count(str(ALICES))
    gate.matches(protected.read_bytes())
    until(lambda: list(bank.counted.values()).count(str(ALICES)) == before + 1)


def test_a_video_larger_than_any_picture_is_taken_and_nothing_of_it_stays(gate: GateProcess, folder: Path) -> None:
    path = _clips.write(folder / "large.mp4", shown(31), codec=_clips.H264, options={"qp": "0"})
    content = path.read_bytes()
    assert 1 << 20 < len(content) < 8 << 20
    assert str(ALICES) in {match["entry"] for match in gate.matches(content)}
    names = {path.name for path in (folder / "data").iterdir()}
    assert names <= {"check.key", "gate.lock", FILE, f"{FILE}-shm", f"{FILE}-wal"}
    held = [str(path.readlink()) for path in Path(f"/proc/{gate.process.pid}/fd").iterdir()]
    assert not [name for name in held if "deleted" in name and str(folder) in name]


def test_too_large_a_video_or_picture_is_refused(gate: GateProcess, protected: Path) -> None:
    for content in (protected.read_bytes() + bytes(8 << 20), b"\xff\xd8" + bytes(2 << 20)):
        answer = gate.check(content)
        assert answer.status_code == 413
        assert "picture of up to 1 MiB, or a video of up to 8 MiB" in answer.json()["message"]


def test_what_is_no_video_is_refused_in_words(gate: GateProcess, protected: Path) -> None:
    for content in (b"\0\0\0\x18ftypmp42" + bytes(2000), protected.read_bytes()[:-3000], b"\0\0\0\x18ftypmp42"):
        answer = gate.check(content)
        assert answer.status_code == 422, answer.text
        assert "video" in answer.json()["message"]


def test_withdrawn_it_is_free(bank: ListExchange, gate: GateProcess, folder: Path) -> None:
    path = _clips.write(folder / "mine.mp4", shown(55, 60))
    again = _clips.write(folder / "again.mp4", shown(55, 60), options={"crf": "30"})
    bank.submit(500, {9: pack(fingerprint(path).frames)})
    until(lambda: gate.matches(again.read_bytes()))
    bank.withdraw(500)
    until(lambda: not gate.matches(again.read_bytes()))


# The copy.


def _video(entry: int, seed: int, count: int) -> Add:
    draw = np.random.default_rng(seed)
    value = b"".join((1000 * n).to_bytes(3, "big") + draw.bytes(32) + b"\x50" for n in range(count))
    return Add(entry, (Signal(entry * 10, "video", VPDQ, value, 80),))


def test_every_frame_leads_to_its_entry_and_none_stays_after(tmp_path: Path) -> None:
    copy = BankCopy.open(tmp_path, now=0)
    index = copy.build_index()
    videos = [_video(1, 1, 3600), _video(2, 2, 1), _video(3, 3, 200)]
    copy.apply(Page("a", tuple(videos), more=False), now=0).apply(index, windows=True)
    assert len(index) == len(copy.build_index()) == 3801
    for video in videos:
        value = video.signals[0].value
        for frame in {0, len(value) // 36 - 1, len(value) // 72}:
            [found] = look_up(index, [value[36 * frame + 3 : 36 * frame + 35]])
            [bearer] = copy.bearers([found.id >> 7]).values()
            assert (bearer.entry, bearer.frame, bearer.frames) == (video.entry, frame, len(value) // 36)
    copy.apply(Page("b", (Remove(1), Remove(3)), more=False), now=0).apply(index, windows=True)
    assert len(index) == 1
    copy.close()


def test_a_copy_of_before_videos_reads_the_list_anew_and_protects_meanwhile(tmp_path: Path) -> None:
    copy = BankCopy.open(tmp_path, now=0)
    copy.apply(Page("a", (Add(1, (Signal(5, "image", "pdq1", bytes(range(32)), 90),)),), more=False), now=0)
    copy.close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("DROP INDEX files")
        db.execute("PRAGMA user_version = 2")
    db.close()
    copy = BankCopy.open(tmp_path, now=0)
    assert (copy.state().cursor, copy.state().listing, copy.state().complete) == (None, True, True)
    assert len(copy.build_index()) == 1
    assert copy.bearers_of_file(bytes(16)) == []
    copy.close()


def test_a_picture_that_only_calls_itself_a_video_is_a_picture(gate: GateProcess) -> None:
    file = io.BytesIO()
    Image.fromarray(shown(31)[20]).save(file, "AVIF")
    answer = gate.http.post("/check", files={"file": ("clip.mp4", file.getvalue(), "video/mp4")})
    assert [match["entry"] for match in answer.json()["matches"]] == [str(ALICES)]
