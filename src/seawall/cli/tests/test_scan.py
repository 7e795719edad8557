"""What `seawall scan` shows while it runs; what it finds is tested in the room."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from seawall.cli.scan import _Line, _span
from seawall.scan.catalogue import Progress


def test_it_shows_how_far_it_is_once_a_second_has_passed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    line = _Line()
    line.show(Progress(listed=7))
    clock += 1.5
    line.show(Progress(listed=2_000))
    clock += 5  # in a log, ten seconds lie between two lines
    line.show(Progress(listed=3_000))
    clock += 6
    line.show(Progress(files=10_000, earlier=1_000, verdicts=Counter(free=1_000), where="2 processes"))
    clock += 20
    verdicts = Counter(match=2, free=1_590, unreadable=8)
    line.show(Progress(files=10_000, earlier=1_000, verdicts=verdicts, where="2 processes"))
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "Listing: 2,000 files so far"
    assert second.startswith("1,000 of 10,000 files on 2 processes")
    assert third == "1,600 of 10,000 files on 2 processes, 30 a second, 5 minutes left; 2 match, 8 not read"


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "5 seconds"), (300, "5 minutes"), (9_000, "2 hours"), (400_000, "5 days")]
)
def test_it_says_time_in_words(seconds: float, said: str) -> None:
    assert _span(seconds) == said
