"""What the pages answer, to good and to odd requests."""

import re
from collections.abc import Iterable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from seawall.directory import queries as directory
from seawall.guide import forms
from seawall.guide.triage import Step
from seawall.guide.urls import urlpatterns

pytestmark = pytest.mark.django_db

PAGES = [reverse(f"guide:{pattern.name}") for pattern in urlpatterns]


def words(answer: object) -> str:
    text = answer.content.decode()  # type: ignore[attr-defined]
    main = text[text.index("<main") : text.index("</main>")]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def headings(answer: object) -> list[str]:
    return [unescape(found) for found in re.findall(r"<h3>(.*?)</h3>", answer.content.decode())]  # type: ignore[attr-defined]


def ask(**answers: str | list[str]) -> object:
    return Client().post(reverse("guide:start"), answers)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer.content.decode().count("<h1>") == 1


def test_the_front_page_says_the_first_things_and_offers_every_way_on() -> None:
    said = words(answer := Client().get("/"))
    for sentence in ("You are not to blame, and you are not alone.", "Do not pay.", "Keep the messages.", "999"):
        assert sentence in said
    for name in ("guide:start", "protect:start", "protect:receipt", "protect:under_18", "guide:support"):
        assert f'href="{reverse(name)}"' in answer.content.decode(), name


def test_the_helplines_values_stand_on_the_page_of_its_step() -> None:
    helpline = directory.helpline()
    said = words(Client().get(reverse("guide:talk")))
    assert helpline.name in said
    assert all(phone.number in said for phone in helpline.phones)
    assert "Monday to Friday" in said


def test_the_four_questions_lead_to_steps_and_the_address_tells_nothing() -> None:
    answer = ask(a="1", b=["instagram", "1"], c="2", d="2", e=["5", "6"])
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert answer.request["PATH_INFO"] == "/start/"  # type: ignore[attr-defined]
    assert not answer.request["QUERY_STRING"]  # type: ignore[attr-defined]
    assert headings(answer)[:5] == [
        "Breathe. You have time.",
        "“You talked to a child” is a script",
        "Call your bank now",
        "Keep the evidence",
        "Do not pay. Do not answer.",
    ]
    said = words(answer)
    route = directory.platform("instagram").routes_for("threat")[0]
    assert all(press in said for press in route.steps)


def test_it_says_what_to_press_only_on_the_apps_that_were_named() -> None:
    route = directory.platform("instagram").routes_for("threat")[0]
    assert route.url is not None
    assert route.url not in ask(a="1", b=["snapchat"]).content.decode()  # type: ignore[attr-defined]


def test_it_says_where_to_press_in_the_settings_of_the_apps_that_were_named() -> None:
    press = directory.platform("whatsapp").routes_for("settings")[0].steps[-1]
    assert press in words(ask(b=["whatsapp"]))
    assert press not in words(ask(b=["facebook"]))
    assert press in words(Client().get(reverse("guide:settings")))
    assert press not in words(Client().get(reverse("guide:apps")))  # it is no report


def test_nobody_is_told_to_open_a_profile_where_there_are_none() -> None:
    found = [each.slug for each in directory.platform_entries() if not each.profiles]
    assert {"google", "bing", "cloudflare"} == set(found)
    said = words(ask(b=found, c="2"))
    assert "Open their profile" not in said
    assert "Open the post" not in said
    assert "Look for “Report” or “Help” at the foot of its page." in said
    assert "Open their profile" in words(ask(b=["kik"]))


def test_a_search_engine_is_named_once() -> None:
    press = directory.platform("google").routes_for("search-result")[0].steps[0]
    assert words(ask(b=["google", "2"], c="2")).count(press) == 1
    assert words(ask(b=["google"], c="2")).count(press) == 1
    assert words(ask(b=["2"], c="2")).count(press) == 1


def test_a_stranger_is_called_what_they_often_are() -> None:
    assert "often work in a gang" in words(ask(a="1"))
    assert "often work in a gang" not in words(ask(a="2"))


def test_a_former_partner_is_handled_with_care() -> None:
    said = words(ask(a="2"))
    assert "Only block if you feel safe to." in said
    assert "Think of your safety first" in said
    assert "Only block if you feel safe to." not in words(ask(a="1"))


