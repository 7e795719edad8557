"""One picture in its eight views against a bank."""

import numpy as np

from seawall.matching import ORIGINAL_ONLY, VIEWS, Found, HashIndex, look_up


def bits(*ones: int) -> bytes:
    return sum(1 << one for one in ones).to_bytes(32, "big")


def bank(entries: dict[int, bytes]) -> HashIndex:
    hashes = np.frombuffer(b"".join(entries.values()), np.uint8).reshape(-1, 32)
    return HashIndex.build(hashes, np.array(list(entries), np.uint64))


EIGHT = [bits(*range(30 * view, 30 * view + 30)) for view in range(8)]  # 60 bits from each other


def test_it_names_the_view_that_matched() -> None:
    for number, view in enumerate(VIEWS):
        assert look_up(bank({5: EIGHT[number]}), EIGHT) == (Found(5, 0, view),)


def test_it_reports_each_number_once_with_its_best_view_and_the_closest_first() -> None:
    between = bits(*range(20), *range(30, 55))  # 35 bits from the first view, 25 from the second
    found = look_up(bank({1: between, 2: EIGHT[3], 3: between}), EIGHT)
    assert found == (Found(2, 0, "rotated 270"), Found(1, 25, "rotated 90"), Found(3, 25, "rotated 90"))


def test_of_two_views_as_close_it_names_the_plainer() -> None:
    same = bits(1, 2, 3)
    assert look_up(bank({9: same}), [same] * 8) == (Found(9, 0, "original"),)


def test_a_single_fingerprint_is_looked_up_as_it_is() -> None:
    assert len(ORIGINAL_ONLY) == 1
    assert look_up(bank({1: EIGHT[1]}), [EIGHT[0]]) == ()
    assert look_up(bank({1: EIGHT[0]}), [EIGHT[0]]) == (Found(1, 0, "original"),)


def test_it_stays_silent_beyond_the_match_distance() -> None:
    assert look_up(bank({1: bits(*range(32))}), [bits()]) == ()
    assert look_up(bank({1: bits(*range(31))}), [bits()]) == (Found(1, 31, "original"),)
