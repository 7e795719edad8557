"""Videos in the picture page, in a real Chromium: the very bits that Python finds, or a sentence."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from bench import _clips
from seawall.exchange import wire
from seawall.hashing import fingerprint
from seawall.hashing.videos import MOST_FRAMES, Frame, unpack
from seawall.protect import page as picture_page
from seawall.protect import views
from seawall.protect.tests.conftest import coffee, finish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

H264, VP9 = _clips.H264, _clips.VP9
UNEVEN = [0, 400, 999, 1001, 1999, 2000, 2400, 5300, 5900, 6000, 6100, 9999]  # milliseconds


def panned(seed: int = 1, frames: int = 30) -> list[_clips.Picture]:
    return list(_clips.panned(seed, frames))


def write_all(folder: Path) -> dict[str, Path]:
    """Clips of every shape that this browser can play."""
    write = _clips.write
    wide = list(_clips.panned(6, 30, size=(322, 178)))
    clips = [
        write(folder / "b-frames.mp4", panned(frames=40), options={"bf": "3"}),
        write(folder / "ten-bits.mp4", panned(3), codec=_clips.H264_10),
        write(folder / "vp9.webm", panned(2, 40), codec=VP9),
        write(folder / "av1.mp4", panned(3), codec=_clips.AV1),
        *(write(folder / f"turned{turn}.mp4", panned(4), rotation=turn) for turn in (90, 180, 270)),
        write(folder / "uneven.mkv", panned(5, len(UNEVEN)), times=UNEVEN),
        write(folder / "live.webm", panned(7), codec=VP9, container={"live": "1"}),
        write(folder / "odd.mov", wide, codec=H264._replace(suffix=".mov")),
        write(folder / "fragments.mp4", panned(8), container={"movflags": "frag_keyframe+empty_moov"}),
        write(folder / "late.mkv", panned(9), times=[5000 + 100 * number for number in range(30)]),
    ]
    behind = folder / "behind.webm"  # the clusters of one behind those of another, whose times begin anew
    parts = [write(folder / f"part{n}.webm", panned(n), codec=VP9, container={"live": "1"}) for n in (11, 12)]
    first, second = (part.read_bytes() for part in parts)
    behind.write_bytes(first + second[second.index(b"\x1f\x43\xb6\x75") :])
    disguised = folder / "holiday.jpg"
    disguised.write_bytes(write(folder / "other.mp4", panned(10)).read_bytes())
    return {clip.name: clip for clip in [*clips, behind, disguised]}


def lines_of(page: Page) -> list[list[str]]:
    """Go on to what will be sent."""
    page.click("#to-read")
    page.locator("#future").check()
    page.locator("#to-receipt:enabled").wait_for()
    text = page.input_value("#fingerprints")
    assert len(wire.parse(text).items) >= 1
    return [line.split(" ") for line in text.splitlines()[2:]]


def frames_of(line: list[str]) -> tuple[Frame, ...]:
    return unpack(base64.urlsafe_b64decode(line[3]))


def test_every_video_has_the_very_bits_that_python_finds(open_page: Callable[[], Page], tmp_path: Path) -> None:
    clips = write_all(tmp_path)
    page = open_page()
    found = finish(page, *clips.values())
    lines = lines_of(page)
    assert page.locator("#parts").is_hidden(), "videos have no parts"
    assert len(lines) == 3 * len(clips)
    for at, (name, path) in enumerate(clips.items()):
        made = fingerprint(path)
        assert found[name] == (f"Ready. Moments of the video with a fingerprint: {len(made.frames)}.", made.sha256)
        whole, md5, sha256 = lines[3 * at : 3 * at + 3]
        there = [(frame.t, frame.pdq.bits, frame.pdq.quality) for frame in frames_of(whole)]
        assert there == [(frame.t, frame.pdq.bits, frame.pdq.quality) for frame in made.frames], name
        best = str(max(frame.pdq.quality for frame in made.frames))
        assert whole[1:3] + whole[4:] == ["video", "vpdq1", best]
        assert md5 == [whole[0], "video", "md5", made.md5, "100"]
        assert sha256 == [whole[0], "video", "sha256", made.sha256, "100"]


def test_videos_and_pictures_go_together_and_each_has_its_line_in_the_receipt(
    open_page: Callable[[], Page], tmp_path: Path
) -> None:
    clip = _clips.write(tmp_path / "clip.mp4", panned())
    (tmp_path / "again.mp4").write_bytes(clip.read_bytes())
    Image.fromarray(coffee()).save(tmp_path / "photo.png")
    page = open_page()
    found = finish(page, clip, tmp_path / "photo.png", tmp_path / "again.mp4")
    assert "The same video" in found["again.mp4"][0]
    page.click("#to-read")
    assert page.locator("#parts").is_visible(), "there is a picture among them"
    page.locator("[data-step='2'] [data-go='1']").click()
    assert [line[1:3] for line in lines_of(page)] == [
        ["video", "vpdq1"],
        ["video", "md5"],
        ["video", "sha256"],
        ["image", "pdq1"],
    ]
    page.click("#to-receipt")
    receipt = [line for line in page.locator("#receipt").inner_text().splitlines() if line[:1] != "#"][3:]
    assert [line.split(" ")[1] for line in receipt] == [
        fingerprint(clip).sha256,
        fingerprint(tmp_path / "photo.png").pdq.hex,
    ]


def test_what_cannot_be_used_gets_a_sentence(open_page: Callable[[], Page], tmp_path: Path) -> None:
    clip = _clips.write(tmp_path / "good.mp4", panned(frames=12)).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("clip.mp4", clip)
    bad = {
        "empty.mp4": (b"", "cannot read it"),
        "zip.mp4": (packed.getvalue(), "cannot read it"),
        "begins.mp4": (b"\0\0\0\x18ftypmp42" + bytes(100), "cannot read it"),
        "no-index.mp4": (clip[:-1500], "cannot read it"),
        "ebml.webm": (b"\x1a\x45\xdf\xa3" * 99, "cannot read it"),
        "locked.mp4": (clip.replace(b"avc1", b"encv"), "locked against copying"),
    }
    for name, (content, _) in bad.items():
        (tmp_path / name).write_bytes(content)
    size = (5_200, 8_000, 3)
    expected = {name: sentence for name, (_, sentence) in bad.items()} | {
        _clips.sound(tmp_path / "sound.m4a").name: "sound and no video",
        _clips.write(tmp_path / "old.mov", panned(frames=9), codec=_clips.MJPEG).name: "cannot play this kind",
        _clips.write(tmp_path / "old.avi", panned(frames=9), codec=_clips.MPEG4).name: "cannot read it",
        _clips.write(tmp_path / "large.mov", [np.zeros(size, np.uint8)], codec=_clips.MJPEG).name: "are too large",
        _clips.write(tmp_path / "black.mp4", [np.zeros((64, 64, 3), np.uint8)] * 12).name: "Too plain",
    }
    found = finish(open_page(), *(tmp_path / name for name in expected), tmp_path / "good.mp4")
    for name, sentence in expected.items():
        says, shown = found[name]
        assert sentence in says, (name, says)
        assert not shown, name
    assert found["good.mp4"][1] == fingerprint(tmp_path / "good.mp4").sha256


def test_of_a_damaged_video_what_could_be_read_is_offered(open_page: Callable[[], Page], tmp_path: Path) -> None:
    whole = _clips.write(
        tmp_path / "whole.mp4", panned(4, 100), options={"g": "10"}, container={"movflags": "faststart"}
    )
    content = whole.read_bytes()
    (tmp_path / "torn.mp4").write_bytes(content[: len(content) * 3 // 4])
    (tmp_path / "stub.mp4").write_bytes(content[: len(content) // 3])
    broken = bytearray(content)
    middle = len(content) // 2
    broken[middle : middle + 6000] = np.random.default_rng(1).bytes(6000)
    (tmp_path / "hurt.mp4").write_bytes(broken)
    page = open_page()
    found = finish(page, tmp_path / "torn.mp4", tmp_path / "stub.mp4", tmp_path / "hurt.mp4")
    assert found["torn.mp4"][0].startswith("Ready, but not all of it: the video is damaged.")
    assert found["hurt.mp4"][0].startswith("Ready, but not all of it: the video is damaged.")
    assert "too little of it could be read" in found["stub.mp4"][0]
    assert found["stub.mp4"][1] == ""
    torn, _, _, hurt, _, _ = lines_of(page)
    all_of_it = fingerprint(whole).frames
    assert 5 <= len(frames_of(torn)) < len(all_of_it)
    assert [frame.pdq.bits for frame in frames_of(torn)] == [
        frame.pdq.bits for frame in all_of_it[: len(frames_of(torn))]
    ]
    # Behind the damage it goes on.
    assert frames_of(hurt)[-1].pdq.bits == all_of_it[-1].pdq.bits


def test_a_webm_that_was_cut_off_says_so_and_a_whole_or_endless_one_does_not(
    open_page: Callable[[], Page], tmp_path: Path
) -> None:
    shown = list(panned(5, 100))
    whole = _clips.write(tmp_path / "whole.webm", shown, codec=_clips.VP9, options={"g": "10"})
    _clips.write(tmp_path / "endless.webm", shown[:40], codec=_clips.VP9, container={"live": "1"})
    content = whole.read_bytes()
    (tmp_path / "cut.webm").write_bytes(content[: len(content) * 9 // 10])
    found = finish(open_page(), *(tmp_path / f"{name}.webm" for name in ("cut", "whole", "endless")))
    assert found["cut.webm"][0].startswith("Ready, but not all of it: the video is damaged.")
    assert found["whole.webm"][0].startswith("Ready. ")
    assert found["endless.webm"][0].startswith("Ready. ")


def test_of_eight_hours_only_the_beginning_is_read(open_page: Callable[[], Page], tmp_path: Path) -> None:
    times = [1000 * 60 * number for number in range(8 * 60)]
    clip = _clips.write(tmp_path / "long.mkv", _clips.panned(5, len(times), size=(64, 36), fps=1), times=times)
    page = open_page()
    assert finish(page, clip)["long.mkv"][0].startswith("Ready. It is very long, so only its beginning")
    made = fingerprint(clip).frames
    assert [frame.t for frame in frames_of(lines_of(page)[0])] == [frame.t for frame in made]
    assert made[-1].t <= 16_000_000


def serve(monkeypatch: pytest.MonkeyPatch, *, worker: str = "", frame: str = "") -> None:
    """The page with that text in front of its worker's or its frame's, or a worker of its own, sealed as ever."""
    parts = picture_page.seal(
        worker=worker or picture_page.worker_text(),
        frame=frame + picture_page.frame_text(),
        page=picture_page.page_text(),
        style=picture_page.style_text(),
    )
    monkeypatch.setattr(views, "sealed", lambda: parts)


@pytest.mark.parametrize("lacks", ["delete self.VideoDecoder;", "delete VideoDecoder.prototype.ondequeue;"])
def test_a_browser_without_a_decoder_is_told_what_else_there_is(
    lacks: str, open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(monkeypatch, frame=f"{lacks}\n")
    says, shown = finish(open_page(), _clips.write(tmp_path / "a.mp4", panned(frames=12)))["a.mp4"]
    assert "seawall protect" in says
    assert "helpline" in says
    assert not shown


def test_a_decoder_that_never_answers_is_given_up(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It decodes a second and a half, and then is silent: too little to be sent, and no hang."""
    silent = """
      const decode = VideoDecoder.prototype.decode;
      let left = 25;
      VideoDecoder.prototype.decode = function (chunk) { if (left-- > 0) decode.call(this, chunk); };
      VideoDecoder.prototype.flush = () => new Promise(() => {});
    """
    impatient = picture_page.worker_text().replace("const SILENCE = 30_000;", "const SILENCE = 500;")
    assert "const SILENCE = 500;" in impatient
    serve(monkeypatch, frame=silent, worker=impatient)
    says, _ = finish(open_page(), _clips.write(tmp_path / "a.mp4", panned(frames=60)))["a.mp4"]
    assert "too little of it could be read" in says


