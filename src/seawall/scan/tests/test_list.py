"""The listing: the same order everywhere, slices that follow from it alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.scan import listing
from seawall.scan.listing import Entry

if TYPE_CHECKING:
    from pathlib import Path


def test_folders_are_walked_in_the_order_of_whole_paths(tmp_path: Path) -> None:
    paths = ["a.b", "a/b", "a/c/d", "a-b", "ab", "a0", "Z", "é", "a/c.d", "a/c-d"]
    for path in paths:
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).touch()
    found = [entry.path for entry in listing.list_files(listing.place(str(tmp_path)))]
    assert found == sorted(paths, key=os.fsencode)


def test_a_name_that_looks_like_an_address_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "simplecache::memory").mkdir()
    (tmp_path / "simplecache::memory/x.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert [entry.path for entry in listing.list_files(listing.place("simplecache::memory"))] == ["x.jpg"]


@pytest.mark.parametrize("source", ["nonsense://there", "s3://"])
def test_an_address_nobody_can_read_is_said_so(source: str) -> None:
    with pytest.raises(listing.CannotList):
        list(listing.list_files(listing.place(source)))


@given(
    st.lists(
        st.builds(Entry, st.text(min_size=1), st.none() | st.integers(0, 1 << 40), st.text(), st.text()), max_size=80
    )
)
def test_slices_hold_every_entry_once_and_are_named_by_what_they_hold(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]
) -> None:
    path = tmp_path_factory.mktemp("listing") / "listing"
    count = max(listing.write(iter(entries), path), default=0)
    cut = list(listing.slices(path, count))
    assert [entry for piece in cut for entry in piece.entries] == entries
    assert cut == list(listing.slices(path, count))
    assert len({piece.name for piece in cut}) == len(cut)
    if entries:
        changed = [entries[0]._replace(stamp=f"{entries[0].stamp}."), *entries[1:]]
        list(listing.write(iter(changed), path))
        assert next(listing.slices(path, count)).name != cut[0].name


@pytest.mark.parametrize(
    ("files", "pieces", "largest"), [(1, 1, 1), (100, 7, 16), (40_960, 256, 160), (300_000, 300, 1000)]
)
def test_slices_are_small_for_small_catalogues_and_never_large(
    tmp_path: Path, files: int, pieces: int, largest: int
) -> None:
    list(listing.write((Entry(f"{number:06}", 1, "") for number in range(files)), tmp_path / "listing"))
    sizes = [len(piece.entries) for piece in listing.slices(tmp_path / "listing", files)]
    assert (len(sizes), max(sizes), sum(sizes)) == (pieces, largest, files)