def test_every_step_has_its_words() -> None:
    everything = [
        ask(a="2", b=["1", "2"], c="2", d="2", e=["1", "2", "3", "4", "5", "6"]),
        ask(c="0", e=["7"]),
        ask(c="1"),
    ]
    found = [heading for answer in everything for heading in headings(answer)]
    assert len(set(found)) == len(Step)


def test_nothing_answered_is_an_answer() -> None:
    assert "Breathe. You have time." in words(ask())


@pytest.mark.parametrize(
    "posted",
    [
        {"a": "99", "b": ["myspace", "<script>", "\x00"], "c": "-1", "d": "yes", "e": ["8", ""]},
        {"a": ["1", "2"], "c": "ä" * 10_000},
        {"nonsense": "x"},
    ],
)
def test_answers_out_of_range_count_as_not_known(posted: dict[str, str | list[str]]) -> None:
    answer = ask(**posted)
    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert "Check once, then stop looking" in words(answer)


class AnyAnswer(TestCase):
    @settings(deadline=None, max_examples=60)  # what it proves is the answer, not the time
    @given(st.dictionaries(st.sampled_from("abcdexyz"), st.lists(st.text(max_size=20), max_size=4)))
    def test_no_form_of_any_content_is_answered_with_an_error(self, posted: dict[str, list[str]]) -> None:
        answer = self.client.post(reverse("guide:start"), posted)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=" + b"1" * 2_000_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"b=1" for _ in range(400)), "application/x-www-form-urlencoded"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nc\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"{}", "application/json"),
        (b"\xff\xfe%zz=%", "application/x-www-form-urlencoded"),
    ],
    ids=["huge", "many fields", "broken", "no boundary", "a file", "json", "not text"],
)
def test_a_broken_form_leads_to_a_gentle_page_with_the_exit(body: bytes, kind: str) -> None:
    answer = Client(raise_request_exception=False).post(reverse("guide:start"), body, content_type=kind)
    assert answer.status_code < 500
    assert 'id="exit"' in answer.content.decode()
    assert "<h1>" in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["/steps/7/", "/steps/0/", "/steps/-1/", "/steps/one/", "/xx/start/", "/easy/nope/", "/%00/"]
)
def test_an_unknown_address_leads_to_a_page_that_helps(path: str) -> None:
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == 404
    assert 'id="exit"' in answer.content.decode()
    assert reverse("guide:start") in answer.content.decode()


@pytest.mark.parametrize("query", ["?lang=xx", "?a=1&b=facebook", "?%00=%ff", "?" + "x" * 3000])
def test_nothing_in_the_query_changes_a_page(query: str) -> None:
    assert words(Client().get("/start/" + query)) == words(Client().get("/start/"))


def test_a_form_sent_to_a_page_that_takes_none_is_answered_with_words() -> None:
    answer = Client().post(reverse("guide:calm"), {"a": "1"})
    assert answer.status_code == 405
    assert "This page takes no form." in words(answer)


def test_the_questions_name_every_platform_once() -> None:
    values = re.findall(r'name="b" value="([a-z-]+)"', Client().get("/start/").content.decode())
    assert sorted(values) == sorted(each.slug for each in directory.platforms())
    assert values[: len(forms.FIRST)] == list(forms.FIRST)


# The address and the title stay in the browser's history after the exit.
TELLING = re.compile(
    r"sex|porn|nud|intim|blackmail|extort|threat|victim|abuse|revenge|webcam|police|paid|pay|money|crime|evidence|talk"
)


def every_address() -> Iterable[str]:
    return [*PAGES, reverse("site:leaving"), reverse("site:privacy")]


@pytest.mark.parametrize("path", every_address())
def test_no_address_or_title_tells_what_the_page_is_about(path: str) -> None:
    assert not TELLING.search(path)
    assert "<title>Seawall</title>" in Client().get(path).content.decode()


def test_the_easy_layout_keeps_to_itself_and_says_the_same() -> None:
    easy = Client().get("/easy/steps/2/")
    page = easy.content.decode()
    assert 'class="easy"' in page
    assert words(easy) == words(Client().get("/steps/2/"))
    ours = [link for link in re.findall(r'href="(/[^"]*)"', page) if link != "/steps/2/"]
    assert ours
    assert all(link.startswith("/easy/") for link in ours)
    assert Client().post("/easy/start/", {"a": "1"}).status_code == 200
    # The choice ends with the request: the next visitor of this thread is not in it.
    assert 'href="/easy/start/"' not in Client().get("/").content.decode().replace('href="/easy/"', "")
