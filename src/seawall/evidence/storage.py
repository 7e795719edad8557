"""Where sealed files lie: a folder, or an S3 bucket (`bucket`). Each is a Django storage, named in settings.STORAGES.

`save` answers once the file would survive a power cut. `pieces` streams it. `files` lists what is there.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.core.files import File
from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 256 << 10


class Finished(File):  # type: ignore[type-arg]
    """A local file that the storage may take over: moved if that can be done, else copied."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        super().__init__(file, name=path.name)
        self.path = path

    def temporary_file_path(self) -> str:
        """What Django asks for to move a file instead of copying it."""
        return str(self.path)


class Folder(FileSystemStorage):
    """A folder on this machine's disk."""

    def __init__(self, location: Path) -> None:
        super().__init__(
            location=location,
            file_permissions_mode=0o600,
            directory_permissions_mode=0o700,
            allow_overwrite=True,  # of what a crash left between the move and the database
        )

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file.

        :raises FileNotFoundError: it is not there; at once, not when the first piece is asked for
        """
        return pieces_of(Path(self.path(name)).open("rb"))

    def files(self) -> Iterator[tuple[str, datetime]]:
        """Every file's name, and when it last changed."""
        root = Path(self.location)
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                try:
                    changed = path.stat().st_mtime
                except FileNotFoundError:  # erased meanwhile
                    continue
                yield path.relative_to(root).as_posix(), datetime.fromtimestamp(changed, UTC)

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        saved: str = super()._save(name, content)  # type: ignore[misc]
        path = Path(self.path(saved))
        for each in (path, path.parent, Path(self.location)):
            _sync(each)
        return saved


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """All of an open file, closed at the end."""
    with closing(file):
        while piece := file.read(PIECE):
            yield piece


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
