"""`seawall evidence verify` as whoever was handed a bundle uses it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seawall.evidence.kit.tests.writing import Bundle, added
from seawall.evidence.tests.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

FILES = [b"a screenshot", b"another"]


@pytest.fixture
def made(tmp_path: Path) -> Bundle:
    """bundle.zip, stamped after its first file, and authority.pem."""
    authority, case = Authority(tmp_path / "authority"), added(FILES[:1])
    (tmp_path / "authority.pem").write_bytes(authority.root.read_bytes())
    stamp = {f"stamps/{case.root().hex()}-1.tsr": authority.stamp(case.root())}
    case.log("added", added(FILES[1:]).lines[0].decode().split('"object":"')[1][:64])
    bundle = Bundle.of(case, FILES, stamp)
    (tmp_path / "bundle.zip").write_bytes(bundle.sealed())
    return bundle


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seawall.cli", "evidence", "verify", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_says_what_is_there_and_since_when(made: Bundle, tmp_path: Path) -> None:
    told = verify(tmp_path, "bundle.zip", "--authority", "authority.pem", "--key", made.case.key.hex())
    assert (told.returncode, told.stderr) == (0, "")
    plain = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", re.sub(r"[0-9a-f]{64}", "HASH", told.stdout))
    assert plain == (
        "bundle.zip: unchanged since it was signed\n"
        "signed    TIME by the device's clock, with the key HASH\n"
        "log       3 lines, none missing\n"
        "stamp     lines 1 to 1, TIME\n"
        "exhibits/0001.png  12 bytes, SHA-256 HASH\n"
        "          existed unchanged since TIME\n"
        "exhibits/0002.png  7 bytes, SHA-256 HASH\n"
        "          no time-stamp covers it\n"
    )


@pytest.mark.usefixtures("made")
def test_without_an_authority_it_says_what_remains_to_be_done(tmp_path: Path) -> None:
    told = verify(tmp_path, "bundle.zip")
    assert told.returncode == 0
    assert told.stdout.count("if you trust its authority: check with --authority") == 2


@pytest.mark.usefixtures("made")
def test_a_changed_bundle_is_not_to_be_relied_on(tmp_path: Path) -> None:
    raw = bytearray((tmp_path / "bundle.zip").read_bytes())
    raw[raw.index(b"a screenshot")] ^= 1
    (tmp_path / "bundle.zip").write_bytes(raw)
    told = verify(tmp_path, "bundle.zip")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == (
        "bundle.zip: It was changed after it was signed.\n"
        "bundle.zip: exhibits/0001.png is damaged.\n"
        "bundle.zip: do not rely on it. Ask for the bundle again.\n"
    )


def test_names_in_a_bundle_do_not_reach_the_terminal(made: Bundle, tmp_path: Path) -> None:
    made.entries["exhibits/\x1b]0;x\x07.png"] = b"x"
    (tmp_path / "bundle.zip").write_bytes(made.sealed())
    told = verify(tmp_path, "bundle.zip")
    assert told.returncode == 1
    assert "\x1b" not in told.stdout + told.stderr


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.zip"], "we cannot read nowhere.zip: No such file or directory."),
        (["bundle.zip", "--authority", "nowhere.pem"], "we cannot read nowhere.pem: No such file or directory."),
        (["bundle.zip", "--authority", "bundle.zip"], "--authority takes a file with certificates in PEM form."),
        (["bundle.zip", "--key", "12"], "--key"),
        ([], "BUNDLE"),
        (["."], "we cannot read .: Is a directory."),
    ],
)
def test_a_question_it_does_not_understand_is_said_so(tmp_path: Path, arguments: list[str], said: str) -> None:
    told = verify(tmp_path, *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert said in told.stderr
