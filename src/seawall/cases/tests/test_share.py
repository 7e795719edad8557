"""Sharing with the team, taking it back, and the roster that says who the team is."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seawall.cases import keys, operations, queries, roster
from seawall.cases.models import Share
from seawall.cli import main
from seawall.lib import signatures

from .client import Person, seal
from .test_replace import the_case

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Team

pytestmark = pytest.mark.django_db
FILE = "ab" * 16


def share(person: Person, team: Team, **changed: Any) -> Any:
    sealed = seal(b'{"key":"..."}', str(team.identity.to_public()))
    body = {"epoch": 3, "sealed": base64.b64encode(sealed).decode(), "files": [FILE]}
    return person.call("POST", "shares", {**body, **changed})


def test_what_is_shared_only_the_team_can_read(alice: Person, team: Team) -> None:
    answer = share(alice, team)
    assert answer.status == 201
    (kept,) = queries.shares(the_case(alice))
    assert answer.json == {"id": kept.name}
    read = queries.shared(kept)
    assert (read.epoch, read.files) == (3, (FILE,))
    assert pyrage.decrypt(read.sealed, [team.identity]).strip() == b'{"key":"..."}'
    assert FILE.encode() not in bytes(kept.wrapped)
    assert b"age-encryption" not in bytes(kept.wrapped)


def test_it_is_taken_back_and_twice_is_fine(alice: Person, team: Team) -> None:
    name = share(alice, team).json["id"]
    for _ in range(2):
        assert alice.call("DELETE", f"shares/{name}").status == 204
    assert queries.shares(the_case(alice)) == []


def test_bob_cannot_take_back_what_alice_shared(alice: Person, bob: Person, team: Team) -> None:
    name = share(alice, team).json["id"]
    assert bob.call("DELETE", f"shares/{name}").status == 204  # as for one that never was
    assert [each.name for each in queries.shares(the_case(alice))] == [name]


def test_a_share_is_bound_to_its_case_and_its_epoch(alice: Person, team: Team) -> None:
    share(alice, team)
    Share.objects.update(epoch=4)
    with pytest.raises(keys.NotOurs):
        queries.shared(Share.objects.get())


def test_nobody_shares_without_signing_in(team: Team) -> None:
    assert share(Person(memory=64), team).status == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epoch", 0),
        ("epoch", -1),
        ("epoch", "3"),
        ("epoch", 10**30),
        ("sealed", ""),
        ("sealed", "%%%"),
        ("sealed", base64.b64encode(bytes((160 << 10) + 1)).decode()),
        ("files", [FILE] * 501),
        ("files", ["../../etc/passwd"]),
        ("files", [FILE.upper()]),
        ("files", FILE),
        ("more", 1),
    ],
)
def test_what_is_not_exactly_a_share_is_refused_with_words(alice: Person, team: Team, field: str, value: Any) -> None:
    answer = share(alice, team, **{field: value})
    assert answer.status == 422
    assert answer.json["message"]
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    "path", ["shares/x", "shares/" + "f" * 16, "shares/" + "0" * 15, "shares/" + "0" * 17, "shares/"]
)
def test_what_is_no_shares_name_leads_nowhere(alice: Person, path: str) -> None:
    answer = alice.call("DELETE", path)
    assert answer.status == 404
    assert answer.json["message"]


def test_a_team_whose_key_changed_meanwhile_is_loaded_anew_first(alice: Person, team: Team) -> None:
    team.publish(epoch=4)
    answer = share(alice, team)
    assert answer.status == 409
    assert "Load the team" in answer.json["message"]


def test_there_are_only_so_many_shares(alice: Person, team: Team) -> None:
    assert {share(alice, team).status for _ in range(operations.MOST_SHARES)} == {201}
    answer = share(alice, team)
    assert answer.status == 409
    assert "Take one back" in answer.json["message"]


# --- the roster ---


def test_the_team_is_shown_as_the_root_signed_it(alice: Person, team: Team) -> None:
    shown = alice.ask("GET", "team")
    root = team.root.public_key().public_bytes_raw()
    signature = bytes.fromhex(shown["signature"])
    assert signatures.verify(key=root, signature=signature, message=shown["roster"].encode())
    lines = shown["roster"].splitlines()
    assert lines[0] == "seawall roster 1"
    assert lines[3:] == ["epoch 3", f"recipient {team.identity.to_public()}"]


def test_without_a_roster_there_is_nobody_to_share_with(alice: Person) -> None:
    assert alice.call("GET", "team").status == 404


TODAY = datetime.now(UTC).date()


@pytest.mark.parametrize("expires", [TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=32), date(9999, 1, 1)])
def test_a_roster_out_of_its_time_is_not_served(alice: Person, team: Team, expires: date) -> None:
    team.publish(expires=expires)
    assert alice.call("GET", "team").status == 404
    assert share(alice, team).status == 404


def test_a_roster_of_another_root_is_not_served(alice: Person, team: Team) -> None:
    team.publish(root=Ed25519PrivateKey.generate())
    assert alice.call("GET", "team").status == 404


def test_a_roster_changed_by_one_byte_anywhere_is_not_served(alice: Person, team: Team) -> None:
    good = team.path.read_bytes()
    assert alice.call("GET", "team").status == 200
    for at in range(len(good) - 1):
        team.path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert roster.current(now=datetime.now(UTC)) is None, at


@pytest.mark.parametrize("content", [b"", b"\xff" * 90, b"signature ", b"seawall roster 1\n" * 1000])
def test_a_file_that_is_no_roster_is_not_served(alice: Person, team: Team, content: bytes) -> None:
    team.path.write_bytes(content)
    assert alice.call("GET", "team").status == 404
    team.path.unlink()
    assert alice.call("GET", "team").status == 404


def test_the_command_makes_a_root_and_signs_rosters_that_the_site_serves(
    alice: Person, settings: Any, tmp_path: Path, capsys: Any
) -> None:
    key, out = tmp_path / "root.key", tmp_path / "served"
    assert main(["roster", "new-root", str(key)]) == 0
    assert key.stat().st_mode & 0o777 == 0o600
    settings.ROSTER, settings.ROSTER_ROOT = str(out), bytes.fromhex(capsys.readouterr().out.strip().rpartition("=")[2])
    recipient = str(pyrage.x25519.Identity.generate().to_public())

    def sign(epoch: int, to: str = recipient) -> int:
        return main(["roster", "sign", "--root", str(key), "--recipient", to, "--epoch", str(epoch), "--out", str(out)])

    for version, epoch in ((1, 1), (2, 1), (3, 2)):
        assert sign(epoch) == 0
        lines = alice.ask("GET", "team")["roster"].splitlines()
        assert lines[1] == f"version {version}"
        assert lines[2] == f"expires {TODAY + timedelta(days=30)}" or datetime.now(UTC).date() != TODAY
        assert lines[3] == f"epoch {epoch}"
    served = out.read_bytes()
    capsys.readouterr()
    for refused in (sign(1), sign(0), sign(3, "age1nonsense"), main(["roster", "new-root", str(key)])):
        assert refused == 1
    assert len(capsys.readouterr().err.splitlines()) == 4
    assert out.read_bytes() == served
