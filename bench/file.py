"""A picture file to its fingerprint, against the client that platforms run today, and the bits of both."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pdqhash
from PIL import Image
from skimage.data import data_dir
from threatexchange.signal_type.pdq.signal import PdqSignal

from bench.hash import Row, interleaved, photo, row
from seawall.hashing import USABLE_QUALITY, distance, fingerprint, pdq

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = 6

# Drawn, and symmetric: half of its frequencies are exactly 0, where every implementation's rounding decides.
NOT_PHOTOGRAPHS = {"chessboard_GRAY.png", "chessboard_RGB.png"}


def run() -> list[Row]:
    """The time of one 12 megapixel JPEG, and the bits of some hundred photographs."""
    return [jpeg(), bits()]


def jpeg() -> Row:
    """Ours also makes SHA-256 and MD5 and the seven other views."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as folder:
        path = Path(folder) / "photo.jpg"
        photo(4000, 3000).save(path, quality=90)
        ours, peer = interleaved(lambda: fingerprint(path), lambda: PdqSignal.hash_from_file(path), 9)
    what = "JPEG file of 4000 x 3000 -> fingerprint"
    return row(what, ours * 1e3, peer * 1e3, TARGET, peer_name="threatexchange")


def bits() -> Row:
    """On how many photographs of at least 64 pixels a side every bit is pdqhash's."""
    distances = []
    for picture in pictures():
        theirs, quality = pdqhash.compute(picture)
        if quality >= USABLE_QUALITY:
            distances.append(distance(pdq(picture).bits, np.packbits(theirs.astype(np.uint8)).tobytes()))
    same = 100 * sum(d == 0 for d in distances) / len(distances)
    return {
        "what": f"photographs with pdqhash's bits, of {len(distances)}; the others at most {max(distances)} off",
        "ours": same,
        "peer": None,
        "peer_name": "pdqhash",
        "ratio": None,
        "unit": "%",
        "target": ">= 95 %",
        "met": same >= 95 and max(distances) <= 2,
    }


def pictures() -> Iterator[np.ndarray]:
    """scikit-image's photographs: as they are, smaller, larger, and cut."""
    for path in sorted(path for path in Path(data_dir).iterdir() if path.suffix in {".png", ".jpg"}):
        image = Image.open(path).convert("RGB")
        if min(image.size) < 128 or path.name in NOT_PHOTOGRAPHS:
            continue
        yield np.asarray(image)
        yield np.asarray(image.resize((image.width * 2 // 3, image.height * 3 // 5)))
        yield np.asarray(image.resize((1600, 1200), Image.Resampling.LANCZOS))
        yield np.asarray(image.crop((7, 11, image.width * 4 // 5, image.height - 9)))
