"""Uploads that were made out of pictures of a bank, and uploads that were not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from skimage.data import data_dir

from seawall.hashing import Plane
from seawall.matching import HashIndex, Looks, Sighting, regions
from seawall.matching.looks import textured
from seawall.matching.views import queries, registered
from seawall.matching.witnesses import columns, worth

if TYPE_CHECKING:
    from collections.abc import Callable

BANK = ("chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "ihc.png", "hubble_deep_field.jpg")
OTHERS = ("astronaut.png", "camera.png", "coins.png", "color.png", "retina.jpg", "cell.png", "grass.png", "page.png")
USABLE = 50


def picture(name: str) -> Image.Image:
    with Image.open(Path(data_dir) / name) as opened:
        image = opened.convert("RGB")
    image.thumbnail((800, 800))
    return image


def plane(image: Image.Image) -> Plane:
    return Plane.of(np.asarray(image.convert("RGB")))


def prints(names: tuple[str, ...]) -> dict[int, bytes]:
    return {number: plane(picture(name)).registered() for number, name in enumerate(names, start=1)}


def index_of(windows: dict[int, bytes], slots: range) -> HashIndex:
    hashes, ids = [], []
    for number, value in windows.items():
        rows = np.frombuffer(value, np.uint8).reshape(126, 33)
        for slot in slots:
            if rows[slot, 32] >= USABLE:
                hashes.append(rows[slot, :32])
                ids.append(number << 7 | slot)
    return HashIndex.build(np.stack(hashes), np.array(ids, np.uint64))


@cache
def looks() -> Looks:
    windows = prints(BANK)
    return Looks(index_of(windows, range(101)), lambda ids: {number: windows[number] for number in ids})


def look(image: Image.Image) -> tuple[Sighting, ...]:
    return looks().look(plane(image))


# What may be done to a picture


def bordered(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, (90, 40, 30, 120), (200, 40, 90))


def on_a_blur_of_itself(image: Image.Image) -> Image.Image:
    canvas = ImageOps.fit(image, (700, 1100)).filter(ImageFilter.GaussianBlur(25))
    inner = ImageOps.contain(image, (700, 1000))
    canvas.paste(inner, ((700 - inner.width) // 2, (1100 - inner.height) // 2))
    return canvas


def on_checks(image: Image.Image) -> Image.Image:
    y, x = np.indices((image.height + 160, image.width + 200))
    checks = np.where(((x // 25 + y // 25) % 2)[..., None], (250, 240, 60), (40, 60, 160)).astype(np.uint8)
    canvas = Image.fromarray(checks)
    canvas.paste(image, (100, 80))
    return canvas


def in_a_chat(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (720, 1500), (236, 229, 221))
    pen = ImageDraw.Draw(canvas)
    pen.rectangle((0, 0, 720, 110), (7, 94, 84))
    for y, x in ((150, 30), (240, 300), (1050, 30), (1180, 260)):
        pen.rounded_rectangle((x, y, x + 380, y + 70), 18, (255, 255, 255))
        pen.text((x + 20, y + 20), "have you seen this?", (20, 20, 20))
    inner = ImageOps.contain(image, (500, 640))
    pen.rounded_rectangle((190, 340, 206 + inner.width, 390 + inner.height), 18, (220, 248, 198))
    canvas.paste(inner, (198, 348))
    return canvas


def in_a_collage(image: Image.Image) -> Image.Image:
    cell = (600, round(600 * image.height / image.width))
    canvas = Image.new("RGB", (2 * cell[0] + 30, 2 * cell[1] + 30), "white")
    for number, name in enumerate(("astronaut.png", "camera.png", "", "coins.png")):
        shown = ImageOps.fit(picture(name), cell) if name else image.resize(cell)
        canvas.paste(shown, (10 + (number % 2) * (cell[0] + 10), 10 + number // 2 * (cell[1] + 10)))
    return canvas


def cropped(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((round(0.13 * width), round(0.04 * height), round(0.93 * width), round(0.84 * height)))


def captioned(image: Image.Image) -> Image.Image:
    made = image.copy()
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, round(0.8 * made.height), made.width, made.height), (0, 0, 0))
    pen.text((40, round(0.88 * made.height)), "pay, or everybody gets this", (255, 255, 255))
    return made


def with_a_sticker(image: Image.Image) -> Image.Image:
    made = image.copy()
    ImageDraw.Draw(made).ellipse((20, 20, 20 + 0.6 * made.width, 20 + 0.6 * made.height), (250, 205, 60))
    return made


def turned(degrees: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(0, 0, 0))


def mirrored_and_cropped(image: Image.Image) -> Image.Image:
    return ImageOps.mirror(cropped(image))


def cropped_in_a_chat(image: Image.Image) -> Image.Image:
    return in_a_chat(cropped(image))


def turned_in_a_chat(image: Image.Image) -> Image.Image:
    return in_a_chat(turned(-3.4)(image))


ATTACKS = (
    ImageOps.mirror, ImageOps.flip, bordered, on_a_blur_of_itself, on_checks, in_a_chat, in_a_collage, cropped,
    captioned, with_a_sticker, turned(1), turned(-4.7), turned(8), mirrored_and_cropped,
    cropped_in_a_chat, turned_in_a_chat,
)  # fmt: skip


@pytest.mark.parametrize("name", BANK[:2])
@pytest.mark.parametrize("attack", ATTACKS)
def test_it_finds_a_picture_whatever_was_done_to_it(attack: Callable[[Image.Image], Image.Image], name: str) -> None:
    (found,) = look(attack(picture(name)))
    assert (found.id, found.sure) == (BANK.index(name) + 1, "certain")
    assert found.agreed >= 2


@pytest.mark.parametrize("attack", [bordered, in_a_collage, cropped])
@pytest.mark.parametrize("name", OTHERS)
def test_it_finds_nothing_in_pictures_that_are_not_in_the_bank(
    name: str, attack: Callable[[Image.Image], Image.Image]
) -> None:
    assert look(attack(picture(name))) == ()


def test_it_finds_nothing_in_skies_gradients_and_flat_pictures() -> None:
    y, x = np.indices((480, 640)) / 640
    random = np.random.default_rng(4)
    clouds = np.asarray(
        Image.fromarray(random.integers(0, 255, (6, 8), np.uint8)).resize((640, 480), Image.Resampling.BICUBIC)
    )
    for lumas in (255 * y, 255 * x, 180 * (x + y), np.full_like(x, 128), clouds, random.integers(0, 255, (480, 640))):
        assert look(Image.fromarray(lumas.astype(np.uint8))) == ()


def test_crude_drawings_in_the_bank_resemble_no_other_drawing() -> None:
    """One edge between two flat areas is in every drawing."""
    windows = {}
    for number, box in enumerate(((300, 300, 600, 600), (0, 300, 600, 600), (200, 0, 600, 450)), start=1):
        drawn = Image.new("RGB", (600, 600), "white")
        ImageDraw.Draw(drawn).rectangle(box, fill="black")
        windows[number] = plane(drawn).registered()
    bank = Looks(index_of(windows, range(101)), lambda ids: {number: windows[number] for number in ids})
    random = np.random.default_rng(4)
    for _ in range(12):
        other = Image.new("L", (800, 800), 200)
        for x, y, wide, high, luma in random.integers(5, 800, (6, 5)).tolist():
            ImageDraw.Draw(other).rectangle((x, y, x + wide, y + high), fill=luma % 256)
        assert [each for each in bank.look(plane(other)) if each.sure == "certain"] == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (5, 3000), (16, 16), (63, 33), (40, 4000), (129, 70), (1, 65535)])
def test_it_looks_at_pictures_of_any_shape(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
    for lumas in (noise, np.full(shape, 7, np.uint8), (np.indices(shape).sum(0) % 256).astype(np.uint8)):
        assert looks().look(Plane.of(lumas)) == ()


def test_it_says_where_the_picture_lies_and_how_it_was_turned() -> None:
    (found,) = look(bordered(ImageOps.mirror(picture("coffee.png"))))
    width, height = picture("coffee.png").size
    wide, high = width + 120, height + 160
    assert found.transform.box == pytest.approx((90 / wide, 40 / high, 1 - 30 / wide, 1 - 120 / high), abs=0.01)
    assert found.transform.turn == "mirrored left to right"
    assert found.view == "mirrored left to right, a part of the upload"


def test_it_says_what_was_cut_off() -> None:
    (found,) = look(cropped(picture("chelsea.png")))
    assert found.transform.box == pytest.approx((-0.13 / 0.8, -0.04 / 0.8, 0.87 / 0.8, 0.96 / 0.8), abs=0.02)
    assert found.view == "cropped"


@pytest.fixture(scope="module")
def untrue() -> Looks:
    """Every window but the first two is of another picture."""
    windows, others = prints(BANK), prints(OTHERS[: len(BANK)])
    return Looks(
        index_of(windows, range(101)),
        lambda ids: {number: windows[number][: 33 * 2] + others[number][33 * 2 :] for number in ids},
    )


def test_a_resemblance_no_other_window_agrees_with_is_no_match(untrue: Looks) -> None:
    assert untrue.look(plane(cropped(picture("chelsea.png")))) == ()


def test_the_whole_picture_within_the_published_distance_is_likely_whatever_its_windows_say(untrue: Looks) -> None:
    for image in (bordered(picture("rocket.jpg")), in_a_collage(picture("rocket.jpg"))):
        (found,) = untrue.look(plane(image))
        assert (found.id, found.sure, found.view) == (4, "likely", "a part of the upload")
        assert found.distance <= 31


def test_an_entry_without_windows_is_found_within_the_published_distance_only() -> None:
    whole = Looks(index_of(prints(BANK), range(1)), lambda _: {})
    (plain,) = whole.look(plane(picture("rocket.jpg")))
    assert (plain.id, plain.sure, plain.agreed, plain.view) == (4, "certain", 0, "original")
    (framed,) = whole.look(plane(bordered(picture("rocket.jpg"))))
    assert (framed.id, framed.sure, framed.view) == (4, "likely", "a part of the upload")
    assert framed.distance <= 31
    assert whole.look(plane(cropped(picture("rocket.jpg")))) == ()


def test_two_pictures_of_the_bank_in_one_upload_are_both_found() -> None:
    both = Image.new("RGB", (1200, 600))
    both.paste(picture("chelsea.png").resize((600, 600)), (0, 0))
    both.paste(picture("coffee.png").resize((600, 600)), (600, 0))
    assert {found.id for found in look(both)} == {1, 2}


# Slots of windows1 that overlap each other so much that none is a witness of another.
SAME_PLACE = (11, 16, 17, 18, 19, 20, 21, 23, 24, 25, 29, 30, 40, 48, 53, 55, 59, 62, 68, 71, 73, 81, 82, 89, 92)


def test_made_up_windows_that_resemble_an_upload_more_do_not_hide_the_picture_in_it() -> None:
    upload = plane(cropped(picture("chelsea.png")))
    asked, quality = upload.hashes(np.vstack([queries(), registered()[1:101]]))
    theirs = asked[quality >= USABLE, 0]
    made_up = {}
    for number in range(10, 90):
        rows = np.zeros((126, 33), np.uint8)
        for slot in SAME_PLACE:
            rows[slot, :32], rows[slot, 32] = theirs[(number * 31 + slot) % len(theirs)], 100
        made_up[number] = rows.tobytes()
    windows = prints(BANK) | made_up
    flooded = Looks(index_of(windows, range(101)), lambda ids: {number: windows[number] for number in ids})
    assert [sighting.id for sighting in flooded.look(upload)] == [1]


def test_however_many_windows_resemble_one_view_it_finds_the_picture() -> None:
    upload = plane(cropped(picture("chelsea.png")))
    like_it = upload.hashes(queries()[:1])[0][0, 0]
    windows = prints(BANK)
    flooded = index_of(windows, range(101))
    ids = [number << 7 | slot for number in range(10, 310) for slot in range(1, 101)]
    flooded.add(np.tile(like_it, (len(ids), 1)), np.array(ids, np.uint64))
    flood = Looks(flooded, lambda ids: {number: windows[number] for number in ids if number in windows})
    assert [sighting.id for sighting in flood.look(upload)] == [1]
    assert flood._hits(like_it[None], 31).id.size <= 64


def test_a_hash_of_an_edge_or_a_spot_is_worth_nothing_and_one_of_a_photograph_much() -> None:
    y, x = np.indices((400, 400))
    spot, edge = np.hypot(x - 150, y - 220) < 20, 2 * x + y > 500
    for lumas in (spot, edge):
        hashes, _ = Plane.of((lumas * 200).astype(np.uint8)).hashes(registered()[:1])
        assert worth(hashes[0, 0]) < 0.5
    hashes, _ = plane(picture("chelsea.png")).hashes(registered()[:101])
    assert np.median(worth(hashes[:, 0])) == 1
    noise = np.random.default_rng(2).integers(0, 256, (500, 32), np.uint8)
    signs = np.unpackbits(noise, axis=1).reshape(-1, 16, 16) * 2.0 - 1
    squared = np.linalg.svd(signs, compute_uv=False) ** 2
    assert columns(noise) == pytest.approx(squared.sum(1) ** 2 / (squared**2).sum(1))


def test_a_smooth_picture_is_found_by_its_windows_alone() -> None:
    smooth = picture("coffee.png").resize((1400, 930)).filter(ImageFilter.GaussianBlur(9))
    smooth = smooth.point(lambda level: 100 + level // 2)
    upload = plane(cropped(smooth))
    assert not textured(upload, (0, 0, 1, 1))
    windows = {1: plane(smooth).registered()}
    (sighting,) = Looks(index_of(windows, range(101)), lambda ids: {number: windows[number] for number in ids}).look(
        upload
    )
    assert (sighting.id, sighting.sure) == (1, "certain")


def test_the_cells_of_an_even_collage_are_told_with_its_gutters() -> None:
    cell, gutter = (300, 220), 9
    canvas = Image.new("RGB", (3 * cell[0] + 4 * gutter, 3 * cell[1] + 4 * gutter), "white")
    corners = [(gutter + x * (cell[0] + gutter), gutter + y * (cell[1] + gutter)) for y in range(3) for x in range(3)]
    for corner, name in zip(corners, (*BANK[:4], *OTHERS[:5]), strict=True):
        canvas.paste(ImageOps.fit(picture(name), cell), corner)
    cells = regions.find(plane(canvas).pixels).cells * np.tile(canvas.size, 2)
    for x, y in corners:
        assert np.abs(cells - (x, y, x + cell[0], y + cell[1])).max(1).min() <= 2
