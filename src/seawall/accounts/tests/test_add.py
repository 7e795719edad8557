"""Who may sign in."""

from __future__ import annotations

import json

import pytest
from django.db import IntegrityError, transaction

from seawall.accounts import operations, queries
from seawall.accounts.models import Staff
from seawall.cli import main

pytestmark = pytest.mark.django_db
LONG = "a quiet harbour at dawn"


def test_alice_is_added_once_whatever_the_case_of_her_address() -> None:
    operations.add_staff(email="Alice@Example.org", name="Alice", password=LONG)
    with pytest.raises(operations.CannotAdd, match="already"):
        operations.add_staff(email="alice@example.org", name="Alice", password=LONG)
    with pytest.raises(IntegrityError), transaction.atomic():
        Staff.objects.create(email="ALICE@example.org", name="Alice")
    assert Staff.objects.get_by_natural_key("aLiCe@example.org").name == "Alice"


@pytest.mark.parametrize(
    ("email", "name", "password"),
    [
        ("alice", "Alice", LONG),
        ("", "Alice", LONG),
        ("alice@example.org", " ", LONG),
        ("alice@example.org", "Alice", ""),
        ("alice@example.org", "Alice", "short"),
        ("alice@example.org", "Alice", "password1234"),
        ("alice@example.org", "Alice", "alice@example.org"),
    ],
)
def test_it_refuses_no_address_no_name_and_easy_passwords(email: str, name: str, password: str) -> None:
    with pytest.raises(operations.CannotAdd) as refused:
        operations.add_staff(email=email, name=name, password=password)
    assert str(refused.value).endswith(".")
    assert not Staff.objects.exists()


def test_a_password_is_kept_only_as_a_slow_hash() -> None:
    alice = operations.add_staff(email="alice@example.org", name="Alice", password=LONG)
    assert LONG not in alice.password
    assert alice.password.startswith("pbkdf2_sha256$")


def test_bob_who_left_can_sign_in_no_more_and_his_name_stays() -> None:
    operations.add_staff(email="bob@example.org", name="Bob", password=LONG)
    bob = operations.end_staff(email="BOB@example.org")
    assert not bob.is_active
    assert not bob.is_staff
    assert not bob.check_password(LONG)
    assert queries.staff_lines() == ("bob@example.org  Bob  (ended)",)
    with pytest.raises(operations.UnknownStaff):
        operations.end_staff(email="carol@example.org")


def test_the_command_adds_lists_and_ends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SEAWALL_STAFF_PASSWORD", LONG)
    assert main(["staff", "add", "alice@example.org", "--name", "Alice", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"email": "alice@example.org", "name": "Alice"}
    assert main(["staff", "add", "alice@example.org", "--name", "Alice"]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["staff", "list"]) == 0
    assert "alice@example.org  Alice" in capsys.readouterr().out
    assert main(["staff", "end", "alice@example.org"]) == 0
    assert main(["staff", "end", "nobody@example.org"]) == 1


def test_the_command_asks_for_what_it_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEAWALL_STAFF_PASSWORD", raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "Alice")
    monkeypatch.setattr("getpass.getpass", lambda _: LONG)
    assert main(["staff", "add", "alice@example.org"]) == 0
    assert Staff.objects.get().check_password(LONG)
    typed = iter([LONG, "something else entirely"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    with pytest.raises(SystemExit, match="differ"):
        main(["staff", "add", "bob@example.org"])
    assert Staff.objects.count() == 1


def test_where_nobody_answers_it_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    assert main(["staff", "add", "bob@example.org", "--name", "Bob"]) == 1
    assert "SEAWALL_STAFF_PASSWORD" in capsys.readouterr().err
    assert not Staff.objects.exists()
