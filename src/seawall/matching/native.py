"""The search in C (kernel/search.h), loaded by ctypes, which lets other threads run meanwhile."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seawall.hashing.native import DEFAULT_LANES

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIBRARY = Path(__file__).with_name("search.so")

# kernel/search.h
CHUNKS = 16
STARTS = 16 * 65_537
MOST_ROWS = (1 << 24) - 1  # of one segment: a row's number has 24 bits
BLOCK = 1 << 16  # bytes of a file that have one checksum
QUICKEST, BY_LISTS, BY_COMPARING = range(3)

HIT = np.dtype([("id", np.uint64), ("query", np.uint32), ("distance", np.uint32)])

_u64 = ctypes.c_uint64
_address = ctypes.c_void_p


class Segment(ctypes.Structure):
    """``search_segment``."""

    _fields_ = (
        ("rows", _u64),
        ("ids", _address),
        ("hashes", _address),
        ("dead", _address),
        ("starts", _address),
        ("next", _address),
        ("places", _address),
        ("file", _address),
        ("checksums", _address),
        ("sound", _address),
    )


class Answer(ctypes.Structure):
    """``search_answer``."""

    _fields_ = (
        ("hits", _address),
        ("room", _u64),
        ("found", _u64),
        ("wanted", _u64),
        ("done", _u64),
        ("damaged", ctypes.c_int64),
    )


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError as error:
        raise ImportError(
            f"The index's kernel is not built for this machine ({error}). Run `make kernel`, then try again."
        ) from error
    u32, number = ctypes.c_uint32, ctypes.c_int
    nothing = {
        "search_scatter": [_address, _u64, _address],
        "search_find": [_address, _address, _u64, u32, number, number, _address],
        "search_list_chunk": [_address, u32, _address],
        "search_wipe": [_address, _address, _u64],
        "search_checksums": [_address, _u64, _address],
    }
    truth = {
        "search_widest_lanes": [],
        "search_rows_of": [_address, _address, _u64, _address],
        "search_sound": [_address, _address, _u64],
        "search_starts_hold": [_address, _u64],
    }
    for name, takes in (nothing | truth).items():
        getattr(library, name).argtypes = takes
        getattr(library, name).restype = None if name in nothing else number
    return library


library = _load()

# What SEAWALL_SIMD allows, as far as this kernel can: its widest form asks more of a processor than the fingerprint's.
WIDEST: int = library.search_widest_lanes()
LANES = min(DEFAULT_LANES, WIDEST)


def scatter(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Fingerprints (N, 32) with their bits in the order of the search, (N, 4). Distances stay as they are."""
    hashes = np.ascontiguousarray(hashes)
    words = np.empty((len(hashes), 4), np.uint64)
    library.search_scatter(hashes.ctypes.data, len(hashes), words.ctypes.data)
    return words


def checksums(array: NDArray[np.generic]) -> NDArray[np.uint64]:
    """XXH64 of each block of an array's bytes, the last block filled up with zeros."""
    sums = np.empty(-(-array.nbytes // BLOCK), np.uint64)
    library.search_checksums(array.ctypes.data, array.nbytes, sums.ctypes.data)
    return sums
