"""A picture's windows, from its pixels to a gate's index: each room reads what the one before wrote."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seawall.cli.demo.photo import landscape
from seawall.exchange import operations
from seawall.gate.bank import BankCopy
from seawall.gate.feed import Add, read_page
from seawall.hashing import look
from seawall.hashing.native import window_rectangles
from seawall.matching.looks import SLOT_BITS

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from PIL import Image

    from seawall.gate.feed import Page

HEAD = "seawall fingerprints 1\nfor all and future\n"


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def lines(content: bytes, token: bytes) -> str:
    """What the page writes for a picture."""
    made, plane = look(content)
    h = hashlib.sha256(token).hexdigest()
    windows = plane.registered()
    text = base64.urlsafe_b64encode(windows).decode()
    return f"{h} image pdq1 {made.pdq.hex} {made.pdq.quality}\n{h} image windows1 {text} {windows[32]}\n"


def page_of(client: Client, key: str) -> Page:
    answer = client.get("/api/feed?windows=true&limit=1000", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    return read_page(answer.content)


@pytest.fixture
def key(db: None) -> str:  # noqa: ARG001 - opens the database
    from django.utils import timezone  # noqa: PLC0415

    return operations.add_partner(name="Meadow", slugs=["facebook"], now=timezone.now())["api"]


def test_a_part_of_a_protected_picture_is_found_by_a_window_the_page_sent(
    client: Client, key: str, tmp_path: Path
) -> None:
    photo = landscape(7, 1600, 1200)
    answer = client.post("/protect/send/", {"fingerprints": HEAD + lines(jpeg(photo), b"t" * 16)})
    assert answer.status_code == 200
    copy = BankCopy.open(tmp_path, now=0)
    page = page_of(client, key)
    index = copy.build_index()
    copy.apply(page, now=0).apply(index, windows=True)
    assert len(index) > 50
    assert len(copy.build_index(windows=False)) == 1

    # The part under one window, saved anew and smaller: the whole picture no longer matches, the window does.
    left, top, right, bottom = window_rectangles()[30] * np.array([photo.width, photo.height] * 2)
    part, _ = look(jpeg(photo.crop((round(left), round(top), round(right), round(bottom))).resize((900, 675))))
    hits = index.search(np.frombuffer(part.pdq.bits, np.uint8).reshape(1, 32), 31)
    entries = {owner.entry for owner in copy.bearers(int(number) >> SLOT_BITS for number in hits.id).values()}
    assert entries == {page.changes[0].entry}
    assert (
        len(copy.build_index(windows=False).search(np.frombuffer(part.pdq.bits, np.uint8).reshape(1, 32), 31).id) == 0
    )
    copy.close()


def test_a_form_of_a_hundred_pictures_with_windows_is_taken(client: Client, key: str) -> None:
    written = lines(jpeg(landscape(8, 640, 480)), b"t" * 16)
    first = written[:64]
    forms = [written.replace(first, hashlib.sha256(b"%d" % number).hexdigest()) for number in range(100)]
    answer = client.post("/protect/send/", {"fingerprints": (HEAD + "".join(forms)).replace("\n", "\r\n")})
    assert answer.status_code == 200
    page = page_of(client, key)
    assert len(page.changes) == 100
    assert {len(change.signals) for change in page.changes if isinstance(change, Add)} == {2}
