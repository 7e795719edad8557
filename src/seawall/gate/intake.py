"""Reading what is sent to /check within a set memory, whoever sends it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from starlette.datastructures import Headers
    from starlette.requests import Request

Answer = TypeVar("Answer")

JSON_BYTES = 4096  # a fingerprint is 90 bytes
BODY_SECONDS = 60  # a sender slower than 1 MB/s may not hold memory for ever
BODIES = 4  # bodies of the largest size held at once; of 5 MB photos that is some fifty
WAITING = 64  # checks that may wait for a hasher
HASHERS = (
    2  # checks at work at once; a picture may cost 600 MB (seawall.hashing.limits), so this bounds the largest cost
)


class Refusal(Exception):
    """A request we do not take. ``str()`` is the sentence for its sender."""

    def __init__(self, status: int, said: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(said)
        self.status, self.headers = status, headers or {}


def later(said: str) -> Refusal:
    """Not now, but in a second."""
    return Refusal(503, f"{said} Send it again in a second.", {"Retry-After": "1"})


def _busy() -> Refusal:
    return later("The gate has too much to do.")


class _InMemory(MultiPartParser):
    """Starlette's parser, without its files on disk: no upload is ever written anywhere."""

    spool_max_size = 0  # no limit here: `_Reading` counts every byte


class Intake:
    """What is being read and worked on. One event loop uses it."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._budget = BODIES * max_bytes
        self._held = 0
        self._checks = 0
        self._hashers = ThreadPoolExecutor(HASHERS, thread_name_prefix="hasher")

    def close(self) -> None:
        """Let the checks at work end."""
        self._hashers.shutdown()

    async def work(self, job: Callable[[], Answer]) -> Answer:
        """Run a job on one of the hashers.

        :raises Refusal: too many wait already
        """
        if self._checks >= HASHERS + WAITING:
            raise _busy()
        self._checks += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashers, job)
        finally:
            self._checks -= 1

    @contextmanager
    def body(self, request: Request, limit: int) -> Iterator[AsyncGenerator[bytes, None]]:
        """The chunks of the request's body, counted against its own limit and the limit of all together.

        They count until the block ends. Beyond a limit the chunks raise `Refusal`.
        """
        taken = 0

        async def chunks() -> AsyncGenerator[bytes, None]:
            nonlocal taken
            async for chunk in request.stream():
                taken += len(chunk)
                self._held += len(chunk)
                if taken > limit:
                    raise self._too_large()
                if self._held > self._budget:
                    raise _busy()
                yield chunk

        if int(request.headers.get("content-length", "0")) > limit:
            raise self._too_large()
        try:
            yield chunks()
        finally:
            self._held -= taken

    def _too_large(self) -> Refusal:
        return Refusal(413, f"That is too large. Send a picture of up to {self.max_bytes / (1 << 20):g} MiB.")


async def read_all(chunks: AsyncGenerator[bytes, None]) -> bytes:
    """A small body, whole."""
    async with _in_time():
        return b"".join([chunk async for chunk in chunks])


async def read_picture(headers: Headers, chunks: AsyncGenerator[bytes, None]) -> bytes:
    """The content of the one file in the multipart field ``file``.

    :raises Refusal: the form is not that
    """
    try:
        async with _in_time():
            form = await _InMemory(headers, chunks, max_files=1, max_fields=8).parse()
    except (MultiPartException, ValueError, LookupError) as error:  # the latter: a codec it names, and cannot use
        raise _not_one_picture() from error
    try:
        files = form.getlist("file")
        if len(files) != 1 or not isinstance(files[0], UploadFile):
            raise _not_one_picture()
        return await files[0].read()
    finally:
        await form.close()


def _not_one_picture() -> Refusal:
    return Refusal(422, "Send one picture, as a file in the multipart field `file`.")


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None, None]:
    """Give up on a sender who does not keep up, or is gone."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError as error:
        raise Refusal(408, "The upload took too long. Send it again.") from error
    except ClientDisconnect as error:
        raise Refusal(400, "The upload ended early. Send it again.") from error
