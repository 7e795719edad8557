"""A video's fingerprint, on files of real encoders."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import zipfile
from typing import TYPE_CHECKING

import av
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import _clips
from seawall.hashing import Pdq, UnreadableImage, UnreadableVideo, decoding, distance, fingerprint, pdq, videos
from seawall.hashing.videos import BadFrames, Frame, Reading, is_video, pack, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CODECS = [_clips.H264, _clips.H264_10, _clips.VP9, _clips.AV1, _clips.HEVC, _clips.MPEG4, _clips.MJPEG]
SECONDS = 4


def _name(codec: _clips.Codec) -> str:
    return f"{codec.name} {codec.pixels}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip(folder: Path) -> Path:
    return _clips.write(folder / "clip.mp4", _clips.panned(1, 10 * SECONDS), options={"bf": "3"})


def _lumas_as_the_spec_says(path: Path) -> list[NDArray[np.uint8]]:
    """Written apart from the code, with every frame decoded and floats."""
    lumas, following = [], 0
    with av.open(path) as file:
        for frame in file.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            micros = int(np.floor(float(frame.pts * frame.time_base) * 1e6 + 0.5))
            if micros < following - 500:
                continue
            following = ((micros + 500) // 1_000_000 + 1) * 1_000_000
            ten = "10" in frame.format.name
            wide = frame.to_ndarray()
            y = (wide[: frame.height] if wide.ndim == 2 else wide[0])[:, : frame.width].astype(np.int64)
            y = y >> 2 if ten else y
            if "yuvj" not in frame.format.name and frame.color_range != 2:
                y = np.clip(np.rint((y - 16) * 255 / 219), 0, 255).astype(np.int64)
            lumas.append(y.astype(np.uint8))
    return lumas


@pytest.mark.parametrize("codec", CODECS, ids=_name)
def test_it_hashes_the_decoders_own_luma_once_a_second(codec: _clips.Codec, folder: Path) -> None:
    path = _clips.write(folder / f"{_name(codec)}{codec.suffix}", _clips.panned(1, 10 * SECONDS), codec=codec)
    made = fingerprint(path)
    wanted = [pdq(luma) for luma in _lumas_as_the_spec_says(path)]
    assert len(wanted) == SECONDS
    assert (made.kind, made.version, made.problem) == ("video", "vpdq1", None)
    assert [(f.pdq.bits, f.pdq.quality) for f in made.frames] == [
        (p.bits, p.quality) for p in wanted if p.quality >= 50
    ]
    assert [f.t for f in made.frames] == [1000 * n for n, p in enumerate(wanted) if p.quality >= 50]
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made.md5 == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_a_frame_matches_the_picture_it_was_made_of(clip: Path) -> None:
    shown = list(_clips.panned(1, 10 * SECONDS))
    for frame in fingerprint(clip).frames:
        assert distance(frame.pdq.bits, pdq(shown[frame.t // 100]).bits) <= 31


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_it_turns_the_plane_as_the_file_says(turn: int, folder: Path) -> None:
    path = _clips.write(folder / f"turned{turn}.mp4", _clips.panned(1, 15), rotation=turn)
    turned = [pdq(np.ascontiguousarray(np.rot90(luma, turn // 90))) for luma in _lumas_as_the_spec_says(path)]
    assert [frame.pdq.bits for frame in fingerprint(path).frames] == [one.bits for one in turned]


def test_it_takes_the_first_frame_at_or_after_each_second_of_a_variable_rate(folder: Path) -> None:
    times = [0, 400, 999, 1001, 1999, 2000, 2400, 5300, 5900, 6000, 6100, 9999]
    path = _clips.write(folder / "variable.mkv", _clips.panned(3, len(times)), times=times)
    with path.open("rb") as file, Reading(file) as reading:
        assert [one.t // 1000 for one in reading.frames(videos.SECOND)] == [0, 1001, 2000, 5300, 6000, 9999]


def test_files_put_behind_one_another_are_read_to_the_end_of_the_last(folder: Path) -> None:
    """Each has a clock of its own, and the later may be the shorter."""
    parts = [
        _clips.write(folder / f"part{seed}.ts", _clips.panned(seed, count)) for seed, count in ((21, 50), (22, 30))
    ]
    whole = folder / "behind.ts"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = fingerprint(whole).frames
    assert [frame.t for frame in frames] == pytest.approx([1000 * n for n in range(8)], abs=100)
    first, second = (fingerprint(part).frames for part in parts)
    assert [frame.pdq.bits for frame in frames[:5]] == [frame.pdq.bits for frame in first]
    assert distance(frames[-1].pdq.bits, second[-1].pdq.bits) <= 31


def test_times_count_from_the_first_frame_and_never_back() -> None:
    marks = decoding.Marks(videos.SECOND)
    given_ = [7_000_000, 7_999_500, 7_999_600, 3_000_000, 9_000_000, 8_900_000, 9_999_499, 9_999_500]
    assert [marks.take(time) for time in given_] == [0, 999_500, None, None, 2_000_000, None, None, 2_999_500]


@pytest.mark.parametrize(
    ("pixels", "same_as"), [("nv12", "yuv420p"), ("yuyv422", "yuv422p"), ("p010le", "yuv420p10le"), ("gray", "yuv420p")]
)
def test_it_reads_the_same_luma_however_the_chroma_lies(pixels: str, same_as: str) -> None:
    frame = av.VideoFrame.from_ndarray(next(_clips.panned(2, 1)), format="rgb24").reformat(format=same_as)
    other = frame.reformat(format=pixels)
    if pixels == "gray":  # libswscale expands the range on the way to gray
        assert np.abs(decoding.luma(other).astype(int) - decoding.luma(frame)).max() <= 40
    else:
        assert (decoding.luma(other) == decoding.luma(frame)).all()


def test_a_frame_without_luma_is_hashed_as_a_picture(folder: Path) -> None:
    codec = _clips.Codec("qtrle", ".mov", {}, "rgb24")
    shown = list(_clips.panned(1, 11))
    made = fingerprint(_clips.write(folder / "rgb.mov", shown, codec=codec))
    assert [frame.pdq.bits for frame in made.frames] == [pdq(shown[0]).bits, pdq(shown[10]).bits]


def test_a_file_without_a_duration_ends(folder: Path) -> None:
    path = _clips.write(folder / "live.webm", _clips.panned(1, 25), codec=_clips.VP9, container={"live": "1"})
    with av.open(path) as file:
        assert file.duration is None
    done: list[float] = []
    assert [frame.t for frame in fingerprint(path, progress=done.append).frames] == [0, 1000, 2000]
    assert done == []


def test_it_says_how_far_it_is(clip: Path) -> None:
    done: list[float] = []
    fingerprint(clip, progress=done.append)
    assert done == pytest.approx([0, 0.25, 0.5, 0.75], abs=0.02)


@pytest.mark.parametrize(
    "codec", [_clips.H264, _clips.H264_10, _clips.VP9, _clips.AV1, _clips.HEVC, _clips.MPEG4], ids=_name
)
def test_a_survey_shows_what_is_at_those_times_all_over_the_video(codec: _clips.Codec, folder: Path) -> None:
    keys = {"x265-params": f"{codec.options.get('x265-params')}:keyint=10"} if codec is _clips.HEVC else {"g": "10"}
    shown = list(_clips.panned(9, 100))
    path = _clips.write(folder / f"survey {_name(codec)}{codec.suffix}", shown, codec=codec, options=keys)
    with path.open("rb") as file, Reading(file) as reading:
        surveyed = reading.survey()
    times = [one.t for one in surveyed]
    assert times == sorted(set(times))
    assert 8 <= len(surveyed) <= 24
    assert times[-1] >= 8 * videos.SECOND
    for one in surveyed:
        frame = pdq(shown[round(one.t / videos.SECOND * 10)])
        assert distance(pdq(one.pixels).bits, frame.bits) <= 31


def test_its_decoder_is_told_no_key(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_GATE_KEY", "key-of-the-upload-servers")
    others = set(psutil.Process().children())
    with clip.open("rb") as file, Reading(file):
        [decoder] = set(psutil.Process().children()) - others
        assert not [name for name in decoder.environ() if name.startswith("SEAWALL")]


def test_a_survey_of_one_key_frame_is_of_the_first_seconds(folder: Path) -> None:
    options = {"g": "999", "sc_threshold": "0"}
    path = _clips.write(folder / "one key.mp4", _clips.panned(9, 300), options=options)
    with path.open("rb") as file, Reading(file) as reading:
        times = [one.t for one in reading.survey()]
    assert (times[0], times[-1], len(times)) == (0, 11_500_000, 24)


def test_the_name_of_a_file_says_nothing(clip: Path, folder: Path) -> None:
    disguised = folder / "holiday.jpg"
    disguised.write_bytes(clip.read_bytes())
    assert fingerprint(disguised).frames == fingerprint(clip).frames


def test_a_still_video_keeps_each_hash_once(folder: Path) -> None:
    one = next(_clips.panned(1, 1))
    path = _clips.write(folder / "still.mp4", [one] * 40, options={"qp": "0"})
    frames = fingerprint(path).frames
    assert len({frame.pdq.bits for frame in frames}) == len(frames) < 4


def test_a_plain_video_has_no_frame_and_says_its_clearest(folder: Path) -> None:
    made = fingerprint(_clips.write(folder / "black.mp4", [np.zeros((64, 64, 3), np.uint8)] * 20))
    assert (made.frames, made.pdq.quality) == ((), 0)


# What strangers send; far more of it in tests/test_strange_videos.py.


def _refused(path: Path) -> str:
    with pytest.raises(UnreadableImage) as refused:
        fingerprint(path)
    said = str(refused.value)
    assert said.endswith(".")
    return said


def test_sound_alone_is_refused(folder: Path) -> None:
    assert "no video" in _refused(_clips.sound(folder / "sound.m4a"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\0\0\0\x18ftypmp42" + bytes(100), b"\x1a\x45\xdf\xa3" * 99])
def test_what_only_begins_like_a_video_is_refused(content: bytes, folder: Path) -> None:
    path = folder / "begins.mp4"
    path.write_bytes(content)
    _refused(path)


def test_a_zip_called_mp4_is_refused(clip: Path, folder: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.write(clip)
    path = folder / "zip.mp4"
    path.write_bytes(held.getvalue())
    _refused(path)


@pytest.mark.parametrize("names", ["#EXTM3U\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"])
def test_a_list_never_makes_it_open_another_file(names: str, clip: Path, folder: Path) -> None:
    path = folder / "list.mp4"
    path.write_text(names.format(clip))
    with path.open("rb") as file, pytest.raises(UnreadableVideo):
        Reading(file)


def test_an_encrypted_video_is_refused_in_words(clip: Path, folder: Path) -> None:
    path = folder / "locked.mp4"
    path.write_bytes(clip.read_bytes().replace(b"avc1", b"encv"))
    assert "locked" in _refused(path)


def test_frames_too_large_to_decode_are_refused_before(folder: Path) -> None:
    path = _clips.write(folder / "large.mov", [np.zeros((5_200, 8_000, 3), np.uint8)], codec=_clips.MJPEG)
    assert "too large" in _refused(path)


def test_a_file_without_its_index_is_refused(clip: Path, folder: Path) -> None:
    path = folder / "cut.mp4"
    path.write_bytes(clip.read_bytes()[:-2000])  # the index is at the end
    _refused(path)


def test_a_video_that_breaks_off_gives_its_frames_so_far(folder: Path) -> None:
    whole = _clips.write(folder / "whole.mkv", _clips.panned(4, 100), options={"g": "10"})
    path = folder / "breaks.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    made, all_of_it = fingerprint(path), fingerprint(whole)
    assert 5 <= len(made.frames) < len(all_of_it.frames)
    assert made.frames == all_of_it.frames[: len(made.frames)]


def test_a_decoder_that_fails_midway_goes_on_and_says_so(folder: Path) -> None:
    path = _clips.write(folder / "hurt.avi", _clips.panned(4, 100), codec=_clips.MPEG4, options={"g": "10"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = np.random.default_rng(1).bytes(6000)
    path.write_bytes(content)
    assert len(fingerprint(path).frames) >= 5


def test_less_than_five_frames_of_a_broken_video_are_refused(clip: Path) -> None:
    whole = [(0.0, 0.0, 1.0, 1.0)] * 200  # so much of each frame that the decoder has to wait to be read
    with clip.open("rb") as file, Reading(file) as reading:
        frames = reading.frames(videos.SECOND // 10, whole)
        next(frames)
        os.kill(reading._process.pid, signal.SIGKILL)
        assert len(list(frames)) < 10 * SECONDS - 1
    assert reading.problem is not None
    assert "Save a smaller copy" in reading.problem


def test_a_decoder_that_never_answers_is_given_up(clip: Path) -> None:
    with clip.open("rb") as file, Reading(file, silence=0.2) as reading:
        os.kill(reading._process.pid, signal.SIGSTOP)
        assert list(reading.frames(videos.SECOND)) == []
        assert reading.problem is not None


def test_a_decoder_out_of_time_is_ended(clip: Path) -> None:
    with clip.open("rb") as file, Reading(file, cpu_seconds=1) as reading:
        while reading.problem is None:
            list(reading.frames(videos.SECOND // 10))
        assert "too long" in reading.problem


def test_eight_hours_are_not_read_to_their_end(folder: Path) -> None:
    size = (64, 36)
    times = [1000 * 60 * n for n in range(8 * 60)]
    path = _clips.write(folder / "long.mkv", _clips.panned(5, len(times), size=size, fps=1), times=times)
    made = fingerprint(path)
    assert made.frames[-1].t <= 16_000_000
    assert made.problem is not None
    assert "only its beginning" in made.problem


def test_a_video_in_memory_is_not_taken_for_a_picture(clip: Path) -> None:
    with pytest.raises(UnreadableVideo):
        fingerprint(clip.read_bytes())


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1"])
def test_pictures_in_the_same_boxes_are_not_videos(brand: bytes) -> None:
    assert not is_video(b"\0\0\0\x18ftyp" + brand + bytes(40))


def test_every_container_is_told_by_its_first_bytes(folder: Path) -> None:
    for suffix in (".mp4", ".mov", ".mkv", ".avi", ".ts", ".mpg", ".flv", ".asf"):
        codec = _clips.MPEG4 if suffix in {".avi", ".asf"} else _clips.H264
        path = _clips.write(folder / f"contained{suffix}", _clips.panned(1, 12), codec=codec)
        assert len(fingerprint(path).frames) == 2, suffix


# Packed.


@st.composite
def _frames(draw: st.DrawFn) -> tuple[Frame, ...]:
    times = sorted(draw(st.sets(st.integers(0, (1 << 24) - 1), min_size=1, max_size=8)))
    bits = draw(st.lists(st.binary(min_size=32, max_size=32), min_size=len(times), max_size=len(times), unique=True))
    return tuple(Frame(t, Pdq(b, draw(st.integers(50, 100)))) for t, b in zip(times, bits, strict=True))


@given(_frames())
@settings(max_examples=50)
def test_what_is_packed_comes_out_again(frames: tuple[Frame, ...]) -> None:
    packed = pack(frames)
    assert unpack(packed) == frames
    assert len(videos.to_text(packed)) == 48 * len(frames)


def _frame(t: int, first: int, quality: int = 90) -> bytes:
    return t.to_bytes(3, "big") + bytes([first]) * 32 + bytes([quality])


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        bytes(35),
        _frame(0, 1, 49),
        _frame(0, 1, 101),
        _frame(5, 1) + _frame(5, 2),
        _frame(5, 1) + _frame(4, 2),
        _frame(0, 1) + _frame(1, 1),
        b"".join(_frame(n, n % 256) for n in range(3601)),
    ],
)
def test_what_breaks_a_rule_is_not_unpacked(packed: bytes) -> None:
    with pytest.raises(BadFrames):
        unpack(packed)
