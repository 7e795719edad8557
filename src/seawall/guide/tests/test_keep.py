"""A page is rendered once, and never shown when something it says has changed."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.utils import timezone

from seawall.directory import queries as directory
from seawall.directory.models import Closure, FactEdit, Operator

pytestmark = pytest.mark.django_db


def read(path: str = "/", **headers: str) -> str:
    return Client().get(path, headers=headers).content.decode()


def at(monkeypatch: pytest.MonkeyPatch, *moment: int) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(*moment, tzinfo=UTC))  # type: ignore[misc, arg-type]


def test_a_page_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 24, 11)
    before = read("/days/")
    monkeypatch.setattr("seawall.guide.views.render", lambda *_arguments: pytest.fail("rendered again"))
    assert read("/days/") == before


def test_the_helplines_opening_shows_at_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 24, 9, 59)
    assert "Closed now." in read()
    assert "opens today at 10:00" in read()
    at(monkeypatch, 2026, 11, 24, 10, 0)
    assert "Open now." in read()
    at(monkeypatch, 2026, 11, 24, 16, 0)
    assert "opens tomorrow, Wednesday, at 10:00" in read()


def test_a_closure_shows_at_once_and_says_when_it_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 24, 11)
    assert "Open now." in read()
    Closure.objects.create(first=date(2026, 11, 24), last=date(2026, 11, 26))
    assert "opens again Friday 10:00" in read()


def test_over_christmas_it_names_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 12, 24, 17)
    Closure.objects.create(first=date(2026, 12, 29), last=date(2027, 1, 1))
    assert "opens again on Monday 4 January at 10:00" in read()


def test_an_operators_word_on_a_number_shows_at_once() -> None:
    assert "116 123" in read("/support/")
    edit = FactEdit(fact="services/samaritans/phone", value="116 000", source="a call", checked=timezone.now().date())
    edit.save()
    assert "116 000" in read("/support/")
    edit.delete()
    assert "116 123" in read("/support/")


def test_an_old_fact_says_when_it_was_last_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 8, 1, 11)
    assert "Last checked" not in read("/support/")
    at(monkeypatch, 2027, 8, 1, 11)
    assert "Last checked 31 July 2026." in read("/support/")


def test_an_old_fact_says_so_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    abroad = {"e": "7", "b": ["whatsapp", "instagram"], "d": "2"}
    said = {}
    for day in ((2026, 8, 1), (2026, 11, 23)):
        at(monkeypatch, *day, 11)
        plan = Client().post("/start/", abroad).content.decode()
        said[day] = [page.count("Last checked 31 July 2026.") for page in (plan, read("/support/"), read("/apps/"))]
    facts = directory.platform_entries()
    captures = sum(len(each.capture) for each in facts)
    reports = sum("settings" not in route.situations for each in facts for route in each.routes)
    helpers = [*directory.services("adult")]
    assert said[2026, 8, 1] == [0, 0, 0]
    assert said[2026, 11, 23][0] >= 4  # an app's report, capture and settings, and whoever helps abroad
    assert said[2026, 11, 23][1] >= len([each for each in helpers if not each.emergency])
    answers = sum(bool(answer) for each in facts for answer in each.answers)
    assert said[2026, 11, 23][2] == captures + reports + answers


def test_what_the_operator_says_of_partners_stands_where_a_picture_is_spoken_of() -> None:
    said = "Two platforms work with us."
    assert said not in read("/steps/6/")
    week = dict.fromkeys(("saturday", "sunday"), False)
    Operator.objects.create(name="H", phones="1", nation="ENG", opens="10:00", closes="16:00", partners=said, **week)
    page = read("/steps/6/")
    assert said in page
    assert 'href=""' not in page  # this helpline has no website


def test_a_chat_is_free_and_not_free_to_call() -> None:
    page = read("/support/")
    for service in directory.services("adult"):
        for contact in service.contacts:
            if contact.kind == "chat" and contact.cost == "free":
                after = page[page.index(f'href="{contact.value}"') :]
                assert "It is free." in after[: after.index("</li>")]


def test_each_layout_and_each_encoding_has_its_own() -> None:
    assert 'class="easy"' not in read("/")
    assert 'class="easy"' in read("/easy/")
    assert 'class="easy"' not in read("/")
    answer = Client().get("/", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "Content-Encoding" not in Client().get("/").headers


def test_nobodys_answers_are_kept() -> None:
    mine = Client().post("/start/", {"a": "2", "c": "2", "d": "2"}).content
    theirs = Client().post("/start/", {"a": "1", "c": "1", "d": "1"}).content
    assert mine != theirs
    assert b"Think of your safety first" not in theirs
    assert b"Four questions" in Client().get("/start/").content
