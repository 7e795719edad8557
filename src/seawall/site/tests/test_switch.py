"""From one language to another, and nothing but the path decides which it is."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from seawall.directory.models import FactEdit

pytestmark = pytest.mark.django_db


def read(path: str, **headers: str) -> str:
    return Client(raise_request_exception=False).get(path, headers=headers).content.decode()


def ways(page: str) -> dict[str, str]:
    """hreflang -> address, of the switch at the foot of the page."""
    foot = page[page.index("<footer") :]
    return {code: address for address, code in re.findall(r'href="([^"]+)" lang="([a-z-]+)" hreflang="\2"', foot)}


@pytest.mark.parametrize("name", ["guide:home", "guide:start", "guide:evidence", "protect:picture", "site:privacy"])
def test_every_page_leads_to_itself_in_the_other_language_and_back(name: str) -> None:
    english = reverse(name)
    assert ways(read(english)) == {"cy": f"/cy{english}"}
    welsh = read(f"/cy{english}")
    assert ways(welsh) == {"en": english}
    assert '<html lang="cy" dir="ltr">' in welsh
    assert 'aria-current="true">Cymraeg</span>' in welsh


def test_every_link_of_a_welsh_page_stays_in_welsh() -> None:
    page = read("/cy/")
    ours = set(re.findall(r'(?:href|action)="(/[^"]*)"', page)) - {"/", "/easy/cy/"}
    assert len(ours) > 10
    assert all(link.startswith("/cy/") for link in ours)


@pytest.mark.parametrize("path", ["/start/", "/protect/send/", "/protect/receipt/", "/protect/receipt/withdraw/"])
def test_from_the_answer_to_a_form_it_leads_to_where_the_form_starts(path: str) -> None:
    page = Client().post(path, {"a": "1"}).content.decode()
    assert ways(page) == {"cy": f"/cy{path}"}
    followed = Client().get(f"/cy{path}", follow=True)
    assert followed.status_code == 200
    assert followed.request["PATH_INFO"].startswith("/cy/")


def test_the_layout_that_is_easier_to_read_is_kept() -> None:
    assert ways(read("/easy/steps/2/")) == {"cy": "/easy/cy/steps/2/"}
    assert ways(read("/easy/cy/steps/2/")) == {"en": "/easy/steps/2/"}


@pytest.mark.parametrize(
    "path",
    ["/staff/", "/staff/login/", "/staff", "/api/openapi.json", "/v1/FetchHashes", "/directory.json", "/static/x.css"],
)
def test_only_pages_have_a_layout_that_is_easier_to_read(path: str) -> None:
    answer = Client().get(f"/easy{path}")
    assert answer.status_code == 404
    assert not answer.cookies
    assert Client().post(f"/easy{path}", {"username": "alice"}).status_code == 404


def test_a_page_that_is_not_there_leads_to_the_front_page() -> None:
    assert ways(read("/no/such/page/")) == {"cy": "/cy/"}
    page = read("/cy/no/such/page/")
    assert '<html lang="cy"' in page
    assert ways(page) == {"en": "/"}


@pytest.mark.parametrize("path", ["/xx/", "/cy-gb/", "/en/", "/CY/", "/cy/xx/", "/cy/cy/", "/%00cy/"])
def test_a_language_that_is_not_there_leads_to_a_page_that_helps(path: str) -> None:
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == 404
    assert 'id="exit"' in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/start/", "/protect/", "/directory.json", "/api/feed", "/no-such-page/"])
def test_what_the_browser_prefers_changes_nothing(path: str) -> None:
    asked = Client(headers={"Accept-Language": "cy"}, raise_request_exception=False)
    asked.cookies["django_language"] = "cy"
    answer, plain = asked.get(path), Client(raise_request_exception=False).get(path)
    assert (answer.status_code, answer.content) == (plain.status_code, plain.content)
    assert "Accept-Language" not in answer.headers.get("Vary", "")
    assert answer.headers["Content-Language"] == "en"


def test_the_next_request_is_not_in_the_language_of_the_last() -> None:
    with translation.override("en"):
        read("/cy/")
        assert translation.get_language() == "en"


def test_programs_are_answered_in_english() -> None:
    client = Client(headers={"Accept-Language": "cy"}, raise_request_exception=False)
    told = client.post("/api/receipts/status", {"token": "0" * 32}, content_type="application/json").json()["message"]
    assert told.startswith("We do not know this token.")
    assert "Call if you are in danger now." in client.get("/directory.json").content.decode()


def test_dates_facts_and_refusals_are_in_welsh_too() -> None:
    refused = Client().post("/cy/protect/send/", {"fingerprints": "nonsense"}).content.decode()
    assert "Line 1" not in refused
    assert "Rhaid i linell 1 fod" in refused
    assert "Dydd Llun" in read("/cy/steps/6/")
    support = read("/cy/support/")
    assert "116 123" in support
    assert "Gallwch siarad â rhywun" in support
    assert "You can talk to someone" not in support


def test_an_operators_own_words_are_shown_as_they_were_typed() -> None:
    FactEdit.objects.create(
        fact="services/samaritans", what="Ring them, do.", status="verified", source="a call", checked="2026-11-20"
    )
    assert "Ring them, do." in read("/cy/support/")


def test_welsh_says_that_no_speaker_has_read_it_in_both_languages() -> None:
    page = read("/cy/steps/1/")
    line = page[page.index('class="unreviewed"') :].split("</p>")[0]
    assert "Gymraeg" in line
    assert '<span lang="en" dir="ltr">No speaker has checked these words yet.' in line
    assert 'href="/steps/1/"' in line
    assert "unreviewed" not in re.sub("<style>.*?</style>", "", read("/steps/1/"), flags=re.DOTALL)
