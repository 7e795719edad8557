"""The ZIP of a bundle, and the signature over every byte of it that stands in its comment. docs/spec/bundle.md."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zipfile
from typing import IO, TYPE_CHECKING

from seawall.lib import signatures

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"seawall bundle 1\n"
COMMENT_BYTES = len(MAGIC) + 64
PIECE = 1 << 20
# What is read whole. A log of 100,000 lines has 40 MB; a stamp with its certificates less than 20 KB.
TEXT_BYTES, STAMP_BYTES = 64 << 20, 1 << 20
_END = struct.Struct("<4s4H2IH")
_NAME = re.compile(
    r"case\.json|manifest\.json|custody\.jsonl|record\.json|README\.txt"
    r"|exhibits/[A-Za-z0-9][A-Za-z0-9._-]{0,99}|stamps/[0-9a-f]{64}-[12]\.tsr"
)
NEEDED = ("README.txt", "case.json", "custody.jsonl", "manifest.json")
# zipfile's ways to say that bytes are no ZIP of its liking.
_UNREADABLE = (zipfile.BadZipFile, struct.error, NotImplementedError, RuntimeError, EOFError, OverflowError, ValueError)


class BadBundle(ValueError):
    """Not a bundle. Holds a sentence for whoever checks it."""


class Archive:
    """An open bundle: which entries it has, and their bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        """Look at its end and at the list of its entries.

        :raises BadBundle: it is no bundle of version 1
        """
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._signature = self._read_signature()
        try:
            self._zip = zipfile.ZipFile(file)
        except _UNREADABLE as error:
            raise BadBundle("The list of its files cannot be read.") from error
        self.sizes = {each.filename: each.file_size for each in self._zip.infolist()}
        self._check_entries()

    def is_signed_by(self, key: bytes) -> bool:
        """Whether that key's owner signed this file as it is, byte for byte."""
        digest, left = hashlib.sha512(), self._size - COMMENT_BYTES
        self._file.seek(0)
        while left and (piece := self._file.read(min(PIECE, left))):
            digest.update(piece)
            left -= len(piece)
        return signatures.verify(key=key, signature=self._signature, message=MAGIC + digest.digest())

    def read(self, name: str, limit: int = TEXT_BYTES) -> bytes:
        """All of an entry.

        :raises BadBundle: it is larger than that, or damaged
        """
        if self.sizes[name] > limit:
            raise BadBundle(f"{name} is larger than {limit:,} bytes.")
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """An entry, a piece at a time.

        :raises BadBundle: it is damaged
        """
        try:
            with self._zip.open(name) as entry:
                while piece := entry.read(PIECE):
                    yield piece
        except _UNREADABLE as error:
            raise BadBundle(f"{name} is damaged.") from error

    def _read_signature(self) -> bytes:
        length = _END.size + COMMENT_BYTES
        self._file.seek(max(0, self._size - length))
        tail = self._file.read(length)
        if len(tail) < length or tail[:4] != b"PK\5\6" or not tail.startswith(MAGIC, _END.size):
            raise BadBundle("It is not a bundle, or its end is missing or was changed.")
        if _END.unpack_from(tail)[-1] != COMMENT_BYTES:
            raise BadBundle("It is not a bundle, or its end is missing or was changed.")
        return tail[-64:]

    def _check_entries(self) -> None:
        entries = self._zip.infolist()
        if len(self.sizes) != len(entries):
            raise BadBundle("It names a file twice.")
        for each in entries:
            if not _NAME.fullmatch(each.filename):
                raise BadBundle(f"It holds {ascii(each.filename)[:80]}, which is no part of a bundle.")
            if each.compress_type or each.flag_bits & 1 or each.compress_size != each.file_size:
                raise BadBundle(f"{each.filename} is not stored plainly.")
        if sum(self.sizes.values()) > self._size:
            raise BadBundle("Its files lie in one another.")
        if missing := [name for name in NEEDED if name not in self.sizes]:
            raise BadBundle(f"{missing[0]} is missing.")
