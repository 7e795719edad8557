"""The files of the languages: complete, compiled, and true to the English in everything that is not words."""

from __future__ import annotations

import ast
import re
from gettext import GNUTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polib
import pytest
from django.conf import settings
from django.template import Template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from seawall.directory.words import sentences
from seawall.site import languages

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).parents[2]
FILES = sorted(settings.LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.po"))
# What a translation must repeat exactly, in any order.
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}|<[^>]*>|&\w+;")
MEND = "Run `make messages`, translate what is new, and run it again."

each_language = pytest.mark.parametrize("path", FILES, ids=[path.parts[-3] for path in FILES])


def of_templates() -> Iterator[str]:
    for path in SOURCES.rglob("templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"_\(\"([^\"]*)\"\)", text)  # handed to a template that is included
        nodes: Any = Template(text).nodelist
        for node in nodes.get_nodes_by_type(TranslateNode):
            yield str(node.filter_expression.var.literal).replace("%", "%%")
        for node in nodes.get_nodes_by_type(BlockTranslateNode):
            yield node.render_token_list(node.singular)[0]


def of_python() -> Iterator[str]:
    for path in SOURCES.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("_" | "gettext" | "gettext_lazy"), [ast.Constant(str(sentence))]):
                    yield sentence


def test_welsh_is_there() -> None:
    assert ("cy", "Cymraeg") in settings.LANGUAGES
    assert settings.LANGUAGES[0] == ("en", "English")


@each_language
def test_it_holds_every_sentence_of_the_site_and_no_other(path: Path) -> None:
    said = {*of_templates(), *of_python(), *(sentence for _, sentence in sentences())}
    held = {entry.msgid for entry in polib.pofile(str(path)) if not entry.obsolete}
    assert len(said) > 500
    assert said - held == set(), MEND
    assert held - said == set(), MEND


@each_language
def test_nothing_is_left_untranslated_or_unsure(path: Path) -> None:
    file = polib.pofile(str(path))
    assert [entry.msgid for entry in file.untranslated_entries()] == []
    assert [entry.msgid for entry in file.fuzzy_entries()] == []
    forms = int(re.findall(r"nplurals=(\d)", file.metadata["Plural-Forms"])[0])
    assert {len(entry.msgstr_plural) for entry in file if entry.msgid_plural} == {forms}


@each_language
def test_what_is_compiled_is_what_the_file_says(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        compiled: dict[Any, str] = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    written: dict[Any, str] = {}
    for entry in polib.pofile(str(path)):
        if entry.msgid_plural:
            written |= {(entry.msgid, form): words for form, words in entry.msgstr_plural.items()}
        else:
            written[entry.msgid] = entry.msgstr
    compiled.pop("")
    assert compiled == written, "Run `make messages`."


@each_language
def test_names_numbers_and_markup_stand_as_in_the_english(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        wanted = sorted(PLACEHOLDERS.findall(entry.msgid_plural or entry.msgid))
        for words in entry.msgstr_plural.values() or [entry.msgstr]:
            found = sorted(PLACEHOLDERS.findall(words))
            # "One upload" may be said without the figure.
            assert found == wanted or (entry.msgid_plural and set(found) <= set(wanted)), entry.msgid
            # Some stand in attributes, so a straight quotation mark would end them.
            assert PLACEHOLDERS.sub("", words).count('"') <= entry.msgid.count('"'), entry.msgid
            assert not re.search("[<>&]", PLACEHOLDERS.sub("", words)), entry.msgid


@each_language
def test_every_phone_number_and_address_is_left_as_it_is(path: Path) -> None:
    kept = re.compile(r"https?://\S+|\b\d{3,}\b|\bHTTP\b|\bRSS\b|\b2FA\b|\bJPEG\b")
    for entry in polib.pofile(str(path)):
        if not entry.msgid_plural:
            assert set(kept.findall(entry.msgid)) <= set(kept.findall(entry.msgstr)), entry.msgid


def compile_language(folder: Path, **header: str) -> None:
    file = polib.POFile()
    file.metadata = {"Content-Type": "text/plain; charset=UTF-8", **header}
    (folder / "zz_Hant/LC_MESSAGES").mkdir(parents=True)
    file.save_as_mofile(str(folder / "zz_Hant/LC_MESSAGES/django.mo"))


def test_one_file_makes_a_language(tmp_path: Path) -> None:
    compile_language(tmp_path, **{"X-Name": "Zedish", "X-Direction": "rtl", "X-Reviewed": "no"})
    assert languages.found(tmp_path) == (languages.Language("zz-hant", "Zedish", "rtl", reviewed=False),)


def test_a_language_that_a_speaker_read_says_by_whom(tmp_path: Path) -> None:
    compile_language(tmp_path, **{"X-Name": "Zedish", "X-Direction": "ltr", "X-Reviewed": "Alice, 2026-11-23"})
    assert languages.found(tmp_path)[0].reviewed


@pytest.mark.parametrize("missing", ["X-Name", "X-Direction", "X-Reviewed"])
def test_a_file_that_does_not_describe_its_language_is_refused_with_the_line_to_write(
    tmp_path: Path, missing: str
) -> None:
    header = {"X-Name": "Zedish", "X-Direction": "rtl", "X-Reviewed": "no"}
    compile_language(tmp_path, **{name: value for name, value in header.items() if name != missing})
    with pytest.raises(languages.UnfinishedLanguage, match=missing):
        languages.found(tmp_path)
