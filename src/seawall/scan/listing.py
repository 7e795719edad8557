"""What is in a folder or bucket: one line a file, always in the same order, and the slices that are scanned as one.

The order is that of the paths' bytes, which is how S3 lists. No listing is ever whole in memory: a folder's names are,
one folder at a time, and a thousand keys of a bucket.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A slice is what is lost when a worker dies, and what one line of progress stands for: 1,000 photos of 12 megapixels
# are 40 s of one core. A small catalogue has smaller ones, so that many workers share it; never so small that starting
# a slice (a few milliseconds) counts.
MOST_FILES, FEWEST_FILES, WANTED_SLICES = 1_000, 16, 256


class CannotList(Exception):
    """There is nothing to scan there, or we may not see it. The message is a sentence with the next step."""


class Entry(NamedTuple):
    """A file. ``stamp`` changes when its content does: the storage's tag or time of it."""

    path: str  # below the folder that is scanned; bytes that are no UTF-8 as surrogates
    size: int | None  # bytes, if the storage says
    stamp: str
    problem: str = ""  # why it is not even tried to be read


@dataclass(frozen=True, slots=True)
class Slice:
    """Neighbours in the listing, scanned as one. ``name`` says where it stands, and what it holds."""

    name: str
    entries: tuple[Entry, ...]


class Place(NamedTuple):
    """Where the files are: a file system of fsspec, and the folder in it without a slash at its end."""

    files: Any
    root: str


def place(source: str) -> Place:
    """The folder or bucket a person names.

    :raises CannotList: nothing we know speaks that protocol
    """
    if "://" not in source:  # never read as one of fsspec's chains, whatever the name looks like
        return Place(LocalFileSystem(), os.path.abspath(source).rstrip("/"))  # noqa: PTH100 - keeps odd bytes
    try:
        files, root = fsspec.url_to_fs(source, use_listings_cache=False)
    except ImportError as error:
        extra = "Install it: pip install 'seawall[s3]'" if source.startswith("s3:") else f"{error}."
        raise CannotList(f"Reading from {source.partition(':')[0]} needs one more part. {extra}") from error
    except ValueError as error:
        raise CannotList(f"We do not know how to read from {source.partition(':')[0]}://. {error}.") from error
    return Place(files, root.rstrip("/"))


def list_files(at: Place) -> Iterator[Entry]:
    """Every file below the folder, in the order of the paths' bytes.

    :raises CannotList: there is nothing, we may not see it, or the storage lists in no order
    """
    last: bytes | None = None
    for entry in _unchecked(at):
        path = os.fsencode(entry.path)
        if last is not None and path <= last:
            raise CannotList("This storage does not list its files in order, so a scan could not be continued.")
        last = path
        yield entry


def _unchecked(at: Place) -> Iterator[Entry]:
    files, root = at
    try:
        if "s3" in files.protocol:
            yield from _keys(at)
        elif files.isdir(root or "/"):
            yield from _walk(files, root + "/", "")
        else:
            raise CannotList(f"There is no folder {root}. Check its name.")
    except (OSError, _storage_error(files)) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CannotList(f"We could not list what is there: {reason}. Check its name and your rights.") from error


def _storage_error(files: Any) -> type[Exception]:
    """What the storage's own library raises beside OSError: no credentials, no connection."""
    if "s3" not in files.protocol:
        return OSError
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - part of seawall[s3]

    error: type[Exception] = BotoCoreError
    return error


def _keys(at: Place) -> Iterator[Entry]:
    """A bucket's keys, a page at a time. s3fs' own ``find`` would hold all of them."""
    bucket, _, prefix = at.root.partition("/")
    prefix = f"{prefix}/" if prefix else ""
    onward: dict[str, str] = {}
    while True:
        page = at.files.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **onward)
        if not (onward or page.get("Contents")):
            raise CannotList(f"There is no folder {at.root} with anything in it. Check its name.")
        for item in page.get("Contents", ()):
            if not item["Key"].endswith("/"):  # stands for a folder
                yield Entry(item["Key"][len(prefix) :], item["Size"], item["ETag"].strip('"'))
        if not page.get("IsTruncated"):
            return
        onward = {"ContinuationToken": page["NextContinuationToken"]}


def _walk(files: Any, folder: str, below: str) -> Iterator[Entry]:
    """A folder and those in it. ``a.b`` stands before ``a/b``, as in a bucket: folders sort with their slash."""
    try:
        found = files.ls(folder + below, detail=True)
    except OSError as error:
        if not below:
            raise
        yield Entry(below, None, "", f"We could not open this folder: {_reason(error)}.")
        return
    named = []
    for info in found:
        name = info["name"].rstrip("/").rpartition("/")[2]
        named.append((f"{name}/" if info["type"] == "directory" else name, info))
    for name, info in sorted(named, key=lambda pair: os.fsencode(pair[0])):
        if info["type"] == "directory":
            yield from _walk(files, folder, below + name)
        else:
            yield _entry(files, below + name, info)


def _entry(files: Any, path: str, info: dict[str, Any]) -> Entry:
    """One file of a listing. Links to files count as files; other things would never end, or never begin."""
    if info.get("islink"):
        try:
            info = files.info(info["name"])
        except OSError:
            return Entry(path, None, "", "This is a link that leads nowhere.")
        if info["type"] == "directory":
            return Entry(path, None, "", "This is a link to a folder. Scan that folder by itself.")
    if info["type"] != "file":
        return Entry(path, None, "", "This is not an ordinary file.")
    stamp = info.get("ETag") or info.get("mtime") or info.get("LastModified") or info.get("updated") or ""
    return Entry(path, info.get("size"), str(stamp))


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def write(entries: Iterator[Entry], path: Path) -> Iterator[int]:
    """Write a listing, a JSON array a line, counting along."""
    with path.open("wb") as file:
        for count, entry in enumerate(entries, 1):
            file.write(json.dumps(entry).encode() + b"\n")
            yield count
        file.flush()
        os.fsync(file.fileno())


def digest(path: Path) -> str:
    """64 hex digits that name a written listing."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def slices(path: Path, files: int) -> Iterator[Slice]:
    """A written listing of so many files in slices: the same ones each time. An empty one is one empty slice."""
    size = min(max(-(-files // WANTED_SLICES), FEWEST_FILES), MOST_FILES)
    with path.open("rb") as file:
        for number in itertools.count():
            lines = list(itertools.islice(file, size))
            if not lines and number:
                return
            content = hashlib.sha256(b"".join(lines)).hexdigest()[:16]
            yield Slice(f"{number:08}-{content}", tuple(Entry(*json.loads(line)) for line in lines))
