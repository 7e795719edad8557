"""Starts the processes of the demo and waits until each answers."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from seawall.cli.demo.photo import landscape

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

# The three platforms of the helpline's pilot.
PLATFORMS = ("facebook", "messenger", "instagram")
START_SECONDS = 60


@dataclass(frozen=True)
class Demo:
    """Where each part answers."""

    site: str
    gate: str
    platform: str
    gate_key: str
    sample: Path
    processes: tuple[subprocess.Popen[bytes], ...]

    def wait(self) -> None:
        """Stay until Ctrl-C, or until a part ends by itself."""
        while all(process.poll() is None for process in self.processes):
            time.sleep(0.5)
        print("One part of the demo ended by itself; its message stands above.", file=sys.stderr)


def start(stack: ExitStack, *, folder: Path, port: int) -> Demo:
    """Start site, gate and platform on ``port`` and the next two (0: any that are free).

    :raises SystemExit: a port is taken, or a part did not come up
    """
    ports = [_free_port(port + i if port else 0) for i in range(3)]
    site, gate, platform = (f"http://127.0.0.1:{each}" for each in ports)
    gate_key = secrets.token_hex(24)  # hex: never begins with a dash
    sample = folder / "sample.jpg"
    landscape(1).save(sample, quality=92)

    serve = _seawall(stack, "serve", "--port", str(ports[0]), "--data", str(folder / "site"))
    _until_ready(f"{site}/health/", serve)
    added = subprocess.run(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "seawall.cli",
            "partner",
            "add",
            "Example Platform",
            "--platform",
            *PLATFORMS,
            "--json",
            "--data",
            str(folder / "site"),
        ],
        check=True,
        stdout=subprocess.PIPE,
    )
    key = json.loads(added.stdout)["api"]
    follow = _seawall(
        stack,
        *("gate", "serve", "--feed", f"{site}/api", "--key", key, "--port", str(ports[1])),
        *("--data", str(folder / "gate"), "--check-key", gate_key),
    )
    _until_ready(f"{gate}/status", follow)
    sample_platform = _start(
        stack,
        [sys.executable, "-m", "seawall.cli.demo.platform", str(ports[2])],
        {"DEMO_GATE": gate, "DEMO_GATE_KEY": gate_key},
    )
    _until_ready(platform, sample_platform)
    return Demo(site, gate, platform, gate_key, sample, (serve, follow, sample_platform))


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            raise SystemExit(f"seawall: port {wanted} is taken. Try `.venv/bin/seawall demo --port 9000`.") from None
        port: int = probe.getsockname()[1]
        return port


def _seawall(stack: ExitStack, *arguments: str) -> subprocess.Popen[bytes]:
    return _start(stack, [sys.executable, "-m", "seawall.cli", *arguments], {})


def _start(stack: ExitStack, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that its children end with it."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue


def _until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"seawall: {url} did not come up. Its message stands above.")
