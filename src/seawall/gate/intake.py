"""Reading what is sent to /check within a set memory, whoever sends it.

Pictures stay in memory. A video goes to the gate's folder as a file without a name, which is gone when it is closed,
or the process ends, however it ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from seawall.hashing.videos import HEAD_BYTES, is_video

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from starlette.datastructures import Headers
    from starlette.requests import Request

Answer = TypeVar("Answer")

JSON_BYTES = 4096  # a fingerprint is 90 bytes
BODY_SECONDS = 60  # a sender slower than 1 MB/s may not hold memory for ever
BODIES = 4  # bodies of the largest size held at once; of 5 MB photos that is some fifty
WAITING = 64  # checks that may wait for a hasher
VIDEOS = 2  # on disk at once
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


class Upload:
    """The file of a form: a picture in memory, or a video on disk. Starlette's parser writes it."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._file: BinaryIO = io.BytesIO()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._rolled = False  # Starlette reads this: what is on disk it writes in a thread

    def write(self, data: bytes) -> None:
        """Add to it. With its first bytes it shows what it is."""
        had = self._file.tell()
        self._file.write(data)
        if self._rolled:
            self._md5.update(data)
        elif had < HEAD_BYTES <= had + len(data) and is_video(self._head()):
            self.spill()

    def tell(self) -> int:
        """How much was written."""
        return self._file.tell()

    def spill(self) -> None:
        """Go to disk."""
        content = bytes(self._in_memory().getbuffer())
        self._md5.update(content)
        self._file = self._body.spill()
        self._file.write(content)
        self._rolled = True

    def seek(self, at: int) -> None:
        """Starlette calls it at the file's end, with 0."""
        if not self._rolled and is_video(self._head()):
            self.spill()  # shorter than a head
        self._file.seek(at)

    def close(self) -> None:
        """Forget it."""
        self._file.close()

    def _in_memory(self) -> io.BytesIO:
        assert isinstance(self._file, io.BytesIO)  # noqa: S101 - until it is spilt
        return self._file

    def _head(self) -> bytes:
        with self._in_memory().getbuffer() as content:
            return bytes(content[:HEAD_BYTES])

    @property
    def video(self) -> tuple[BinaryIO, bytes] | None:
        """The file and its MD5, if it is one."""
        return (self._file, self._md5.digest()) if self._rolled else None

    def picture(self) -> bytes:
        """All of it."""
        return self._in_memory().getvalue()


class _Parser(MultiPartParser):
    """Starlette's parser, with our files instead of its own: no picture is ever written anywhere."""

    def __init__(self, headers: Headers, body: Body) -> None:
        super().__init__(headers, body.chunks(), max_files=1, max_fields=8)
        self._body = body

    def on_headers_finished(self) -> None:
        """A part begins; if it is a file, it is one of ours."""
        super().on_headers_finished()
        if (part := self._current_part.file) is not None:
            part.file.close()
            part.file = Upload(self._body)  # type: ignore[assignment] # as much of a file as the parser asks for
            self._files_to_close_on_error.append(part.file)  # type: ignore[arg-type]


class Intake:
    """What is being read and worked on. One event loop uses it."""

    def __init__(self, max_bytes: int, *, max_video_bytes: int, folder: Path) -> None:
        """``folder``: where videos lie while they are looked at."""
        self.max_bytes, self.max_video_bytes, self.folder = max_bytes, max_video_bytes, folder
        self.budget = BODIES * max_bytes
        self.held = 0
        self.videos = 0
        self._checks = 0
        self._hashers = ThreadPoolExecutor(HASHERS, thread_name_prefix="hasher")
        # Apart, because a video may take two minutes, in which pictures must not wait.
        self._watchers = ThreadPoolExecutor(VIDEOS, thread_name_prefix="watcher")

    def close(self) -> None:
        """Let the checks at work end."""
        self._hashers.shutdown()
        self._watchers.shutdown()

    async def work(self, job: Callable[[], Answer], *, video: bool = False) -> Answer:
        """Run a job on one of the hashers, or of those that look at a ``video``.

        :raises Refusal: too many wait already
        """
        if video:  # there are no more of these than hands
            return await asyncio.get_running_loop().run_in_executor(self._watchers, job)
        if self._checks >= HASHERS + WAITING:
            raise _busy()
        self._checks += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashers, job)
        finally:
            self._checks -= 1

    @contextmanager
    def body(self, request: Request, limit: int) -> Iterator[Body]:
        """The request's body, counted against its own limit and the limit of all together, until the block ends.

        :raises Refusal: its sender says that it is larger than anything we take
        """
        most = max(limit, self.max_video_bytes) if limit == self.max_bytes else limit
        if int(request.headers.get("content-length", "0")) > most:
            raise self.too_large()
        body = Body(self, request, limit)
        try:
            yield body
        finally:
            body.release()

    def too_large(self) -> Refusal:
        """What is sent is over a limit."""
        sizes = [f"{size / (1 << 20):g} MiB" for size in (self.max_bytes, self.max_video_bytes)]
        return Refusal(413, f"That is too large. Send a picture of up to {sizes[0]}, or a video of up to {sizes[1]}.")


class Body:
    """What one request sends."""

    def __init__(self, intake: Intake, request: Request, limit: int) -> None:
        self._intake, self._request, self._limit = intake, request, limit
        self._taken = 0
        self._on_disk = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """It, piece by piece.

        :raises Refusal: it goes beyond a limit
        """
        async for chunk in self._request.stream():
            self._taken += len(chunk)
            if not self._on_disk:
                self._intake.held += len(chunk)
            if self._taken > self._limit:
                raise self._intake.too_large()
            if self._intake.held > self._intake.budget:
                raise _busy()
            yield chunk

    def spill(self) -> BinaryIO:
        """It is a video: from here on it goes to disk, has another limit, and counts as one of a few.

        :raises Refusal: there are enough
        """
        if self._intake.videos >= VIDEOS:
            raise _busy()
        self._intake.videos += 1
        self._intake.held -= self._taken
        self._on_disk = True
        self._limit = self._intake.max_video_bytes
        if self._taken > self._limit:
            raise self._intake.too_large()
        return tempfile.TemporaryFile(dir=self._intake.folder)

    def release(self) -> None:
        """It is no longer held."""
        if self._on_disk:
            self._intake.videos -= 1
        else:
            self._intake.held -= self._taken
        self._taken, self._on_disk = 0, False


async def read_all(body: Body) -> bytes:
    """A small body, whole."""
    async with _in_time():
        return b"".join([chunk async for chunk in body.chunks()])


@asynccontextmanager
async def read_upload(headers: Headers, body: Body) -> AsyncGenerator[Upload, None]:
    """The one file in the multipart field ``file``, which is gone when the block ends.

    :raises Refusal: the form is not that
    """
    try:
        async with _in_time():
            form = await _Parser(headers, body).parse()
    except (MultiPartException, ValueError, LookupError) as error:  # the latter: a codec it names, and cannot use
        raise _not_one_picture() from error
    try:
        files = form.getlist("file")
        if len(files) != 1 or not isinstance(files[0], UploadFile):
            raise _not_one_picture()
        yield files[0].file  # type: ignore[misc] # `_Parser` put it there
    finally:
        await form.close()


def _not_one_picture() -> Refusal:
    return Refusal(422, "Send one picture or video, as a file in the multipart field `file`.")


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
