"""One picture has one fingerprint: by the reference, by C at every width of instructions, by the field's own tool."""

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from skimage.data import data_dir

from kernel import make_vectors, reference
from seawall.hashing import Pdq, distance, pdq
from seawall.hashing.native import LANES, WIDEST, Refused, RowHasher

KERNEL = Path(reference.__file__).parent
SUITE = json.loads(make_vectors.VECTORS.read_text(encoding="utf-8"))
VECTORS = SUITE["vectors"]
Vector = dict[str, Any]
Rows = NDArray[Any]


def named(vector: Vector) -> str:
    return "-".join(
        str(vector[key]) for key in ("width", "height", "pattern", "seed", "color", "period") if key in vector
    )


def pixels(vector: Vector) -> Rows:
    rgb = np.frombuffer(make_vectors.pixels(vector), np.uint8)
    return rgb.reshape(vector["height"], vector["width"], 3)


def hashes(rows: Rows, lanes: int, split: int | None = None) -> tuple[list[str], int]:
    """Hexes and quality of (H, W, C) by one width of instructions, rows handed over `split` at a time."""
    height, width, channels = rows.shape
    hasher = RowHasher(width, height, channels, lanes=lanes)
    for top in range(0, height, split or height):
        hasher.add(rows[top : top + (split or height)].copy())  # a copy, so that reading beyond it would be seen
    views, quality = hasher.finish()
    return [view.hex() for view in views], quality


@pytest.fixture(params=LANES)
def lanes(request: pytest.FixtureRequest) -> int:
    if LANES[request.param] > WIDEST:
        pytest.skip(f"this processor has no {request.param}")
    return LANES[request.param]


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_the_reference_gives_the_suites_fingerprint(vector: Vector) -> None:
    made = reference.fingerprint(vector["width"], vector["height"], make_vectors.pixels(vector))
    assert made == (vector["pdq"], vector["quality"])