def test_it_says_how_long_it_will_still_take(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    again = 'self.onmessage = ({ ports: [port] }) => setInterval(() => port.postMessage(["progress", 10]), 50);'
    serve(monkeypatch, worker=again)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    page = open_page()
    page.clock.install()
    page.set_input_files("#picture", tmp_path / "a.png")
    row = page.locator(".picture [data-part=says]")
    row.get_by_text("Making the fingerprint: 10 %", exact=True).wait_for()
    assert page.inner_text("#announce") == ""
    page.clock.fast_forward(60_000)
    page.locator("#announce").get_by_text("a.png: Making the fingerprint: 10 %. About").wait_for()  # read out, too
    row.get_by_text("Making the fingerprint: 10 %. About 10 min to go.").or_(
        row.get_by_text("Making the fingerprint: 10 %. About 9 min to go.")
    ).wait_for()
    page.get_by_role("button", name="Stop a.png").click()
    assert page.locator("iframe").count() == 0
    assert page.locator(".picture").count() == 0


def test_the_page_believes_nothing_but_a_fingerprint_of_a_video(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    frames, md5, sha256, secret = "Az0_" * 12, "0f" * 16, "0e" * 32, "the video says hello"
    bad = [
        [secret, 99, md5, sha256, "whole"],
        [frames + "=", 99, md5, sha256, "whole"],
        [frames + "\n", 99, md5, sha256, "whole"],
        [frames[:-1], 99, md5, sha256, "whole"],
        [[frames], 99, md5, sha256, "whole"],
        [frames, "99", md5, sha256, "whole"],
        [frames, 101, md5, sha256, "whole"],
        [frames, 99, md5.upper(), sha256, "whole"],
        [frames, 99, sha256, md5, "whole"],
        [frames, 99, md5, sha256, secret],
        [frames, 99, md5, sha256],
        [],
    ]
    said = ", ".join(f'["video", ...{each!r}]' for each in bad)
    serve(
        monkeypatch,
        worker=f"""self.onmessage = ({{ ports: [port] }}) => {{
          const hours = "{frames}".repeat({MOST_FRAMES + 1});
          for (const said of [{said}, ["video", hours, 99, "{md5}", "{sha256}", "whole"]]) port.postMessage(said);
          port.postMessage(["video", "{frames}", 88, "{md5}", "{sha256}", "whole", "{secret}"]);
        }};""",
    )
    (tmp_path / "a.mp4").write_bytes(b"x")
    page = open_page()
    assert finish(page, tmp_path / "a.mp4")["a.mp4"][1] == sha256
    page.click("#to-read")
    page.locator("#future").check()
    page.locator("#to-receipt:enabled").wait_for()
    lines = [line.split(" ")[1:] for line in page.input_value("#fingerprints").splitlines()[2:]]
    assert lines == [
        ["video", "vpdq1", frames, "88"],
        ["video", "md5", md5, "100"],
        ["video", "sha256", sha256, "100"],
    ]
    page.evaluate("() => document.querySelector('template#hasher').remove()")
    assert secret not in page.content()


def test_more_than_fits_one_form_is_sent_in_turns(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An hour has 172,800 letters, and a form a million."""
    serve(
        monkeypatch,
        worker=f"""self.onmessage = async ({{ data: file, ports: [port] }}) => {{
          const name = (await file.text()).padStart(64, "0");
          port.postMessage(["video", "A".repeat({48 * MOST_FRAMES}), 88, "{"0" * 32}", name, "whole"]);
        }};""",
    )
    for number in range(6):
        (tmp_path / f"{number}.mp4").write_text(str(number))
    page = open_page()
    finish(page, *(tmp_path / f"{number}.mp4" for number in range(6)))
    page.click("#to-read")
    page.locator("#future").check()
    page.locator("#too-long").wait_for()
    assert page.locator("#to-receipt").is_disabled()
    assert page.input_value("#fingerprints") == ""
    page.locator("[data-step='2'] [data-go='1']").click()
    page.locator(".picture button").first.click()
    page.click("#to-read")
    page.locator("#to-receipt:enabled").wait_for()
    assert page.locator("#too-long").is_hidden()
