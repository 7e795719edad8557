"""What a worker holds at once, and which index it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.hashing import MAX_FILE_BYTES
from seawall.matching import HashIndex, index_identity
from seawall.scan.listing import Entry
from seawall.scan.look import READ_BYTES, READ_FILES, Job, WrongIndex, _batches, scan_slice

if TYPE_CHECKING:
    from pathlib import Path

SIZES = st.none() | st.integers(0, MAX_FILE_BYTES) | st.integers(0, 3 * READ_BYTES // READ_FILES)


@given(st.lists(SIZES, max_size=100))
def test_it_reads_files_together_up_to_a_bound_or_one_alone(sizes: list[int | None]) -> None:
    entries = [Entry(f"{number}", size, "") for number, size in enumerate(sizes)]
    batches = list(_batches(entries))
    assert [entry for batch in batches for entry in batch] == entries
    for batch in batches:
        known = [entry.size for entry in batch if entry.size is not None]
        assert len(batch) == 1 or (len(batch) <= READ_FILES and sum(known) <= READ_BYTES)
        assert len(known) == len(batch) or sum(known) == 0, "a file of unknown size is read with others"


@pytest.mark.parametrize("kind", ["another", "missing"])
def test_a_node_with_another_index_file_is_named(catalogue: Path, index: Path, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "bank.index"
    if kind == "another":
        HashIndex.build(np.ones((1, 32), np.uint8), np.array([7], np.uint64)).save(other)
    job = Job(str(catalogue), str(other), index_identity(index))
    with pytest.raises(WrongIndex, match="does not have the same index file"):
        scan_slice(job, [Entry("text.jpg", 10, "")])


def test_an_index_keeps_its_identity_when_it_is_copied_and_only_then(index: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(index.read_bytes())
    HashIndex.build(np.ones((1, 32), np.uint8), np.array([7], np.uint64)).save(tmp_path / "a")
    HashIndex.build(np.ones((1, 32), np.uint8), np.array([8], np.uint64)).save(tmp_path / "b")
    assert index_identity(tmp_path / "copy") == index_identity(index)
    assert len({index_identity(path) for path in (index, tmp_path / "a", tmp_path / "b")}) == 3
