"""Looking for words that must not be there: on disks, in logs, in the memory of processes, however they are written."""

from __future__ import annotations

import base64
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import psutil

PIECE = 64 << 20  # of memory, at a time
_OVERLAP = 4096
_GZIP = b"\x1f\x8b\x08"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_UNPACKED = 16 << 20


def forms(mark: bytes) -> dict[str, bytes]:
    """How that may be written down: as it is, in UTF-16 and -32, hex, base64 at any place of a text, quoted."""
    found = {"plain": mark, "hex": mark.hex().encode(), "HEX": mark.hex().upper().encode()}
    with suppress(UnicodeDecodeError):
        text = mark.decode("ascii")
        found |= {name: text.encode(name) for name in ("utf-16-le", "utf-16-be", "utf-32-le")}
    for before in range(3):
        written = base64.b64encode(bytes(before) + mark)
        # Only characters whose six bits are all the mark's: what stands before and behind it does not change these.
        whole = written[-(-8 * before // 6) : 8 * (before + len(mark)) // 6]
        found[f"base64 at {before}"] = whole
        found[f"base64url at {before}"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    found["quoted"] = quote(mark).encode()
    return found


def find(marks: Mapping[str, bytes], places: Iterable[tuple[str, bytes]], *, packed: bool = True) -> set[str]:
    """Which mark stands where and in which form; with ``packed`` also inside of gzip and zlib streams."""
    needles = {f"{name} ({form})": needle for name, mark in marks.items() for form, needle in forms(mark).items()}
    hits = set()
    for place, content in places:
        for where, text in [(place, content), *(unpacked(place, content) if packed else ())]:
            hits |= {f"{what} in {where}" for what, needle in needles.items() if needle in text}
    return hits


def unpacked(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every stream of gzip or zlib that begins anywhere in there."""
    view = memoryview(content)
    for start, bits in [(_GZIP, 31), *((each, 15) for each in _ZLIB)]:
        at = content.find(start)
        while at >= 0:
            with suppress(zlib.error):
                text = zlib.decompressobj(bits).decompress(view[at : at + _UNPACKED], _UNPACKED)
                if len(text) > 8:
                    yield f"{place}, unpacked from byte {at}", text
            at = content.find(start, at + 1)


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below those folders, by its name, and its content."""
    for folder in folders:
        for path in sorted([folder] if folder.is_file() else folder.rglob("*")):
            with suppress(FileNotFoundError):  # a journal comes and goes
                if path.is_file():
                    yield str(path), path.name.encode() + b"\0" + path.read_bytes()


def memory(process: psutil.Process) -> Iterator[tuple[str, bytes]]:
    """Everything that a process could change in its memory: heap, stacks, buffers, its environment."""
    with Path(f"/proc/{process.pid}/maps").open() as maps, Path(f"/proc/{process.pid}/mem").open("rb", 0) as mem:
        for line in maps:
            span, rights, *_ = line.split()
            start, end = (int(each, 16) for each in span.split("-"))
            if not rights.startswith("rw"):
                continue
            for at in range(start, end, PIECE):
                with suppress(OSError, ValueError):  # a part that nobody may read
                    mem.seek(at)
                    yield f"memory of {process.pid} at {at:x}", mem.read(min(PIECE + _OVERLAP, end - at))
