"""bench/robustness.py on a handful of scikit-image's photographs: what it counts is what happened."""

import io

import numpy as np
import pytest
from PIL import Image

from bench import _attacks, _negatives, _pictures, robustness
from seawall.hashing import fingerprint

PHOTOS = _pictures.bundled()
MIRROR, TURN = _attacks.ATTACKS[:2]


@pytest.fixture(scope="module")
def board() -> robustness.Board:
    return robustness.Board.of(PHOTOS[:2], PHOTOS[2:3], None)


def test_it_sees_a_mirrored_picture_that_plain_pdq_does_not(board: robustness.Board) -> None:
    rows = list(robustness.recall(board, (MIRROR, TURN), robustness.QUICK))
    mirrored = rows[0]
    assert {"what", "ours", "peer", "peer_name", "ratio", "unit", "target", "met"} <= set(mirrored)
    assert (mirrored["ours"], mirrored["peer"], mirrored["met"]) == (100, 0, True)
    assert mirrored["uploads"] == 2
    assert rows[-1]["ours"] == 0  # wrong entries


def test_it_counts_a_picture_of_the_bank_among_the_negatives_as_a_false_match() -> None:
    board = robustness.Board.of(PHOTOS[:2], PHOTOS[:1], None)
    rows = list(robustness.false_matches(board, robustness.QUICK))
    false = next(row for row in rows if "photographs" in row["what"])
    assert false["ours"] > 0
    assert not false["met"]


def test_it_counts_what_is_not_found_as_not_found(board: robustness.Board) -> None:
    covered = _attacks.Attack("covered", 0.5, (lambda picture, _: Image.new("RGB", picture.size, "gray"),))
    row = next(robustness.recall(board, (covered,), robustness.QUICK))
    assert (row["ours"], row["peer"], row["met"]) == (0, 0, False)


def test_no_value_reported_on_can_have_been_tuned_on() -> None:
    tuned = [_attacks.Draw(str(seed), unseen=False).between(0, 10) for seed in range(200)]
    reported = [_attacks.Draw(str(seed), unseen=True).between(0, 10) for seed in range(200)]
    assert {int(value) % 2 for value in tuned} == {0}
    assert {int(value) % 2 for value in reported} == {1}


def test_both_pictures_of_a_pair_are_on_one_side() -> None:
    left, right = (picture for picture in PHOTOS if "motorcycle" in picture.name)
    assert left.share == right.share


@pytest.mark.parametrize("attack", [*_attacks.ATTACKS, _attacks.TRIPLE], ids=lambda attack: str(attack.name))
def test_every_attack_makes_the_same_readable_file_again(attack: _attacks.Attack) -> None:
    image = PHOTOS[2].image()
    image.thumbnail((320, 320))
    files = [_attacks.upload(attack, image, _attacks.Draw("one", unseen=True, others=[image])) for _ in range(2)]
    assert files[0] == files[1]
    assert fingerprint(files[0]).pdq.quality > 0
    assert Image.open(io.BytesIO(files[0])).size != (0, 0)


def test_every_negative_out_of_a_formula_is_another_picture() -> None:
    made = [_negatives.formula(number).tobytes() for number in range(12)]
    assert len(set(made)) == 12
    assert _negatives.formula(7).tobytes() == made[7]


def test_an_interval_is_wide_where_few_scenes_were_tried() -> None:
    assert robustness.interval([True] * 20, [str(n) for n in range(20)])[0] == pytest.approx(0.025 ** (1 / 20))
    found = list(np.arange(40) % 2 == 0)
    of_few = robustness.interval(found, [str(n % 4) for n in range(40)])
    of_many = robustness.interval(found, [str(n) for n in range(40)])
    assert of_few[1] - of_few[0] > of_many[1] - of_many[0]
