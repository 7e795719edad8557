import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from seawall.directory import facts
from seawall.directory.models import Operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def test_it_keeps_pages_out_of_caches_and_referrers(client: Client) -> None:
    answer = client.get(reverse("guide:home"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_its_exit_comes_first_in_tab_order_and_works_without_scripts(client: Client) -> None:
    page = client.get(reverse("guide:home")).content.decode()
    body = page[page.index("<body>") :]
    assert body.index('href="https://www.bbc.co.uk/weather"') == body.index('href="')
    assert "noreferrer" in body[: body.index("</a>")]


def test_it_refuses_a_form_that_another_site_sent(client: Client) -> None:
    answer = client.post(reverse("guide:home"), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "another website" in answer.content.decode()


def test_a_missing_page_says_what_to_do_next(client: Client) -> None:
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "Start again from the front page." in answer.content.decode()


def test_a_program_gets_a_message_in_json(client: Client) -> None:
    answer = client.get("/api/no-such-thing")
    assert answer.status_code == 404
    assert answer.json().keys() == {"message"}


def test_its_title_tells_nobody_what_the_page_is_about(client: Client) -> None:
    for name in ("guide:home", "site:privacy"):
        assert "<title>Seawall</title>" in client.get(reverse(name)).content.decode()


def test_the_static_files_are_served_without_collecting_and_not_kept(client: Client) -> None:
    for name in ("site.css", "exit.js"):
        answer = client.get(f"/static/site/{name}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        answer.close()


def test_an_operators_words_stand_at_the_top_and_never_in_the_title(client: Client) -> None:
    line = facts.helpline()
    Operator.objects.create(
        name="Example Helpline", logo="Example", phones="000", nation="ENG", opens=line.opens, closes=line.closes
    )
    page = client.get(reverse("site:privacy")).content.decode()
    assert "</svg>Example</a>" in page
    assert "<title>Seawall</title>" in page


def test_a_page_about_a_fault_asks_no_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert client.get("/no-such-page/").status_code == 404


def test_it_answers_a_form_sent_to_a_page_that_takes_none_with_words(client: Client) -> None:
    answer = client.post(reverse("site:privacy"))
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert "This page takes no form." in answer.content.decode()


@pytest.mark.parametrize("codec", ["idna", "undefined", "hex", "utf-16"])
def test_a_form_in_a_strange_codec_is_read_as_utf_8(client: Client, codec: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="fingerprints"\r\n\r\n\xff\r\n--x--\r\n'
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        answer = client.generic("POST", reverse("protect:send"), body, f"{kind}; charset={codec}")
        assert answer.status_code == 422
