"""The house: which rooms there are, and that nothing crosses the wall."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import DateTimeField, TimeField
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


def test_no_chain_of_relations_leads_from_one_wing_to_the_other() -> None:
    """Nor through a table of somebody else's: Django's own rights, content types and sessions are looked at too."""
    next_to: dict[str, set[str]] = defaultdict(set)
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields(include_hidden=True):
            if field.is_relation and field.related_model:
                ends = model._meta.label, field.related_model._meta.label
                next_to[ends[0]].add(ends[1])
                next_to[ends[1]].add(ends[0])
    reached, new = set(), {label for label in next_to if label.partition(".")[0] in HASH_WING}
    assert len(new) > 5
    while new:
        reached |= new
        new = {label for each in new for label in next_to[each]} - reached
    assert {label.partition(".")[0] for label in reached} <= HASH_WING
    people = {label for label in next_to if label.partition(".")[0] in PEOPLE_WING}
    assert {"cases.Case", "evidence.Blob", "accounts.Staff"} <= people, "or this walks past what it guards"


def test_nothing_lies_between_two_entries_but_the_partner_who_got_them() -> None:
    """No form, no batch, no person: a join from one fingerprint to another goes by way of a partner or a platform."""
    entry = apps.get_model("exchange", "Entry")
    keys = [field for field in entry._meta.get_fields() if field.is_relation and field.concrete]
    assert [field.related_model for field in keys] == [apps.get_model("exchange", "Partner")]
    about = [model for model in apps.get_models(include_auto_created=True) if entry in _points_to(model)]
    assert len(about) >= 5
    for model in about:
        assert _points_to(model).count(entry) == 1, model
        assert {each._meta.label for each in _points_to(model)} <= {"exchange.Entry", "exchange.Partner"}, model


def _points_to(model: Any) -> list[Any]:
    return [field.related_model for field in model._meta.get_fields() if field.is_relation and field.concrete]


def test_no_table_about_people_or_fingerprints_keeps_a_clock() -> None:
    """Hours and days, in constraints that refuse anything finer; only what is unfinished bears seconds, until it is."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in HASH_WING | PEOPLE_WING - {"accounts"}:
            assert [field for field in model._meta.get_fields() if isinstance(field, DateTimeField | TimeField)] == []
    for name, field in (("Blob", "touched"), ("Stamp", "due")):
        assert apps.get_model("evidence", name)._meta.get_field(field).null


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
