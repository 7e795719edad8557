"""A bank of entries with windows: the photographs that are looked for, and thousands of others beside them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bench import _pictures
from seawall.hashing import USABLE_QUALITY, Pdq, Plane, pdq
from seawall.matching import HashIndex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from bench._pictures import Picture

SLOTS, SLOT_BYTES = 126, 33
INDEXED = slice(1, 101)  # the slots whose windows are looked up; slot 0 is the picture's own fingerprint
SLOT_BITS = 7

FILLER_SIDE = 640  # pixels: edits are made of copies this wide or high


@dataclass(frozen=True, slots=True)
class Entries:
    """N entries. Entry n bears the number n."""

    windows: NDArray[np.uint8]  # (N, 4158), each as `Plane.registered` gives it
    pdqs: NDArray[np.uint8]  # (N, 32)
    qualities: NDArray[np.uint8]  # (N,)

    def __len__(self) -> int:
        return len(self.windows)

    def and_also(self, others: Entries) -> Entries:
        """These, then those."""
        return Entries(
            np.concatenate([self.windows, others.windows]),
            np.concatenate([self.pdqs, others.pdqs]),
            np.concatenate([self.qualities, others.qualities]),
        )

    def windows_of(self, numbers: Sequence[int]) -> Mapping[int, bytes]:
        """What a gate reads from its copy of the bank."""
        return {number: self.windows[number].tobytes() for number in numbers if number < len(self.windows)}

    def signals(self, quality: int) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Fingerprints (K, 32) and numbers (K,), entry and slot, of all windows of at least that quality."""
        slots = self.windows.reshape(len(self), SLOTS, SLOT_BYTES)
        entry, slot = np.nonzero(slots[:, INDEXED, 32] >= quality)
        own = np.flatnonzero(self.qualities >= USABLE_QUALITY)
        hashes = np.concatenate([self.pdqs[own], slots[entry, slot + INDEXED.start, :32]])
        numbers = np.concatenate([own << SLOT_BITS, (entry << SLOT_BITS) + slot + INDEXED.start])
        return np.ascontiguousarray(hashes), numbers.astype(np.uint64)

    def wholes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """As `signals`, of entries that came without windows."""
        own = np.flatnonzero(self.qualities >= USABLE_QUALITY)
        return np.ascontiguousarray(self.pdqs[own]), (own << SLOT_BITS).astype(np.uint64)

    def whole(self) -> HashIndex:
        """What platforms hold today: one fingerprint an entry."""
        own = np.flatnonzero(self.qualities >= USABLE_QUALITY)
        return HashIndex.build(np.ascontiguousarray(self.pdqs[own]), own.astype(np.uint64))


def of_pictures(pictures: Sequence[Picture]) -> Entries:
    """Register each at its full size."""
    return _stacked([_registered(np.asarray(picture.image())) for picture in pictures])


def edits(sources: Sequence[Picture], count: int, seed: int) -> Entries:
    """Crops of the sources, of 40 to 100 % of each side, lighter or darker; kept in the folder of the pictures."""
    key = hashlib.sha256("\n".join(picture.name for picture in sources).encode() + _geometry()).hexdigest()[:16]
    path = _pictures.FOLDER / f"edits-{count}-{seed}-{key}.npz"
    if path.exists():
        with np.load(path) as kept:
            return Entries(kept["windows"], kept["pdqs"], kept["qualities"])
    random = np.random.default_rng(seed)
    made: list[tuple[bytes, Pdq]] = []
    for number, picture in enumerate(sources):
        image = picture.image()
        image.thumbnail((FILLER_SIDE, FILLER_SIDE), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
        share = count * (number + 1) // len(sources) - count * number // len(sources)
        made += [_registered(edit(pixels, random)) for _ in range(share)]
    entries = _stacked(made)
    _pictures.FOLDER.mkdir(parents=True, exist_ok=True)
    np.savez(path, windows=entries.windows, pdqs=entries.pdqs, qualities=entries.qualities)
    return entries


def edit(pixels: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A crop that keeps 40 to 100 % of each side, lighter or darker, mirrored every second time."""
    height, width = (random.uniform(0.4, 1, 2) * pixels.shape[:2]).astype(int)
    top = int(random.integers(pixels.shape[0] - height + 1))
    left = int(random.integers(pixels.shape[1] - width + 1))
    curve = (255 * np.linspace(0, 1, 256) ** random.uniform(0.7, 1.4)).astype(np.uint8)
    crop = curve[pixels[top : top + height, left : left + width]]
    return np.ascontiguousarray(crop[:, ::-1] if random.random() < 0.5 else crop)


def random_entries(count: int, seed: int) -> Entries:
    """Entries no picture has: every bit random. They cost a search a few per cent less than real ones."""
    random = np.random.default_rng(seed)
    windows = random.integers(0, 256, (count, SLOTS * SLOT_BYTES), np.uint8)
    windows[:, 32::SLOT_BYTES] = 100
    return Entries(windows, windows[:, :32].copy(), np.full(count, 100, np.uint8))


def _registered(pixels: NDArray[np.uint8]) -> tuple[bytes, Pdq]:
    return Plane.of(pixels).registered(), pdq(pixels)


def _stacked(made: Sequence[tuple[bytes, Pdq]]) -> Entries:
    return Entries(
        np.frombuffer(b"".join(windows for windows, _ in made), np.uint8).reshape(-1, SLOTS * SLOT_BYTES),
        np.frombuffer(b"".join(whole.bits for _, whole in made), np.uint8).reshape(-1, 32),
        np.array([whole.quality for _, whole in made], np.uint8),
    )


def _geometry() -> bytes:
    """Changes whenever the windows do."""
    return Plane.of(np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)).registered()
