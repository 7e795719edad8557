"""What a browser said, and whether anything of a picture is in it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_to_bytes

from tests.leaks.recorder import settle

if TYPE_CHECKING:
    from tests.leaks.recorder import Recorder

RUN = 16  # bytes in a row that can only come from the picture


def run_of_picture(traffic: bytes, file: bytes, pixels: bytes) -> bytes | None:
    """A run of the file or its pixels that the traffic holds, as it is or as hex or base64 in any alignment."""
    readings = [traffic, unquote_to_bytes(traffic.replace(b"+", b" "))]
    held = {text[at : at + RUN] for text in readings for at in range(len(text) - RUN + 1)}
    for secret in (file, pixels):
        writings = [secret, secret.hex().encode(), *(base64.b64encode(secret[shift:]) for shift in range(3))]
        for written in writings:
            for at in range(len(written) - RUN + 1):
                if written[at : at + RUN] in held:
                    return written[at : at + RUN]
    return None


def assert_one_post_left(recorder: Recorder, shown: str, file: bytes, pixels: bytes) -> None:
    settle(recorder, 1)
    said = recorder.bytes_to(recorder.site)
    requests = re.findall(rb"^([A-Z]+) (\S+) HTTP/1\.1\r\n", said, re.MULTILINE)
    posts = [path for method, path in requests if method != b"GET"]
    assert posts == [b"/protect/send/"]
    assert not [path for _, path in requests if b"?" in path or b"%" in path]
    assert b"\r\nCookie:" not in said
    assert b"\r\nReferer:" not in said

    body = said[said.index(b"POST /protect/send/") :].split(b"\r\n\r\n", 1)[1].split(b"\n")[0]
    assert list(parse_qs(body.decode())) == ["fingerprints"]
    assert parse_qs(body.decode())["fingerprints"][0].replace("\r\n", "\n") == shown

    assert run_of_picture(said, file, pixels) is None
    assert not recorder.bytes_to(recorder.other, recorder.tcp, recorder.udp)
    assert not sum(map(recorder.connections_to, (recorder.other, recorder.tcp, recorder.udp)))
