"""The whole system as real processes, for the tests that cross rooms."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from seawall.cli.demo.parts import Demo, start

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Site, exchange, gate and sample platform on free ports, each a process of its own."""
    with ExitStack() as stack:
        yield start(stack, folder=tmp_path_factory.mktemp("demo"), port=0)
