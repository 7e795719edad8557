"""The C kernel (kernel/pdq.h), loaded by ctypes, which lets other threads run meanwhile."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIBRARY = Path(__file__).with_name("kernel.so")

# SEAWALL_SIMD -> the kernel's `lanes`. Every one gives the same bits; narrower is only slower.
LANES = {"portable": 0, "avx2": 1, "avx512": 2}

_ALIGNMENT = 64  # bytes, as pdq.h asks of the workspace
_HASHES = 8 * 32
_HEADER = 64  # of plane_t: kernel/plane.h

WINDOWS = 126  # slots of windows1, kernel/views.h
WINDOWS_BYTES = WINDOWS * 33

# A thread keeps its last workspace up to this size: new memory costs a small picture as much time as its hashing.
_KEPT_BYTES = 512 * 1024


def load(path: Path) -> ctypes.CDLL:
    """A build of the kernel, its functions' types said.

    :raises ImportError: it is not there, or not for this machine
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise ImportError(
            f"The fingerprint kernel is not built for this machine ({error}). Run `make kernel`, then try again."
        ) from error
    u32, address = ctypes.c_uint32, ctypes.c_void_p
    library.pdq_widest_lanes.argtypes = []
    library.pdq_workspace_bytes.argtypes = [u32, u32, u32]
    library.pdq_workspace_bytes.restype = u32
    library.pdq_begin.argtypes = [address, u32, u32, u32, ctypes.c_int]
    library.pdq_begin.restype = None
    library.pdq_rows.argtypes = [address, address, u32]
    library.pdq_rows.restype = None
    library.pdq_finish.argtypes = [address, address]
    library.plane_bytes.argtypes = [u32, u32]
    library.plane_bytes.restype = u32
    library.plane_begin.argtypes = [address, u32, u32]
    library.plane_begin.restype = None
    library.pdq_keep_plane.argtypes = [address, address]
    library.pdq_keep_plane.restype = None
    library.views_workspace_bytes.argtypes = [address]
    library.views_workspace_bytes.restype = u32
    library.views_begin.argtypes = [address, address, ctypes.c_int]
    library.views_begin.restype = None
    library.views_of.argtypes = [address, address, u32, address, address]
    library.views_of.restype = None
    library.windows_of.argtypes = [address, address]
    library.windows_of.restype = None
    library.windows_rectangles.argtypes = [address]
    library.windows_rectangles.restype = None
    library.plane_turned.argtypes = [address, address, ctypes.c_int64, ctypes.c_int64]
    library.plane_turned.restype = None
    return library


_library = load(LIBRARY)
WIDEST: int = _library.pdq_widest_lanes()


def _lanes_asked_for() -> int:
    """What SEAWALL_SIMD names, or the widest this processor has."""
    name = os.environ.get("SEAWALL_SIMD", "")
    if not name:
        return WIDEST
    if name not in LANES:
        raise ImportError(f"SEAWALL_SIMD is {name!r}. Set it to one of {', '.join(LANES)}, or leave it out.")
    if LANES[name] > WIDEST:
        raise ImportError(f"SEAWALL_SIMD is {name}, which this processor does not have. Leave it out.")
    return LANES[name]


DEFAULT_LANES = _lanes_asked_for()


class Refused(ValueError):
    """The kernel does not take pictures of this size."""


class _Memory:
    """Uninitialised bytes, aligned as the kernel asks."""

    def __init__(self, size: int) -> None:
        self.size = size
        room = np.empty(size + _ALIGNMENT, np.uint8)
        self.bytes = room[-room.ctypes.data % _ALIGNMENT :][:size]
        self.address: int = self.bytes.ctypes.data


