"""Videos are looked through no further than is needed, and never less; real files, a decoder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench import _clips
from bench._video_attacks import ATTACKS
from seawall.hashing import UnreadableVideo
from seawall.hashing.videos import Reading, Sampled, read_frames
from seawall.matching import HashIndex
from seawall.matching.videos import MOST_TRACKS, STEP, Bearer, Looked, Tally, Videos, boxes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

SECOND = 10  # frames


class Watched(Reading):
    """Counts the frames that are asked for after the survey."""

    read = 0

    def frames(self, step: int, rects: Sequence[Sequence[float]] = (), *, most: int = 0) -> Iterator[Sampled]:
        for one in super().frames(step, rects, most=most):
            self.read += 1
            yield one


class Bank:
    """Videos by their number."""

    def __init__(self, *paths: Path) -> None:
        frames = [read_frames(path).frames for path in paths]
        self._bearers = [Bearer(entry, "video", n, len(f)) for entry, f in enumerate(frames) for n in range(len(f))]
        bits = b"".join(one.pdq.bits for each in frames for one in each)
        numbers = np.arange(len(self._bearers), dtype=np.uint64)
        self._index = HashIndex.build(np.frombuffer(bits, np.uint8).reshape(-1, 32), numbers)

    def look(self, path: Path) -> tuple[Looked, int]:
        """What is found, and how many frames were read for it after the survey."""
        videos = Videos(self._index, self._whose)
        with path.open("rb") as file, Watched(file) as reading:
            return videos.look(reading), reading.read

    def _whose(self, numbers: Iterable[int]) -> dict[int, Bearer]:
        return {number: self._bearers[number] for number in numbers}


def shown(seed: int, seconds: int) -> list[_clips.Picture]:
    return list(_clips.panned(seed, seconds * SECOND, size=(240, 136)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def bank(folder: Path) -> Bank:
    return Bank(_clips.write(folder / "protected.mp4", shown(41, 20)))


def test_a_copy_is_decided_by_its_key_frames(bank: Bank, folder: Path) -> None:
    copy = _clips.write(folder / "copy.mp4", shown(41, 20), options={"g": "10", "crf": "32"})
    looked, read = bank.look(copy)
    [found] = looked.sightings
    assert (found.sure, found.kind, read) == ("certain", "video", 0)


def test_without_key_frames_it_is_read_until_it_is_certain(bank: Bank, folder: Path) -> None:
    frames = [*shown(41, 20), *shown(42, 20)]
    upload = _clips.write(folder / "long.mp4", frames, options={"g": "999", "sc_threshold": "0"})
    looked, read = bank.look(upload)
    [found] = looked.sightings
    assert found.found >= 0.8
    assert 0 < read < 22 * 1_000_000 // STEP


@pytest.mark.parametrize("start", [36, 39, 44])
def test_five_seconds_of_a_lively_video_are_found_wherever_they_are_cut_out(start: int, folder: Path) -> None:
    frames = list(_clips.panned(101, 200, size=(240, 136), pace=0.2))
    bank = Bank(_clips.write(folder / "lively.mp4", frames))
    looked, _ = bank.look(_clips.write(folder / "five.mp4", frames[start : start + 50]))
    assert [one.shown for one in looked.sightings] == [1]


@pytest.mark.parametrize("turn", [np.rot90, lambda frame: frame[::-1, ::-1], lambda frame: frame.swapaxes(0, 1)])
def test_a_lively_video_is_found_on_its_side_and_upside_down(
    turn: Callable[[_clips.Picture], _clips.Picture], folder: Path
) -> None:
    frames = list(_clips.panned(101, 200, size=(480, 270), pace=0.2))
    bank = Bank(_clips.write(folder / "lively.mp4", frames))
    turned = [np.ascontiguousarray(turn(frame)) for frame in frames[36:86]]
    looked, _ = bank.look(_clips.write(folder / "turned.mp4", turned, options={"g": "999"}))
    [found] = looked.sightings
    assert found.shown >= 0.8
    assert found.view not in {"original", "mirrored left to right"}


def test_a_still_video_is_found_in_each_second_of_a_box() -> None:
    hashes = np.random.default_rng(1).integers(0, 256, (3, 8, 32), np.uint8)
    index = HashIndex.build(hashes[1, :1], np.array([0], np.uint64))
    tally = Tally(index, lambda numbers: {number: Bearer(0, "video", number, 20) for number in numbers})
    frames = [Sampled(at * 1_000_000, hashes[:2], np.array([90, 90], np.uint8)) for at in range(10)]
    tally.take(frames, 0)
    assert tally.decided(0.8) == ()
    tally.take(frames, 1)
    assert [one.shown for one in tally.decided(0.8)] == [1]


def test_a_video_does_not_hide_behind_another_track(bank: Bank, folder: Path) -> None:
    """Players show the track that the file prefers, and those who encode it again the larger one."""
    decoy = list(_clips.panned(47, 120, size=(64, 36)))
    path = _clips.write_tracks(folder / "tracks.mp4", decoy, shown(41, 12))
    looked, _ = bank.look(path)
    assert [(one.sure, one.shown) for one in looked.sightings] == [("certain", 1)]


def test_of_many_tracks_it_says_that_it_saw_only_some(bank: Bank, folder: Path) -> None:
    decoys = [list(_clips.panned(50 + nth, 10, size=(64, 36))) for nth in range(MOST_TRACKS)]
    looked, _ = bank.look(_clips.write_tracks(folder / "many.mkv", *decoys, shown(41, 12)))
    assert looked.sightings == ()
    assert "tracks" in str(looked.problem)


def test_one_that_is_free_is_read_to_its_end(bank: Bank, folder: Path) -> None:
    looked, read = bank.look(_clips.write(folder / "free.mp4", shown(43, 12), options={"g": "10"}))
    assert (looked.sightings, looked.usable, looked.problem) == ((), True, None)
    assert read == 120


def test_what_only_shares_an_ident_is_likely_at_most(folder: Path) -> None:
    ident, black = shown(43, 5), [np.zeros((136, 240, 3), np.uint8)] * (6 * SECOND)
    bank = Bank(_clips.write(folder / "dark.mp4", [*ident, *black]))
    looked, _ = bank.look(_clips.write(folder / "other.mp4", [*ident, *shown(44, 10)]))
    [found] = looked.sightings
    assert found.found >= 0.8
    assert found.sure == "likely"


def test_its_beginning_does_not_decide_for_all_of_it(bank: Bank, folder: Path) -> None:
    """Twelve seconds of sixty, and of a protected twenty: less than 80 % of either."""
    frames = [*shown(41, 12), *shown(44, 48)]
    upload = _clips.write(folder / "begins.mp4", frames, options={"g": "999", "sc_threshold": "0"})
    looked, _ = bank.look(upload)
    assert looked.sightings == ()


def test_what_cannot_be_decoded_is_no_free_video(bank: Bank, folder: Path) -> None:
    path = _clips.write(folder / "hurt.mp4", shown(41, 5))
    content = bytearray(path.read_bytes())
    sizes = content.index(b"stsz") + 4
    content[sizes : sizes + 300] = np.random.default_rng(1).bytes(300)
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo, match="Nothing in this video"):
        bank.look(path)


def test_a_video_on_a_still_screen_lies_in_a_box_and_a_whole_one_in_none() -> None:
    planes = []
    for frame in shown(45, 6)[::SECOND]:
        plane = np.full((400, 300), 235, np.uint8)
        plane[120 : 120 + 136, 30 : 30 + 240] = frame.mean(2)
        planes.append(plane)
    box = boxes_of(planes)[0]
    assert box == pytest.approx((0.1, 0.3, 0.9, 0.64), abs=0.02)
    assert all(
        np.abs(np.subtract(one, (0, 0, 1, 1))).max() > 0.02 for one in boxes_of([p[120:256, 30:270] for p in planes])
    )


def test_what_a_codec_does_to_lines_that_stand_still_is_no_motion(folder: Path) -> None:
    frames = shown(46, 6)
    upload = ATTACKS["screen recording"](frames, np.random.default_rng(1))
    path = _clips.write(folder / "screen.mp4", upload.frames, codec=upload.codec, fps=upload.fps)
    with path.open("rb") as file, Reading(file) as reading:
        box = boxes_of([one.pixels for one in reading.survey()])[0]
    tall = upload.frames[0].shape[0]
    assert box == pytest.approx((0, tall // 5 / tall, 1, (tall // 5 + 136) / tall), abs=0.01)
