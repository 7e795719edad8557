"""Listeners that write down everything a browser sends: two HTTP origins, bare TCP, and UDP."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# Whatever is asked for, this is the answer: readable across origins, and valid enough as script, style and page.
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\n/*"
)


@dataclass(slots=True)
class Line:
    """One connection (or one datagram) and the bytes that came over it."""

    port: int
    received: bytearray = field(default_factory=bytearray)


class Recorder:
    """Listens on loopback until closed.

    ``site`` forwards to a real server and records what the browser says to it; ``other`` is a second HTTP origin that
    answers everything; ``tcp`` accepts and says nothing; ``udp`` takes datagrams.
    """

    def __init__(self, *, forward_to: int | None = None) -> None:
        self.lines: list[Line] = []
        self._forward_to = forward_to
        self._open: list[socket.socket] = []
        self.other = self._listen(self._answer)
        self.tcp = self._listen(lambda _client, _line: None)
        self.udp = self._listen_udp()
        self.site = self._listen(self._forward) if forward_to else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._open:
            each.close()

    def bytes_to(self, *ports: int) -> bytes:
        """All bytes those ports received, a line each."""
        return b"\n".join(bytes(line.received) for line in self.lines if line.port in ports)

    def connections_to(self, port: int) -> int:
        """How often somebody connected to (or sent a datagram to) that port, with or without a word."""
        return sum(line.port == port for line in self.lines)

    def _listen(self, serve: Callable[[socket.socket, Line], None]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        self._open.append(server)

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                line = Line(port)
                self.lines.append(line)
                self._open.append(client)
                threading.Thread(target=self._quietly, args=(serve, client, line), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return port

    @staticmethod
    def _quietly(serve: Callable[[socket.socket, Line], None], client: socket.socket, line: Line) -> None:
        try:
            serve(client, line)
        except OSError:
            return  # the browser hung up; what it said before is recorded

    def _listen_udp(self) -> int:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        self._open.append(server)

        def receive() -> None:
            while True:
                try:
                    self.lines.append(Line(port, bytearray(server.recv(65536))))
                except OSError:
                    return

        threading.Thread(target=receive, daemon=True).start()
        return port

    @staticmethod
    def _answer(client: socket.socket, line: Line) -> None:
        while data := client.recv(65536):
            line.received += data
            if b"\r\n\r\n" in line.received:
                client.sendall(_ANSWER)
                client.shutdown(socket.SHUT_WR)

    def _forward(self, client: socket.socket, line: Line) -> None:
        assert self._forward_to is not None
        with socket.create_connection(("127.0.0.1", self._forward_to)) as server:

            def back() -> None:
                try:
                    while data := server.recv(65536):
                        client.sendall(data)
                    client.shutdown(socket.SHUT_WR)
                except OSError:
                    return

            threading.Thread(target=back, daemon=True).start()
            while data := client.recv(65536):
                line.received += data
                server.sendall(data)


def settle(recorder: Recorder, seconds: float) -> None:
    """Wait until nothing new has arrived for a moment, and at least that long."""
    end = time.monotonic() + seconds
    seen = -1
    while time.monotonic() < end or seen != len(recorder.lines):
        seen = len(recorder.lines)
        time.sleep(0.2)
