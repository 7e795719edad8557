"""Videos in the picture page in Chromium: a minute against a player's seeking, a film's memory, the page's weight."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import httpx
import numpy as np
import psutil

from bench import _clips
from bench.case import chromium
from bench.hash import Row, limit
from seawall.cases.tests.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

MB = 1_000_000
MINUTE = 60
FILM = 600 * MB
# The targets: seconds, MB, KB.
MOST_SECONDS, MOST_MEMORY, MOST_PAGE = 10, 250, 80

# What a page without a demuxer does: the frame at each second, by seeking, its pixels by a canvas. No fingerprint.
SEEK = """async () => {
  const file = document.querySelector("input").files[0];
  const video = document.createElement("video");
  const heard = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => reject(video.error), { once: true });
  });
  const began = performance.now();
  video.muted = true;
  const ready = heard("loadeddata");
  video.src = URL.createObjectURL(file);
  await ready;
  const { videoWidth: width, videoHeight: height } = video;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  let frames = 0;
  for (let second = 0; second < video.duration; second += 1) {
    if (second > 0) {
      const there = heard("seeked");
      video.currentTime = second + 0.001;
      await there;
    }
    context.drawImage(video, 0, 0);
    frames += context.getImageData(0, 0, width, height).data[3] === 255;
  }
  return [performance.now() - began, frames];
}"""


def run() -> Iterator[Row]:
    """Three rows."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        site = stack.enter_context(serving({**os.environ, "SEAWALL_DATA": str(folder / "data")}))
        page = stack.enter_context(chromium()).new_page()
        yield _speed(page, site, minute(folder / "minute.mp4"))
        film = long_film(folder / "film.mp4")
        what = f"memory over the page's, a film of {film.stat().st_size // MB} MB"
        yield limit(what, _memory(page, site, film), "MB", MOST_MEMORY)
        pressed = httpx.get(f"{site}/protect/picture/", headers={"Accept-Encoding": "br"})
        weight = int(pressed.headers["Content-Length"]) / 1000
        yield limit("the page with all that videos need, as sent", weight, "KB", MOST_PAGE)


def minute(path: Path) -> Path:
    """A minute of 720p with 30 frames a second, of ordinary making."""
    codec = _clips.Codec("libx264", ".mp4", {"preset": "medium", "crf": "20"})
    return _clips.write(path, _clips.panned(7, 30 * MINUTE, size=(1280, 720), fps=30), fps=30, codec=codec)


def long_film(path: Path) -> Path:
    """Two seconds of a grainy 720p with 30 frames a second, again and again, until it is as large as a film."""
    grain = np.random.default_rng(1).integers(0, 120, (4, 720, 1280, 3), np.uint8)
    shown = [frame // 2 + grain[number % 4] for number, frame in enumerate(_clips.panned(9, 60, size=(1280, 720)))]
    base = Fraction(1, 90_000)
    with av.open(path, "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "18", "g": "30"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.time_base = base
        frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in shown]
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = 3000 * number, base
        once = [(bytes(packet), packet.is_keyframe) for frame in [*frames, None] for packet in stream.encode(frame)]
        for number in range(FILM * len(once) // sum(len(content) for content, _ in once)):
            content, key = once[number % len(once)]
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = stream, base, key
            packet.pts = packet.dts = 3000 * number
            file.mux(packet)
    return path


def _speed(page: Page, site: str, path: Path) -> Row:
    """Seconds until the page says that a minute is ready, and until a player has shown each of its seconds."""
    page.goto("about:blank")
    page.set_content("<input type=file>")
    page.set_input_files("input", path)
    milliseconds, frames = page.evaluate(SEEK)
    if frames != MINUTE:
        raise RuntimeError(f"the player showed {frames} seconds")
    ours = _choose(page, site, path)
    return {
        "what": "60 s of 720p H.264 in Chromium, chosen to ready",
        "ours": ours,
        "peer": milliseconds / 1000,
        "peer_name": "<video> seeking + canvas",
        "ratio": milliseconds / 1000 / ours,
        "unit": "s",
        "target": f"<= {MOST_SECONDS} s, > 1x",
        "met": ours <= MOST_SECONDS and ours < milliseconds / 1000,
    }


def _choose(page: Page, site: str, path: Path) -> float:
    """Seconds until a video is ready."""
    page.goto(f"{site}/protect/picture/")
    page.locator("#flow").wait_for()
    began = time.perf_counter()
    page.set_input_files("#picture", path)
    page.locator(".picture[data-state=ready]").wait_for(timeout=600_000)
    return time.perf_counter() - began


def _memory(page: Page, site: str, path: Path) -> float:
    """MB that all of Chromium holds on top of what it held with the page open, at the most, while it works."""
    page.goto(f"{site}/protect/picture/")
    page.locator("#flow").wait_for()
    time.sleep(1)
    base = held = _held()
    done = threading.Event()

    def watch() -> None:
        nonlocal held
        while not done.wait(0.1):
            held = max(held, _held())

    watcher = threading.Thread(target=watch)
    watcher.start()
    page.set_input_files("#picture", path)
    page.locator(".picture[data-state=ready]").wait_for(timeout=600_000)
    done.set()
    watcher.join()
    return (held - base) / MB


def _held() -> int:
    """Each process's own bytes and its share of those that several have."""
    total = 0
    for each in psutil.Process().children(recursive=True):
        try:
            if "chrom" in each.name():
                total += each.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total
