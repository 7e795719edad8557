"""What the gate is told at its start, checked before anything runs (docs/operating/gate.md)."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY_FILE = "check.key"
SHORTEST_KEY = 16
MAX_BYTES = 64 << 20  # the largest photos of phones are 30 MB; a 100-megapixel JPEG is 60
MAX_VIDEO_BYTES = 512 << 20
POLL_SECONDS = 0.5
VIDEO_SECONDS = 120  # of one core, for one upload


class BadSetting(ValueError):
    """A setting that cannot be used. Says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Config:
    """One gate."""

    feed: str  # the exchange's own API: http://HOST:PORT/api
    feed_key: str
    data: Path
    host: str
    port: int
    check_key: str
    poll_seconds: float
    max_bytes: int
    max_video_bytes: int
    video_seconds: int  # of one core, for one upload
    windows: bool  # look for pictures inside of uploads, too


def read(
    *, feed: str, key: str | None, check_key: str | None, data: Path, host: str, port: int, environ: Mapping[str, str]
) -> Config:
    """The configuration from the command's options and SEAWALL_* variables.

    :raises BadSetting: one of them cannot be used
    """
    proxied = _flag(environ, "SEAWALL_BEHIND_PROXY")
    if not (proxied or is_loopback(host)):
        raise BadSetting(
            f"{host} can be reached from other machines, and the gate answers without encryption. "
            "Put a TLS proxy in front and set SEAWALL_BEHIND_PROXY=1."
        )
    if not 1 <= port <= 65535:  # noqa: PLR2004 - TCP
        raise BadSetting(f"--port {port} is not a port. Give one from 1 to 65535.")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Config(
        feed=_address(feed, proxied=proxied),
        feed_key=_key("--key or SEAWALL_GATE_FEED_KEY", key or environ.get("SEAWALL_GATE_FEED_KEY", "")),
        data=data,
        host=host,
        port=port,
        check_key=_check_key(check_key or environ.get("SEAWALL_GATE_KEY"), data),
        poll_seconds=_number(environ, "SEAWALL_GATE_POLL_SECONDS", POLL_SECONDS, 0.01, 60),
        max_bytes=int(_number(environ, "SEAWALL_GATE_MAX_BYTES", MAX_BYTES, 1 << 10, 1 << 30)),
        max_video_bytes=int(_number(environ, "SEAWALL_GATE_MAX_VIDEO_BYTES", MAX_VIDEO_BYTES, 1 << 10, 1 << 34)),
        video_seconds=video_seconds(environ),
        windows=looks(environ),
    )


def video_seconds(environ: Mapping[str, str]) -> int:
    """How long one video may be decoded, in seconds of one core.

    :raises BadSetting: the setting is no such number
    """
    return int(_number(environ, "SEAWALL_GATE_VIDEO_SECONDS", VIDEO_SECONDS, 1, 3600))


def looks(environ: Mapping[str, str]) -> bool:
    """Whether to look for pictures inside of uploads; else each upload is compared as a whole.

    :raises BadSetting: the setting is neither
    """
    said = environ.get("SEAWALL_GATE_LOOKS") or "all"
    if said not in {"all", "plain"}:
        raise BadSetting(f"SEAWALL_GATE_LOOKS is {said!r}. Set it to all or plain, or leave it out.")
    return said == "all"


def is_loopback(host: str | None) -> bool:
    """Whether only this machine can reach that address."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _address(feed: str, *, proxied: bool) -> str:
    try:
        url = urlsplit(feed)
        usable = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadSetting(f"--feed {feed} is not a web address. It looks like https://exchange.example/api.")
    if url.scheme == "http" and not (proxied or is_loopback(url.hostname)):
        raise BadSetting(
            f"--feed {feed} would send your key unencrypted. Use https, "
            "or set SEAWALL_BEHIND_PROXY=1 if a tunnel encrypts it."
        )
    return feed


def _key(name: str, key: str) -> str:
    if len(key) < SHORTEST_KEY or not (key.isascii() and key.isprintable()) or " " in key:
        raise BadSetting(f"{name} needs a key of {SHORTEST_KEY} characters or more, without spaces.")
    return key


def _check_key(given: str | None, data: Path) -> str:
    """The key platforms send with a check: the one given, or one made once and kept beside the copy."""
    if given:
        return _key("--check-key or SEAWALL_GATE_KEY", given)
    path = data / KEY_FILE
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    return _key(str(path), path.read_text().strip())


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    if value not in {"", "0", "1"}:
        raise BadSetting(f"{name} is {value!r}. Set it to 1, or leave it out.")
    return value == "1"


def _number(environ: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = most + 1
    if not least <= value <= most:
        raise BadSetting(f"{name} is {text!r}. Set it to a number from {least:g} to {most:g}, or leave it out.")
    return value
