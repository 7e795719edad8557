"""Both databases, and really both."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_tests_run_on_the_database_asked_for(pytestconfig: pytest.Config) -> None:
    assert connection.vendor == {"sqlite": "sqlite", "postgres": "postgresql"}[pytestconfig.getoption("--db")]


def test_no_test_touches_the_data_of_whoever_runs_it() -> None:
    from django.conf import settings  # noqa: PLC0415

    assert str(settings.DATA) == os.environ["SEAWALL_DATA"]
    assert Path(tempfile.gettempdir()) in settings.DATA.parents
