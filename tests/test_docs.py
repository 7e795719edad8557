"""The documents say what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from seawall.cli import COMMANDS

CHECKOUT = Path(__file__).parent.parent
SOURCES = [path for path in (CHECKOUT / "src").rglob("*.py") if "tests" not in path.parts]
DOCUMENTS = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md"), *(CHECKOUT / "kernel").glob("*.md")]
WRITTEN = {".c", ".css", ".h", ".html", ".js", ".json", ".md", ".py", ".toml"}


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    used = {name for path in SOURCES for name in re.findall(r'"(SEAWALL_[A-Z_]+)"', path.read_text())}
    said = set(
        re.findall(r"^\| `(SEAWALL_[A-Z_]+)`", (CHECKOUT / "docs/operating/settings.md").read_text(), re.MULTILINE)
    )
    assert used == said


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_document_names_no_setting_that_there_is_not(document: Path) -> None:
    read = [*SOURCES, *(CHECKOUT / "bench").glob("*.py"), *(CHECKOUT / "tests").glob("*.py")]
    there_are = {name for path in read for name in re.findall(r'"(SEAWALL_[A-Z_]+)"', path.read_text())}
    assert set(re.findall(r"SEAWALL_[A-Z][A-Z_]*", document.read_text())) - there_are == set()


def test_every_document_that_is_named_anywhere_is_there() -> None:
    named: dict[str, Path] = {}
    for path in [
        *CHECKOUT.glob("*"),
        *(each for room in ("src", "tests", "bench", "kernel", "docs") for each in (CHECKOUT / room).rglob("*")),
    ]:
        if path.suffix in WRITTEN or path.name == "Makefile":
            for name in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text()):
                named.setdefault(name, path.relative_to(CHECKOUT))
    assert "docs/spec/fingerprint.md" in named
    assert {name: path for name, path in named.items() if not (CHECKOUT / name).is_file()} == {}


def test_every_command_is_in_the_readme() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    assert [name for name in COMMANDS if f"seawall {name}" not in readme] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "seawall.cli", name, "--help"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert f"usage: seawall {name}" in told.stdout


def test_no_command_and_a_wrong_one_are_answered_with_words() -> None:
    for words in ([], ["frobnicate"]):
        told = subprocess.run(
            [sys.executable, "-m", "seawall.cli", *words], capture_output=True, text=True, check=False
        )
        assert told.returncode == 2
        assert "usage: seawall" in told.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for link, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]+))?\)", document.read_text()):
        assert (document.parent / link).exists(), link
        if anchor:
            assert anchor in anchors(document.parent / link if link else document), (link, anchor)


def anchors(document: Path) -> set[str]:
    """Where a link can lead to inside of it, as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        for target in re.findall(r"`make ([a-z-]+)`", document.read_text()):
            assert target in targets, (document, target)
