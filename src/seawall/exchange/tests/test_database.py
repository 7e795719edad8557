"""Both databases, and really both."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from django.db import connection

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.django_db
def test_the_tests_run_on_the_database_asked_for(pytestconfig: pytest.Config) -> None:
    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[pytestconfig.getoption("--db")]


def test_no_test_touches_the_data_of_whoever_runs_it(tmp_path: Path) -> None:
    from django.conf import settings  # noqa: PLC0415

    assert str(settings.DATA) == os.environ["SEAWALL_DATA"]
    assert settings.DATA.parent in tmp_path.parents
