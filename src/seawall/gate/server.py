"""The one process: the API, the follower's thread, the reporter's thread and the hashers."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from seawall.gate.api import Api
from seawall.gate.bank import BankCopy
from seawall.gate.check import Checker
from seawall.gate.config import BadSetting
from seawall.gate.feed import Feed
from seawall.gate.follower import Follower, Health
from seawall.gate.intake import Intake
from seawall.gate.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from starlette.applications import Starlette

    from seawall.gate.config import Config

Job = Callable[[threading.Event], None]
_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
]
log = structlog.get_logger()


def serve(config: Config) -> int:
    """Run a gate until it is told to stop; 0 after that, 1 after a crash.

    :raises BadSetting: another gate uses the folder, or the port is taken
    :raises UnknownSchema: a newer gate made the copy
    """
    _log_as_json()
    with ExitStack() as stack:
        stack.enter_context(_only_gate_in(config.data))
        _try_port(config.host, config.port)
        copy = BankCopy.open(config.data, now=time.time())
        stack.callback(copy.close)
        feed = stack.enter_context(Feed(config.feed, config.feed_key))
        index = copy.build_index(windows=config.windows)
        state = copy.state()
        health = Health(complete=state.complete, contact=time.monotonic() - max(0, time.time() - state.contact))
        intake = Intake(config.max_bytes, max_video_bytes=config.max_video_bytes, folder=config.data)
        stack.callback(intake.close)
        reporter = Reporter(feed, copy, health)
        follower = Follower(feed, copy, index, health, poll=config.poll_seconds, windows=config.windows)
        checker = Checker(copy, index, windows=config.windows, video_seconds=config.video_seconds)
        api = Api(
            key=config.check_key,
            checker=checker,
            copy=copy,
            index=index,
            health=health,
            intake=intake,
            reporter=reporter,
        )
        log.info("gate started", fingerprints=len(index))
        crashed = asyncio.run(_answer(api.app(), config, (follower.run, reporter.run), reporter.news.set))
    log.info("gate stopped")
    return 1 if crashed else 0


async def _answer(app: Starlette, config: Config, jobs: Sequence[Job], wake: Callable[[], None]) -> bool:
    """Answer requests, with each job in a thread, until a signal comes or a job crashes; whether one did."""
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    stop = threading.Event()
    crashed: list[str] = []

    def work(job: Job) -> None:
        try:
            job(stop)
        except Exception as error:  # an unforeseen one: stop the gate, so that whoever watches it starts it again
            log.exception("gate crashed")
            crashed.append(type(error).__name__)
            loop.call_soon_threadsafe(end.set)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end.set)
    server = _granian(app, config)
    serving = asyncio.create_task(server.serve())
    ending = asyncio.create_task(end.wait())
    crew = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in crew:
        thread.start()
    try:
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.set()
        wake()
        server.stop()  # type: ignore[no-untyped-call]
        ending.cancel()
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in crew))
        await serving
    return bool(crashed)


def _granian(app: Starlette, config: Config) -> Server:
    """One worker inside this process: a kill takes everything at once, and nothing answers without its follower."""
    return Server(
        app,
        address=config.host,
        port=config.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        log_level=LogLevels.error,
        log_dictconfig={
            "formatters": {"json": {"()": structlog.stdlib.ProcessorFormatter, "processors": _PROCESSORS}},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "stream": sys.stderr}},
            "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
        },
        log_access=False,
    )


def _try_port(host: str, port: int) -> None:
    """Fail in words: granian's own failure is a page of Rust."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise BadSetting(f"We cannot answer on {host} port {port}: {error.strerror}. Give another --port.") from error


def _log_as_json() -> None:
    """One JSON object a line on stderr. No line holds content, a name, an address or an entry."""
    structlog.configure(processors=_PROCESSORS, logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@contextmanager
def _only_gate_in(folder: Path) -> Iterator[None]:
    """Hold the folder. A second gate would take pages of the feed that the first one's index never sees."""
    with (folder / "gate.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadSetting(f"Another gate uses {folder}. Stop it, or give this one a folder of its own.") from error
        yield