def test_the_suite_holds_what_its_script_writes() -> None:
    keys = ("pdq", "quality")
    assert [{k: v for k, v in vector.items() if k not in keys} for vector in VECTORS] == make_vectors.pictures()


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_every_width_of_instructions_gives_the_suites_fingerprint(vector: Vector, lanes: int) -> None:
    rgb = pixels(vector)
    rgba = np.dstack([rgb, np.resize(np.arange(256, dtype=np.uint8), rgb.shape[:2])])
    expected = (vector["pdq"], vector["quality"])
    assert hashes(rgb, lanes) == expected
    assert hashes(rgba, lanes) == expected, "the fourth channel must not count"
    assert hashes(rgb, lanes, split=7) == expected
    if vector["pattern"] in ("stripes", "steps"):
        assert hashes(rgb[:, :, :1], lanes) == expected


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_size_and_any_split_give_the_same_bits_everywhere(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(5, 400)), data.draw(st.integers(5, 400))
    channels = data.draw(st.sampled_from([1, 3, 4]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = rng.integers(0, 256, (height, width, channels), np.uint8)
    if data.draw(st.booleans()):  # smoother, so that neighbouring samples differ little
        rows = np.cumsum(rows // 64, axis=1, dtype=np.uint8)
    expected = hashes(rows, LANES["portable"])
    for width_of_words in range(WIDEST + 1):
        assert hashes(rows, width_of_words, split=data.draw(st.integers(1, height))) == expected
    if width * height < 10_000:
        rgb = rows.repeat(3, axis=2) if channels == 1 else rows[:, :, :3]
        assert reference.fingerprint(width, height, rgb.tobytes()) == expected


@pytest.mark.parametrize(("width", "height"), SUITE["refused"])
def test_it_refuses_sizes_without_a_hash(width: int, height: int) -> None:
    with pytest.raises(Refused):
        RowHasher(width, height, 3)


def test_it_refuses_channels_it_does_not_know() -> None:
    with pytest.raises(Refused):
        RowHasher(64, 64, 2)


def test_it_refuses_numbers_too_large_for_the_kernel() -> None:
    with pytest.raises(Refused):
        RowHasher((1 << 32) + 64, 64, 3)


def test_it_refuses_rows_of_another_width() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        RowHasher(64, 64, 3).add(np.zeros((64, 63, 3), np.uint8))


def test_it_says_when_rows_are_missing() -> None:
    hasher = RowHasher(64, 64, 3)
    hasher.add(np.zeros((63, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="more rows"):
        hasher.finish()


def test_a_finished_picture_takes_no_more() -> None:
    hasher = RowHasher(64, 64, 1)
    rows = np.zeros((64, 64), np.uint8)
    hasher.add(rows)
    hasher.finish()
    with pytest.raises(ValueError, match="finished"):
        hasher.add(rows)
    with pytest.raises(ValueError, match="finished"):
        hasher.finish()


def test_two_pictures_can_be_hashed_in_turns() -> None:
    first, second = (pixels({"width": 200, "height": 256, "pattern": "clouds", "seed": seed}) for seed in (3, 4))
    expected = [pdq(first).hex, pdq(second).hex]
    hashers = [RowHasher(200, 256, 3), RowHasher(200, 256, 3)]
    for top in range(0, 256, 16):
        hashers[0].add(first[top : top + 16])
        hashers[1].add(second[top : top + 16])
    assert [hasher.finish()[0][0].hex() for hasher in hashers] == expected


def test_rows_beyond_the_picture_change_nothing() -> None:
    rows = pixels(VECTORS[5])
    height, width, _ = rows.shape
    hasher = RowHasher(width, height, 3)
    hasher.add(rows)
    hasher.add(rows)
    assert hasher.finish()[0][0].hex() == VECTORS[5]["pdq"][0]


def test_the_largest_picture_of_all_does_not_overflow(lanes: int) -> None:
    """65,535 x 4,096 white pixels: every sum is the largest it can be; a flat picture stays flat."""
    hasher = RowHasher(65535, 4096, 4, lanes=lanes)
    white = np.full((64, 65535, 4), 255, np.uint8)
    for _ in range(4096 // 64):
        hasher.add(white)
    small = np.full((4096 // 64, 128, 3), 255, np.uint8)
    assert hasher.finish() == hashes_as_bytes(small, lanes)


def hashes_as_bytes(rows: Rows, lanes: int) -> tuple[tuple[bytes, ...], int]:
    hexes, quality = hashes(rows, lanes)
    return tuple(bytes.fromhex(one) for one in hexes), quality


def test_the_committed_cosines_are_the_references() -> None:
    text = (KERNEL / "cosines.h").read_text(encoding="utf-8")
    assert [float.fromhex(one) for one in re.findall(r"0x[0-9a-fp.+-]+", text)] == reference.cosines()


@pytest.mark.parametrize("shape", [(64, 64), (100, 257), (300, 200), (511, 513), (640, 480)])
def test_all_eight_views_are_those_of_the_fields_own_tool(shape: tuple[int, int]) -> None:
    rgb = pixels({"width": shape[1], "height": shape[0], "pattern": "clouds", "seed": sum(shape)})
    theirs, _ = pdqhash.compute_dihedral(rgb)
    ours = pdq(rgb).dihedral()
    assert [view.hex() for view in ours] == [np.packbits(one.astype(np.uint8)).tobytes().hex() for one in theirs]


def test_the_eight_views_are_nearly_those_of_the_turned_pictures() -> None:
    rgb = np.asarray(Image.open(Path(data_dir) / "astronaut.png").convert("RGB"))
    turned = [rgb, np.rot90(rgb), np.rot90(rgb, 2), np.rot90(rgb, 3), rgb[::-1], rgb[:, ::-1]]
    turned += [rgb.swapaxes(0, 1), np.rot90(rgb, 2).swapaxes(0, 1)]
    views = pdq(rgb).dihedral()
    for at, picture in enumerate(turned):
        distances = [distance(pdq(np.ascontiguousarray(picture)).bits, view) for view in views]
        assert distances[at] == min(distances) <= 16, at


def test_pdq_takes_colour_gray_and_rows_that_are_not_contiguous() -> None:
    gray = pixels({"width": 90, "height": 80, "pattern": "steps"})[:, :, 0]
    wide = np.zeros((80, 180), np.uint8)
    wide[:, ::2] = gray
    assert pdq(gray) == pdq(np.dstack([gray] * 3)) == pdq(wide[:, ::2])


def test_a_side_under_five_has_no_hash_and_quality_zero() -> None:
    assert pdq(np.full((4, 300, 3), 9, np.uint8)) == Pdq(bytes(32), 0)
    assert pdq(np.zeros((0, 0), np.uint8)).dihedral() == (bytes(32),) * 8


@pytest.mark.parametrize(
    "wrong", [np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3), np.float32), np.zeros(64, np.uint8)]
)
def test_pdq_refuses_other_shapes_and_types(wrong: Rows) -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        pdq(wrong)


def test_a_fingerprint_from_elsewhere_does_not_claim_to_know_its_views() -> None:
    with pytest.raises(ValueError, match="views"):
        Pdq(bytes(32), 90).dihedral()


def test_distance_counts_differing_bits() -> None:
    assert distance(bytes(32), b"\x01" * 32) == 32
    assert distance(b"\xff" * 32, b"\xff" * 32) == 0
    with pytest.raises(ValueError, match="32 bytes"):
        distance(bytes(32), bytes(31))


@pytest.mark.parametrize(("name", "says"), [("sse9", "Set it to one of"), ("AVX2", "Set it to one of")])
def test_an_unknown_seawall_simd_is_a_clear_error(name: str, says: str) -> None:
    ran = start("from seawall.hashing import pdq", SEAWALL_SIMD=name)
    assert ran.returncode == 1
    assert says in ran.stderr


@pytest.mark.parametrize("name", LANES)
def test_seawall_simd_forces_one_width(name: str) -> None:
    if LANES[name] > WIDEST:
        pytest.skip(f"this processor has no {name}")
    ran = start("from seawall.hashing.native import DEFAULT_LANES; print(DEFAULT_LANES)", SEAWALL_SIMD=name)
    assert int(ran.stdout) == LANES[name]


def start(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **environment},
    )


def test_many_threads_hash_at_once_and_get_the_same() -> None:
    rgb = pixels({"width": 512, "height": 512, "pattern": "clouds", "seed": 4})
    expected = pdq(rgb)
    made: list[Pdq] = []
    threads = [threading.Thread(target=lambda: made.extend(pdq(rgb) for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [expected] * 160