class PlaneMemory:
    """A plane (kernel/plane.h) of a picture of that size. ``cells``: (height, width), the lumas in it, to be filled.

    :raises Refused: the kernel does not take pictures of this size
    """

    def __init__(self, width: int, height: int) -> None:
        size = _library.plane_bytes(width, height) if 0 <= min(width, height) <= max(width, height) < 1 << 32 else 0
        if not size:
            raise Refused(f"The kernel does not take {width} x {height} pixels.")
        self._memory = _Memory(size)
        self.address = self._memory.address
        _library.plane_begin(self.address, width, height)
        header = self._memory.bytes[: 5 * 4].view(np.uint32).tolist()
        self.picture_width, self.picture_height, self.step, columns, rows = header
        self.cells = self._memory.bytes[_HEADER : _HEADER + rows * columns].reshape(rows, columns)

    def check(self, width: int, height: int) -> None:
        """:raises ValueError: it was made for another size"""
        if (width, height) != (self.picture_width, self.picture_height):
            raise ValueError(f"a plane of {self.picture_width} x {self.picture_height} pixels, not {width} x {height}")

    def turned(self, cosine: float, sine: float) -> PlaneMemory:
        """Turned anticlockwise about the middle, in the same frame."""
        made = PlaneMemory(self.picture_width, self.picture_height)
        _library.plane_turned(made.address, self.address, round(cosine * (1 << 30)), round(sine * (1 << 30)))
        return made

    def views(
        self, rectangles: NDArray[np.float64], lanes: int = DEFAULT_LANES
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Eight hashes (N, 8, 32) and the quality (N,) of each of those rectangles, (N, 4)."""
        rectangles = np.ascontiguousarray(rectangles, np.float64)
        hashes = np.empty((len(rectangles), 8, 32), np.uint8)
        qualities = np.empty(len(rectangles), np.uint8)
        workspace = self._workspace(lanes)
        _library.views_of(
            workspace.address, rectangles.ctypes.data, len(rectangles), hashes.ctypes.data, qualities.ctypes.data
        )
        return hashes, qualities

    def windows(self, lanes: int = DEFAULT_LANES) -> bytes:
        """The 126 windows of windows1, 33 bytes each."""
        made = np.empty(WINDOWS_BYTES, np.uint8)
        workspace = self._workspace(lanes)
        _library.windows_of(workspace.address, made.ctypes.data)
        return made.tobytes()

    def _workspace(self, lanes: int) -> _Memory:
        workspace = _Memory(_library.views_workspace_bytes(self.address))
        _library.views_begin(workspace.address, self.address, lanes)
        return workspace


def window_rectangles() -> NDArray[np.float64]:
    """The windows' places (126, 4): left, top, right, bottom as fractions of the picture (kernel/windows.h)."""
    places = np.empty((WINDOWS, 4), np.float64)
    _library.windows_rectangles(places.ctypes.data)
    return places


class _Kept(threading.local):
    """A thread's workspace of last time, while no hasher uses it."""

    spare: _Memory | None = None

    def take(self, size: int) -> _Memory:
        taken, self.spare = self.spare, None
        return taken if taken and taken.size >= size else _Memory(size)

    def give_back(self, memory: _Memory) -> None:
        if memory.size <= _KEPT_BYTES:
            ctypes.memset(memory.address, 0, memory.size)  # it held the picture, 64 pixels small
            self.spare = memory


_kept = _Kept()


class RowHasher:
    """Takes a picture's rows from top to bottom, in pieces of any height, and gives its eight hashes.

    ``plane``: filled meanwhile.

    :raises Refused: a side under 5 or over 65,535 pixels, more than 2^28 pixels, or channels other than 1, 3 and 4
    """

    def __init__(
        self, width: int, height: int, channels: int, *, lanes: int = DEFAULT_LANES, plane: PlaneMemory | None = None
    ) -> None:
        sides = (width, height, channels)
        size = _library.pdq_workspace_bytes(*sides) if max(sides) < 1 << 32 else 0
        if not size:
            raise Refused(f"The kernel does not hash {width} x {height} pixels of {channels} channels.")
        self._row_bytes = width * channels
        self._memory: _Memory | None = _kept.take(size)
        self._workspace = self._memory.address
        _library.pdq_begin(self._workspace, width, height, channels, lanes)
        self._plane = plane
        if plane:
            plane.check(width, height)
            _library.pdq_keep_plane(self._workspace, plane.address)

    def add(self, rows: NDArray[np.uint8]) -> None:
        """Add the next rows: (n, width, channels) or, for one channel, (n, width)."""
        rows = np.ascontiguousarray(rows, np.uint8)
        if rows.size != len(rows) * self._row_bytes:
            raise ValueError(f"rows of shape {rows.shape} do not fit a picture with {self._row_bytes} bytes a row")
        self._still_open()
        _library.pdq_rows(self._workspace, rows.ctypes.data, len(rows))

    def finish(self) -> tuple[tuple[bytes, ...], int]:
        """Eight hashes of 32 bytes, in the order of kernel/pdq.h, and the quality, 0 to 100. Once.

        :raises ValueError: rows are missing
        """
        memory = self._still_open()
        hashes = ctypes.create_string_buffer(_HASHES)
        quality: int = _library.pdq_finish(self._workspace, ctypes.addressof(hashes))
        if quality < 0:
            raise ValueError("the picture has more rows than were added")
        self._memory = None
        _kept.give_back(memory)
        whole = hashes.raw
        return tuple(whole[at : at + 32] for at in range(0, _HASHES, 32)), quality

    def _still_open(self) -> _Memory:
        if self._memory is None:
            raise ValueError("this picture is finished")
        return self._memory
