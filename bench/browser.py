"""The kernel in Chromium: WebAssembly against JavaScript, its share of the whole way, windows, and its download."""

from __future__ import annotations

import base64
import io
import os
import shutil
from pathlib import Path

import brotli
from playwright.sync_api import sync_playwright

from bench.hash import Row, limit, photo, row
from seawall.hashing import look

HERE = Path(__file__).parent
KERNEL = HERE.parent / "kernel"
BUILDS = ("pdq.wasm", "pdq-scalar.wasm")


def run() -> list[Row]:
    """Seven rows."""
    file = io.BytesIO()
    photo(4000, 3000).save(file, "JPEG", quality=90)
    jpeg = base64.b64encode(file.getvalue()).decode()
    wasm = _base64(BUILDS[0])
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
        page = browser.new_page()
        for script in ("pdq.js", "browser.js"):
            page.add_script_tag(path=HERE / script)
        step = page.evaluate("(a) => hashStep(...a)", [wasm, jpeg, 15])
        way = page.evaluate("(a) => wholeWay(...a)", [wasm, jpeg, 9])
        windows = page.evaluate("(a) => allWindows(...a)", [wasm, jpeg, 9])
        scalar = page.evaluate("(a) => allWindows(...a)", [_base64(BUILDS[1]), jpeg, 5])
        browser.close()
    made, plane = look(file.getvalue())
    here = made.pdq
    if {windows["windows"], scalar["windows"]} != {base64.b64encode(plane.registered()).decode()}:
        raise AssertionError("the browser and the library made different windows of one file")
    if (step["hex"], step["quality"]) != (here.hex, here.quality):
        raise AssertionError("the browser and the library made different fingerprints of one file")
    return [
        row("hash step in Chromium, 12 MP", step["ours"], step["peer"], 10, peer_name="plain JavaScript"),
        limit("the hash step's share of file -> fingerprint, 12 MP", 100 * way["share"], "%", 15),
        limit("file -> fingerprint and all windows, 12 MP", windows["whole"], "ms", 1500),
        limit("of which the windows, once the pixels are read", windows["last"], "ms", 100),
        limit("the same in a browser without SIMD, all", scalar["whole"], "ms", 1500),
        *(limit(f"download of {build}, brotli", _packed(build), "B", 6 * 1024) for build in BUILDS),
    ]


def _base64(build: str) -> str:
    return base64.b64encode((KERNEL / build).read_bytes()).decode()


def _packed(build: str) -> int:
    return len(brotli.compress((KERNEL / build).read_bytes()))
