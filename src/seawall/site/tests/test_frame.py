import pytest
from django.test import Client
from django.urls import reverse

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
