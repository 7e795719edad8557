"""The browser's builds give the bits of all others, in a real browser, and are what their source builds."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import numpy as np
import pytest

from kernel import build, make_vectors
from seawall.hashing import Plane, pdq

if TYPE_CHECKING:
    from playwright.sync_api import Page

SUITE = json.loads(make_vectors.VECTORS.read_text(encoding="utf-8"))
SCRIPT = Path(__file__).with_name("vectors.js")


def wasm(name: str) -> str:
    return base64.b64encode((build.KERNEL / name).read_bytes()).decode()


@pytest.mark.browser
@pytest.mark.parametrize("name", build.WASM)
def test_chromium_gives_the_suites_fingerprints(page: Page, name: str) -> None:
    page.add_script_tag(path=SCRIPT)
    assert page.evaluate("([wasm, suite]) => differences(wasm, suite)", [wasm(name), SUITE]) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", build.WASM)
def test_chromium_gives_the_librarys_bits_for_pictures_of_any_size(page: Page, name: str) -> None:
    page.add_script_tag(path=SCRIPT)
    rng = np.random.default_rng(20)
    for _ in range(40):
        height, width = rng.integers(5, 300, 2).tolist()
        rgb = (np.cumsum(rng.integers(0, 7, (height, width, 3)), axis=0) % 256).astype(np.uint8)
        rows = base64.b64encode(np.dstack([rgb, rgb[:, :, 0]]).tobytes()).decode()
        strip = int(rng.integers(1, height + 1))
        got = page.evaluate("(a) => hashOf(...a)", [wasm(name), width, height, 4, rows, strip])
        made = pdq(rgb)
        assert got == {"quality": made.quality, "pdq": [view.hex() for view in made.dihedral()]}


@pytest.mark.browser
@pytest.mark.parametrize("name", build.WASM)
def test_chromium_gives_the_suites_views(page: Page, name: str) -> None:
    page.add_script_tag(path=SCRIPT)
    assert page.evaluate("([wasm, suite]) => wrongViews(wasm, suite)", [wasm(name), SUITE]) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", build.WASM)
def test_chromium_gives_the_librarys_windows_for_pictures_of_any_size(page: Page, name: str) -> None:
    page.add_script_tag(path=SCRIPT)
    rng = np.random.default_rng(21)
    for _ in range(12):
        height, width = rng.integers(5, 400, 2).tolist()
        rgb = (np.cumsum(rng.integers(0, 7, (height, width, 3)), axis=0) % 256).astype(np.uint8)
        rows = base64.b64encode(np.dstack([rgb, rgb[:, :, 0]]).tobytes()).decode()
        strip = int(rng.integers(1, height + 1))
        got = page.evaluate("(a) => windowsOf(...a)", [wasm(name), width, height, rows, strip])
        assert got == Plane.of(rgb).registered().hex()


@pytest.mark.browser
def test_the_readmes_question_whether_the_browser_has_simd_is_answered_yes(page: Page) -> None:
    readme = (build.KERNEL / "README.md").read_text(encoding="utf-8")
    module = re.search(r"WebAssembly\.validate\(new Uint8Array\((\[[\d,\s]+\])\)\)", readme)
    assert module
    assert page.evaluate(f"WebAssembly.validate(new Uint8Array({module[1]}))")


def test_the_download_stays_within_six_kilobytes() -> None:
    for name in build.WASM:
        assert len(brotli.compress((build.KERNEL / name).read_bytes())) <= 6 * 1024, name


def test_the_committed_webassembly_is_what_its_source_builds() -> None:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed; `make wasm-check` installs it and compares")
    assert build.check_wasm() == []
