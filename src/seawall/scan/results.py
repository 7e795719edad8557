"""The answers as Parquet: the same rows give the same bytes."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from seawall.scan.look import VERDICTS, Row

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("sha256", pa.string()),
        pa.field("pdq", pa.string()),
        pa.field("quality", pa.uint8()),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("ids", pa.list_(pa.uint64()), nullable=False),
        pa.field("distances", pa.list_(pa.uint8()), nullable=False),
        pa.field("views", pa.list_(pa.string()), nullable=False),
        pa.field("error", pa.string()),
    ]
)
_COUNT = b"seawall.scan."


def write(rows: list[Row], path: Path) -> Counter[str]:
    """Write a file of answers that is there whole or not at all; answers how many there are of each verdict."""
    counts = Counter(row.verdict for row in rows)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in SCHEMA]
    columns[0] = [_text(value) for value in columns[0]]
    said = {_COUNT + verdict.encode(): str(counts[verdict]).encode() for verdict in VERDICTS}
    table = pa.table(columns, SCHEMA.with_metadata(said))
    beside = path.with_name(f".{path.name}.half")
    with beside.open("wb") as file:
        pq.write_table(table, file, version="2.6", compression="zstd", row_group_size=1 << 20)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return counts


def counts(path: Path) -> Counter[str]:
    """How many answers of each verdict a file holds, from its end alone."""
    said = pq.read_metadata(path).metadata
    return Counter({verdict: int(said[_COUNT + verdict.encode()]) for verdict in VERDICTS})


def _text(path: str) -> str:
    r"""A path as UTF-8, which Parquet asks for: bytes that are none are written as ``\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
