"""The signed file for other helplines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.test import Client

from seawall.directory import publishing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
SPEC = Path(__file__).parents[4] / "docs/spec/directory.md"
TODAY = date(2026, 8, 3)


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(settings, "DATA", tmp_path)
    publishing.published.cache_clear()
    yield
    publishing.published.cache_clear()


def test_it_publishes_what_pages_show_and_no_more() -> None:
    told = json.loads(publishing.published(TODAY).document)
    assert (told["format"], told["date"]) == ("seawall directory 1", "2026-08-03")
    services = {each["slug"]: each for each in told["services"]}
    assert services["samaritans"]["contacts"][0]["value"] == "116 123"
    assert services["childline"]["audience"] == "under-18"
    assert "report-fraud" not in services  # second-hand
    assert "Signal" in [each["name"] for each in told["platforms"]]
    assert all(fact["source"] and fact["checked"] for fact in [*told["services"], *told["laws"]])


def test_its_signature_holds_and_one_changed_byte_breaks_it() -> None:
    made = publishing.published(TODAY)
    key = load_pem_public_key(made.public_key)
    key.verify(made.signature, made.document)  # type: ignore[call-arg, union-attr]
    with pytest.raises(InvalidSignature):
        key.verify(made.signature, made.document.replace(b"116 123", b"116 124"))  # type: ignore[call-arg, union-attr]


def test_the_lines_of_the_specification_verify_it(tmp_path: Path) -> None:
    assert shutil.which("openssl")
    for name, content in zip(["", ".sig", ".pub"], served(), strict=True):
        (tmp_path / f"directory.json{name}").write_bytes(content)
    (line,) = re.findall(r"^openssl pkeyutl .*$", SPEC.read_text(), re.MULTILINE)
    told = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S602 - from our own page
    assert told.returncode == 0, told.stderr
    (tmp_path / "directory.json").write_bytes(b"{}")
    told = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S602
    assert told.returncode != 0


def served() -> list[bytes]:
    return [Client().get(f"/directory.json{name}").content for name in ("", ".sig", ".pub")]


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = publishing.published(TODAY)
    assert (tmp_path / "directory.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["directory.key"]
    publishing.published.cache_clear()
    assert publishing.published(TODAY) == first


def test_it_may_be_kept_until_midnight_and_sets_no_cookie() -> None:
    for name in ("", ".sig", ".pub"):
        answer = Client().get(f"/directory.json{name}")
        assert answer.status_code == 200
        found = re.fullmatch(r"public, max-age=(\d+)", answer.headers["Cache-Control"])
        assert found
        assert 0 <= int(found[1]) <= 86_400
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_is_only_read() -> None:
    assert Client().post("/directory.json").status_code == 405


@pytest.mark.parametrize(("hour", "left"), [(0, 86_400), (23, 3600)])
def test_a_day_ends_at_midnight(hour: int, left: int) -> None:
    assert publishing.seconds_left(datetime(2026, 8, 3, hour, tzinfo=UTC)) == left
