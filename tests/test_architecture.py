"""The house: which rooms there are, and that nothing crosses the wall."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from importlinter.cli import lint_imports

CHECKOUT = Path(__file__).parent.parent
ROOMS = sorted(path.parent for path in (CHECKOUT / "src/seawall").glob("*/__init__.py"))
HASH_WING = {"hashing", "matching", "scan", "exchange", "protect", "gate"}
PEOPLE_WING = {"guide", "cases", "evidence", "reporting", "helpline", "watch", "accounts"}


def test_imports_run_in_one_direction() -> None:
    assert lint_imports(config_filename=str(CHECKOUT / "pyproject.toml")) == 0


def test_no_relation_crosses_the_wall() -> None:
    models = apps.get_models(include_auto_created=True)
    assert any(model._meta.app_label in HASH_WING for model in models)
    for model in models:
        for field in model._meta.get_fields(include_hidden=True):
            if field.is_relation and field.related_model:
                sides = {model._meta.app_label, field.related_model._meta.app_label}
                assert not (sides & HASH_WING and sides & PEOPLE_WING), field


def test_the_wall_keeps_djangos_own_people_out_of_the_hash_wing_too() -> None:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in HASH_WING:
            related = {
                f.related_model._meta.app_label for f in model._meta.get_fields() if f.is_relation and f.related_model
            }
            assert related <= HASH_WING


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_says_what_it_does(room: Path) -> None:
    assert (room / "__init__.py").read_text().startswith('"""')


def test_every_room_is_in_contributings_tour() -> None:
    tour = (CHECKOUT / "CONTRIBUTING.md").read_text()
    assert [room.name for room in ROOMS if f"`{room.name}/`" not in tour] == []


def test_every_ignored_rule_carries_its_reason() -> None:
    ruff = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    lines = (CHECKOUT / "pyproject.toml").read_text().splitlines()
    for rule in ruff["ignore"]:
        line = next(line for line in lines if f'"{rule}"' in line)
        assert "#" in line, rule
