"""The whole loop with a sample photo: protect, block, see, withdraw. Prints each step with its seconds."""

from __future__ import annotations

import hashlib
import io
import secrets
import time
from typing import TYPE_CHECKING, Any, cast

import httpx
from PIL import Image

from seawall.cli.demo.photo import landscape
from seawall.hashing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from seawall.cli.demo.parts import Demo

WAIT_SECONDS = 20


class Table:
    """Prints a step as it ends, and remembers whether all went well."""

    def __init__(self) -> None:
        self.well = True
        print(f"  {'step':<58} {'what happened':<14} seconds")

    def until(self, name: str, act: Callable[[], str], wanted: str) -> None:
        """Do ``act`` until it answers ``wanted``, for WAIT_SECONDS at most."""
        begin = time.perf_counter()
        while (result := act()) != wanted and time.perf_counter() - begin < WAIT_SECONDS:
            time.sleep(0.05)
        seconds = time.perf_counter() - begin
        note = "" if result == wanted else f"   <-- expected {wanted}"
        self.well &= result == wanted
        print(f"  {name:<58} {result:<14} {seconds:7.3f}{note}", flush=True)


def walk(demo: Demo) -> int:
    """Walk the loop once. 0 when every step did what it should."""
    table = Table()
    photo = demo.sample.read_bytes()
    stranger = _jpeg(landscape(2), 90)
    token = secrets.token_bytes(16)
    with httpx.Client(timeout=30) as client:

        def post(picture: bytes) -> str:
            answer = client.post(
                f"{demo.gate}/check",
                files={"file": picture},
                headers={"Authorization": f"Bearer {demo.gate_key}"},
            )
            return str(answer.raise_for_status().json()["verdict"])

        def receipt() -> dict[str, Any]:
            answer = client.post(f"{demo.site}/api/receipts/status", json={"token": token.hex()}).raise_for_status()
            return cast("dict[str, Any]", answer.json())

        def send() -> str:
            text = submission(token, photo)
            answer = client.post(f"{demo.site}/protect/send/", data={"fingerprints": text})
            return "accepted" if answer.is_success else f"refused {answer.status_code}"

        table.until("before: the platform lets the photo through", lambda: post(photo), "free")
        table.until("fingerprint made, only the fingerprint sent", send, "accepted")
        table.until("the same photo is stopped", lambda: post(photo), "match")
        for name, copy in copies(photo).items():
            table.until(f"{name} is stopped", lambda copy=copy: post(copy), "match")  # type: ignore[misc]
        table.until("an unrelated photo is let through", lambda: post(stranger), "free")
        table.until("the receipt shows what the platform stopped", lambda: _blocked(receipt()), "yes")
        table.until("withdrawn with the receipt", lambda: _withdraw(client, demo.site, token), "accepted")
        table.until("the same photo is let through again", lambda: post(photo), "free")
        table.until("the receipt says so", lambda: str(receipt()["state"]), "withdrawn")
    print("\nThe loop works." if table.well else "\nThe loop is broken: see the marked steps.")
    return 0 if table.well else 1


def submission(token: bytes, photo: bytes) -> str:
    """What the page sends for one picture (docs/spec/submission.md)."""
    made = fingerprint(photo)
    h = hashlib.sha256(token).hexdigest()
    return f"seawall fingerprints 1\nfor all\n{h} image {made.version} {made.pdq.hex} {made.pdq.quality}\n"


def copies(photo: bytes) -> dict[str, bytes]:
    """What happens to a picture on its way round: saved worse, smaller, mirrored, turned."""
    picture = Image.open(io.BytesIO(photo))
    return {
        "a copy saved at quality 30": _jpeg(picture, 30),
        "a copy at a third of the size": _jpeg(picture.resize((picture.width // 3, picture.height // 3)), 80),
        "a mirrored copy": _jpeg(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 80),
        "a copy turned by 90 degrees": _jpeg(picture.transpose(Image.Transpose.ROTATE_90), 80),
    }


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _blocked(status: dict[str, Any]) -> str:
    return "yes" if any(platform["blocked"] for platform in status["platforms"]) else "not yet"


def _withdraw(client: httpx.Client, site: str, token: bytes) -> str:
    answer = client.post(f"{site}/api/receipts/withdraw", json={"token": token.hex()})
    return "accepted" if answer.is_success else f"refused {answer.status_code}"
