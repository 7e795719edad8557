"""A rectangle of a picture has one fingerprint: by the reference and by C at every width of instructions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.data import data_dir

from kernel import make_vectors, reference
from seawall.hashing import Plane, distance, fingerprint, look, pdq
from seawall.hashing.native import WIDEST, PlaneMemory, RowHasher, window_rectangles
from seawall.hashing.pictures import read_picture
from seawall.hashing.tests.test_hash import SUITE, Rows, Vector, pixels

FRACTION = st.floats(-0.2, 1.2, allow_nan=False)


@pytest.mark.parametrize("vector", SUITE["views"], ids=lambda vector: f"{vector['width']}-{vector['rectangle']}")
def test_the_reference_and_every_width_give_the_suites_views(vector: Vector) -> None:
    expected = (vector["pdq"], vector["quality"])
    picture = make_vectors.pixels(vector)
    assert reference.view(vector["width"], vector["height"], picture, tuple(vector["rectangle"])) == expected
    for lanes in range(WIDEST + 1):
        hashes, qualities = filled(pixels(vector), lanes, 100).views(np.array([vector["rectangle"]]), lanes)
        assert ([view.tobytes().hex() for view in hashes[0]], qualities[0]) == expected


def test_the_suite_holds_the_views_its_script_writes() -> None:
    keys = ("pdq", "quality")
    kept = [{k: v for k, v in vector.items() if k not in keys} for vector in SUITE["views"]]
    assert kept == make_vectors.views_of_pictures()


@pytest.mark.parametrize("degrees", [0, 3, -8.5, 90, 180])
def test_a_turned_plane_is_the_turned_picture(degrees: float) -> None:
    photo = Image.open(Path(data_dir) / "rocket.jpg").convert("L").crop((0, 0, 400, 400))
    turned = Plane.of(np.asarray(photo)).rotated(degrees)
    expected = np.asarray(photo.rotate(degrees, Image.Resampling.BILINEAR)).astype(int)
    inside = np.hypot(*(np.mgrid[:400, :400] - 199.5)) < 198
    assert np.abs(turned.pixels.astype(int) - expected)[inside].max() <= 2
    back = turned.rotated(-degrees)
    middle = np.array([[0.2, 0.2, 0.8, 0.8]])
    assert (
        distance(back.hashes(middle)[0][0, 0].tobytes(), Plane.of(np.asarray(photo)).hashes(middle)[0][0, 0].tobytes())
        <= 8
    )


def test_the_corners_of_a_turned_plane_repeat_its_edge() -> None:
    turned = Plane.of(np.full((300, 200), 77, np.uint8)).rotated(33)
    assert (turned.pixels == 77).all()


def test_a_look_is_the_fingerprint_and_the_plane_of_one_decoding() -> None:
    path = Path(data_dir) / "rocket.jpg"
    made, plane = look(path)
    assert made == fingerprint(path)
    canonical = np.concatenate(list(read_picture(path.read_bytes()).strips))
    assert (plane.pixels == Plane.of(canonical).pixels).all()
    assert look(path.read_bytes())[1].registered() == plane.registered()


def filled(rows: Rows, lanes: int, split: int) -> PlaneMemory:
    """The plane of (H, W, C), handed over `split` rows at a time."""
    height, width, channels = rows.shape
    plane = PlaneMemory(width, height)
    hasher = RowHasher(width, height, channels, lanes=lanes, plane=plane)
    for top in range(0, height, split):
        hasher.add(rows[top : top + split].copy())
    assert hasher.finish()[0] == pdq(np.ascontiguousarray(rows[:, :, :3] if channels > 1 else rows[:, :, 0])).dihedral()
    return plane


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_rectangle_has_the_references_fingerprint_at_every_width(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(5, 200)), data.draw(st.integers(5, 200))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rgb = np.cumsum(rng.integers(0, 9, (height, width, 3)), axis=1).astype(np.uint8)
    rectangle = (data.draw(FRACTION), data.draw(FRACTION), data.draw(FRACTION), data.draw(FRACTION))
    expected = reference.view(width, height, rgb.tobytes(), rectangle)
    for lanes in range(WIDEST + 1):
        plane = filled(rgb, lanes, data.draw(st.integers(1, height)))
        assert plane.cells.tolist() == reference.plane(width, height, rgb.tobytes())[1]
        hashes, qualities = plane.views(np.array([rectangle]), lanes)
        assert ([view.tobytes().hex() for view in hashes[0]], qualities[0]) == expected


def test_a_large_picture_is_made_smaller_exactly() -> None:
    rng = np.random.default_rng(8)
    rgb = rng.integers(0, 256, (1403, 2002, 3), np.uint8)
    step, cells = reference.plane(2002, 1403, rgb.tobytes())
    assert step == 2
    for lanes in range(WIDEST + 1):
        for split in (1403, 37):
            assert filled(rgb, lanes, split).cells.tolist() == cells


def test_the_whole_picture_seen_as_a_view_is_nearly_its_fingerprint() -> None:
    rgb = np.asarray(Image.open(Path(data_dir) / "rocket.jpg").resize((1500, 1000)))
    hashes, quality = Plane.of(rgb).hashes(np.array([[0, 0, 1, 1]]))
    assert distance(hashes[0, 0].tobytes(), pdq(rgb).bits) <= 6
    assert abs(int(quality[0]) - pdq(rgb).quality) <= 2


def test_the_registered_windows_are_the_tables_views_without_the_plain_ones() -> None:
    rgb = pixels({"width": 640, "height": 480, "pattern": "clouds", "seed": 3}).copy()
    rgb[:240, :320] = 90
    plane = Plane.of(rgb)
    hashes, qualities = plane.hashes(window_rectangles())
    expected = b"".join(
        hashes[slot, 0].tobytes() + bytes([quality]) if quality >= 30 else bytes(33)
        for slot, quality in enumerate(qualities.tolist())
    )
    assert plane.registered() == expected
    assert len(expected) == 126 * 33
    assert bytes(33) in (expected[33 * slot : 33 * slot + 33] for slot in range(126))


@pytest.mark.parametrize("shape", [(4, 300, 3), (300, 1), (1, 1)])
def test_a_picture_too_thin_for_a_hash_has_a_plane_and_no_views(shape: tuple[int, ...]) -> None:
    plane = Plane.of(np.full(shape, 77, np.uint8))
    assert (plane.height, plane.width) == shape[:2]
    assert (plane.pixels == 77).all()
    hashes, qualities = plane.hashes(np.array([[0, 0, 1, 1]]))
    assert not hashes.any()
    assert not qualities.any()


@pytest.mark.parametrize(
    "rectangle", [(0.5, 0, 0.5, 1), (0.6, 0, 0.5, 1), (1.1, 0, 1.2, 1), (0, np.nan, 1, 1), (0, 0, 1, np.nan)]
)
def test_a_rectangle_with_next_to_nothing_in_it_has_no_hash(rectangle: tuple[float, ...]) -> None:
    rgb = pixels({"width": 200, "height": 100, "pattern": "clouds", "seed": 2})
    hashes, qualities = Plane.of(rgb).hashes(np.array([rectangle]))
    assert not hashes.any()
    assert not qualities.any()
