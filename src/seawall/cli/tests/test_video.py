"""Videos on the command line: `seawall fingerprint`, `seawall match`, and the published vPDQ tools' own forms."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from bench import _clips
from seawall.hashing import Pdq, fingerprint, published
from seawall.hashing.published import NotVpdq
from seawall.hashing.videos import Frame

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    shown = list(_clips.panned(61, 70))
    _clips.write(folder / "clip.mp4", shown)
    _clips.write(folder / "copy.webm", [np.ascontiguousarray(frame[:, ::-1]) for frame in shown], codec=_clips.VP9)
    _clips.write(folder / "other.mp4", _clips.panned(62, 30))
    Image.fromarray(shown[20]).save(folder / "frame.jpg")
    index_first = {"movflags": "faststart"}
    whole = _clips.write(folder / "whole.mp4", _clips.panned(63, 100), options={"g": "10"}, container=index_first)
    (folder / "broken.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 4 // 5])
    return folder


def seawall(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_tells_every_frame_and_the_file(folder: Path) -> None:
    made = fingerprint(folder / "clip.mp4")
    told = json.loads(seawall(folder, "fingerprint", "clip.mp4", "--json").stdout)
    assert (told["kind"], told["version"], told["sha256"], told["md5"]) == ("video", "vpdq1", made.sha256, made.md5)
    assert told["frames"] == [{"t": f.t / 1000, "pdq": f.pdq.hex, "quality": f.pdq.quality} for f in made.frames]
    lines = seawall(folder, "fingerprint", "clip.mp4").stdout.splitlines()
    assert lines[1] == f"{made.frames[1].pdq.hex}  quality {made.frames[1].pdq.quality}  clip.mp4 at 1.000 s"


def test_whoever_reads_the_first_line_only_sees_no_traceback(folder: Path) -> None:
    words = " ".join(["clip.mp4"] * 400)
    piped = f"{sys.executable} -m seawall.cli fingerprint --vpdq text {words} | head -n 1"
    told = subprocess.run(["bash", "-c", piped], cwd=folder, capture_output=True, text=True, check=True)
    assert len(told.stdout.splitlines()) == 1
    assert told.stderr == ""


def test_of_a_broken_video_it_tells_the_frames_so_far_and_says_so(folder: Path) -> None:
    told = seawall(folder, "fingerprint", "broken.mp4", "--json")
    assert told.returncode == 0
    assert len(json.loads(told.stdout)["frames"]) >= 5
    assert "broken.mp4: This video is damaged" in told.stderr
    assert "frames so far" in told.stderr


def test_of_a_plain_video_it_prints_nothing_and_says_why(folder: Path) -> None:
    _clips.write(folder / "black.mp4", [np.zeros((90, 160, 3), np.uint8)] * 20)
    told = seawall(folder, "fingerprint", "black.mp4")
    assert (told.returncode, told.stdout) == (0, "")
    assert "black.mp4: This video is too plain" in told.stderr


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_copy_and_a_frame_match_the_vpdq_it_wrote(folder: Path, form: str) -> None:
    bank = folder / f"bank.{form}"
    bank.write_text(seawall(folder, "fingerprint", "clip.mp4", "--vpdq", form).stdout)
    told = seawall(folder, "match", "--bank", bank.name, "copy.webm", "other.mp4", "frame.jpg")
    assert told.returncode == 3
    copy, other, frame = told.stdout.splitlines()
    assert copy.startswith("copy.webm: match, the video, distance ")
    assert "mirrored left to right, from 0 s to 7 s" in copy
    assert other == "other.mp4: free"
    assert frame.startswith("frame.jpg: match, frame at 2 s, distance ")


def test_a_video_is_looked_up_in_a_list_of_pictures(folder: Path) -> None:
    (folder / "list.txt").write_text(f"{'00' * 32}\n{fingerprint(folder / 'frame.jpg').pdq.hex}\n")
    told = seawall(folder, "match", "--bank", "list.txt", "clip.mp4")
    assert told.stdout.startswith("clip.mp4: match, line 2, distance ")


def test_a_line_that_is_no_vpdq_is_named(folder: Path) -> None:
    (folder / "bad.txt").write_text(f"0,100,{'0f' * 32},0.000\n1,101,{'1f' * 32},1.000\n")
    told = seawall(folder, "match", "--bank", "bad.txt", "clip.mp4")
    assert told.returncode == 2
    assert "bad.txt, line 2" in told.stderr


def test_what_it_writes_the_published_reader_reads(folder: Path) -> None:
    """`threatexchange`'s own class cannot be imported without the C++ wheel; its rule is three fields after commas."""
    made = fingerprint(folder / "clip.mp4")
    for said, frame in zip(json.loads(published.to_json(made.frames)), made.frames, strict=True):
        digits, quality, seconds = said.split(",")
        assert (len(digits), int(quality), float(seconds)) == (64, frame.pdq.quality, frame.t / 1000)
    assert published.read(published.to_json(made.frames)) == made.frames
    assert published.read(published.to_text(made.frames)) == made.frames


def test_it_reads_what_the_published_tools_write() -> None:
    """Every frame of a rate, plain and repeated ones too; times with three digits or with three significant ones."""
    bits = ("e271017837246aaccddea259648fb7d62f435c89d9e99b2497763e216c8d055c", "0f" * 32)
    text = f"0,100,{bits[0]},0\n1,100,{bits[0]},0.0319\n2,49,{bits[1]},0.0638\n31,98,{bits[1]},0.989\n"
    wanted = (Frame(0, Pdq(bytes.fromhex(bits[0]), 100)), Frame(989, Pdq(bytes.fromhex(bits[1]), 98)))
    assert published.read(text) == wanted
    said = json.dumps([f"{bits[0]},100,0.0", f"{bits[1]},98,1.23e+02"])
    assert published.read(said)[1].t == 123_000


_ENDLESS = "9" * 400  # seconds, more than a float holds
_NOT_VPDQ = ["[1]", '["a,b"]', "[", "{}", "a,b,c,d", f"0,100,{'0f' * 31},0", "[" * 100_000]


@pytest.mark.parametrize("content", [*_NOT_VPDQ, f"0,100,{'0f' * 32},{_ENDLESS}", f'["{"0f" * 32},100,{_ENDLESS}"]'])
def test_what_is_no_vpdq_is_refused(content: str) -> None:
    with pytest.raises(NotVpdq):
        published.read(content)


def test_a_list_that_is_no_text_is_refused_with_what_to_do(folder: Path) -> None:
    (folder / "noise.txt").write_bytes(b",\xff\xfe" * 100)
    told = seawall(folder, "match", "--bank", "noise.txt", "clip.mp4")
    assert (told.returncode, told.stdout) == (2, "")
    assert "Give a list of fingerprints" in told.stderr
