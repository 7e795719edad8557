"""Pictures of every kind in every engine: Python's very bits; and HEIC, from the page that leads on to the POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage import data as photos

from seawall.hashing import distance, fingerprint
from seawall.hashing.tests.test_heic import heic, turned
from seawall.protect.tests.test_fingerprint import FILES as PICTURES
from seawall.protect.tests.test_heic import FILES as HEICS
from seawall.protect.tests.test_heic import saved_as
from tests.engines import press, send, shown, until
from tests.engines.chromium import Chromium
from tests.engines.firefox import Firefox
from tests.engines.webkit import WebKit
from tests.leaks.traffic import assert_one_post_left

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.live_server_helper import LiveServer

    from tests.engines import Engine
    from tests.leaks.recorder import Recorder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("engines")]


def test_a_heic_photo_is_protected_and_one_post_leaves(
    engine: Engine,
    recorder: Recorder,
    tmp_path: Path,
) -> None:
    """Of these three engines none opens it by itself: each leads to the page that does."""
    photo = tmp_path / "IMG_0001.HEIC"
    photo.write_bytes(heic(Image.fromarray(photos.coffee()), exif=turned(6), tile_size=256))  # type: ignore[no-untyped-call]
    engine.open(f"http://127.0.0.1:{recorder.site}/protect/picture/")
    engine.choose("#picture", photo)
    press(engine, ".picture [data-part=elsewhere]:not([hidden])")
    until(engine, "location.pathname === '/protect/picture/heic/' && document.readyState === 'complete'")
    engine.choose("#picture", photo)
    text = shown(engine, parts=True)
    made = fingerprint(photo).pdq
    assert f" image pdq1 {made.hex} {made.quality}\n" in text
    assert " image windows1 " in text
    send(engine)
    assert_one_post_left(recorder, text, photo.read_bytes(), np.asarray(pillow_heif.open_heif(photo)).tobytes())


# Whatever browsers open by themselves, and photos that only libheif does, on its page.
KINDS = {
    "/protect/picture/": [
        *("plain.jpg", "gray.jpg", "cmyk.jpg", "exif6.jpg", "profile.jpg", "alpha.png", "palette-alpha.png"),
        *("sixteen-bit.png", "lossy.webp", "alpha.webp", "still.gif", "moving.gif", "moving.webp", "picture.avif"),
        *("alpha.avif", "turned.avif", "profile.avif", "p3.avif", "moving.avif", "moving.png", "wrong-extension.gif"),
    ],
    "/protect/picture/heic/": [
        *("plain.heic", "full-colour.heic", "alpha.heic", "tiles-turned.heic", "turned5.heic", "exif-alone.heic"),
        *("ten-bits.heic", "profile-alpha.heic", "p3.heic", "several.heic", "avif-inside.heic", "large.heic"),
    ],
}


def p3_avif() -> bytes:
    """One that names its colours and holds no profile of them."""
    return saved_as("AVIF").replace(b"colrnclx\x00\x01", b"colrnclx\x00\x0c")


def moving_avif() -> bytes:
    photo = Image.fromarray(photos.coffee())  # type: ignore[no-untyped-call]
    return saved_as("AVIF", save_all=True, append_images=[photo.rotate(180)], duration=100)


# Bits by which engines differ where colours of a wider range are only named, not given by a profile in the file: each
# rounds in its own way, and WebKit does not convert those of an AVIF at all. Chromium mistakes a film's colours.
OFF: dict[type, dict[str, int]] = {
    Chromium: {"p3.avif": 4, "moving.avif": 6},
    Firefox: {"p3.avif": 4, "p3.heic": 4},
    WebKit: {"p3.avif": 12, "turned.avif": 24},
}


@pytest.mark.parametrize("path", KINDS)
def test_every_kind_of_file_has_the_very_bits_that_python_finds(
    engine: Engine,
    live_server: LiveServer,
    tmp_path: Path,
    path: str,
) -> None:
    expected = {}
    written = HEICS | {"p3.avif": p3_avif, "moving.avif": moving_avif}
    for name in KINDS[path]:
        if name in written:
            (tmp_path / name).write_bytes(written[name]())
        else:
            make, options = PICTURES[name]
            make().save(tmp_path / name, **options)
        expected[name] = fingerprint(tmp_path / name).pdq
    engine.open(f"{live_server.url}{path}")
    found = {}
    for name in expected:  # one by one: of two with the same bits the page shows one
        engine.choose("#picture", tmp_path / name)
        until(engine, "['ready', 'left-out'].includes(document.querySelector('.picture')?.dataset.state)")
        found[name] = engine.run("document.querySelector('.picture [data-part=hash]').textContent")
        press(engine, ".picture [data-part=remove]")
        until(engine, "!document.querySelector('.picture')")
    off = {name: distance(bytes.fromhex(found[name]), made.bits) for name, made in expected.items()}
    if isinstance(engine, WebKit) and "turned.avif" in off:
        # WebKitGTK shows an AVIF as if it were not turned, whatever the file says. A gate looks in all eight turns.
        found_as_it_lies = bytes.fromhex(found["turned.avif"])
        off["turned.avif"] = min(distance(found_as_it_lies, view) for view in expected["turned.avif"].dihedral())
    assert not {name: bits for name, bits in off.items() if bits > OFF[type(engine)].get(name, 0)}
