"""Signing in, and that nothing of it reaches a public page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client

from seawall.accounts import forms, operations
from seawall.accounts.middleware import Csrf
from seawall.site.tests.browse import follow

if TYPE_CHECKING:
    from django.test import RequestFactory
    from playwright.sync_api import Page, Request

    from seawall.accounts.models import Staff

LONG = "a quiet harbour at dawn"
PUBLIC = ["/", "/privacy/", "/protect/", "/directory.json", "/no-such-page/"]


@pytest.fixture(autouse=True)
def _nobody_tried_yet() -> None:
    forms._tries.clear()


@pytest.fixture
def alice() -> Staff:
    return operations.add_staff(email="alice@example.org", name="Alice", password=LONG)


def sign_in(client: Client, password: str = LONG, **headers: Any) -> Any:
    page = client.get("/staff/login/", **headers)
    token = page.cookies["csrftoken"].value if "csrftoken" in page.cookies else client.cookies["csrftoken"].value
    form = {"username": "alice@example.org", "password": password, "csrfmiddlewaretoken": token}
    return client.post("/staff/login/?next=/staff/", form, **headers)


@pytest.mark.django_db
def test_the_cookies_stay_under_staff(alice: Staff) -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).headers["Location"] == "/staff/"
    assert set(client.cookies) == {"sessionid", "csrftoken"}
    for cookie in client.cookies.values():
        assert (cookie["path"], cookie["samesite"]) == ("/staff/", "Strict")
        assert cookie["httponly"]
    assert alice.name in client.get("/staff/").content.decode()


@pytest.mark.django_db
def test_the_cookies_are_secure_wherever_there_is_tls(alice: Staff) -> None:  # noqa: ARG001 - she exists
    client = Client(enforce_csrf_checks=True)
    sign_in(client, secure=True, HTTP_REFERER="https://testserver/staff/login/")
    assert set(client.cookies) == {"sessionid", "csrftoken"}
    assert all(cookie["secure"] for cookie in client.cookies.values())


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_words(alice: Staff) -> None:  # noqa: ARG001
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/staff/login/", {"username": "alice@example.org", "password": LONG})
    assert answer.status_code == 403
    assert 'id="exit"' in answer.content.decode()
    assert "sessionid" not in client.cookies


@pytest.mark.django_db
def test_a_form_from_another_site_is_refused_even_with_its_token(alice: Staff) -> None:  # noqa: ARG001
    answer = sign_in(Client(enforce_csrf_checks=True), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.django_db
def test_a_public_page_asks_for_no_session_even_of_somebody_who_signed_in(
    alice: Staff, django_assert_max_num_queries: Any
) -> None:
    client = Client()
    client.force_login(alice)
    for path in PUBLIC:
        with django_assert_max_num_queries(50) as asked:
            answer = client.get(path)
        assert not [query for query in asked.captured_queries if "django_session" in query["sql"]], path
        assert not hasattr(answer.wsgi_request, "session"), path
        assert not hasattr(answer.wsgi_request, "user"), path
        assert "Set-Cookie" not in answer.headers, path
        assert "Cookie" not in answer.headers.get("Vary", ""), path
    with django_assert_max_num_queries(50) as asked:
        client.get("/staff/")
    assert [query for query in asked.captured_queries if "django_session" in query["sql"]]


@pytest.mark.django_db
def test_a_public_form_needs_no_token() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/protect/receipt/", {"receipt": "nonsense"}).status_code in {404, 422}


def test_every_page_under_staff_is_checked_not_only_djangos_own(rf: RequestFactory) -> None:
    check = Csrf(lambda _: HttpResponse())
    with pytest.raises(PermissionDenied):
        check.process_view(rf.post("/staff/to-come/"), lambda _: HttpResponse(), (), {})
    assert check.process_view(rf.post("/protect/send/"), lambda _: HttpResponse(), (), {}) is None


@pytest.mark.django_db
def test_bob_who_left_is_out_with_his_next_click() -> None:
    bob = operations.add_staff(email="bob@example.org", name="Bob", password=LONG)
    client = Client()
    client.force_login(bob)
    assert client.get("/staff/").status_code == 200
    operations.end_staff(email="bob@example.org")
    assert client.get("/staff/").status_code == 302


@pytest.mark.django_db
def test_guessing_is_slowed_down_and_keeps_no_address(alice: Staff, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    checked: list[str] = []

    def count(form: AuthenticationForm) -> dict[str, str]:
        checked.append(form.cleaned_data["password"])
        return form.cleaned_data

    monkeypatch.setattr(AuthenticationForm, "clean", count)
    for _ in range(forms.TRIES + 5):
        forms.SignIn(None, {"username": "alice@example.org", "password": "a guess"}).is_valid()
    assert len(checked) == forms.TRIES
    refused = forms.SignIn(None, {"username": "alice@example.org", "password": LONG})
    assert not refused.is_valid()
    assert "Wait a minute" in str(refused.errors)
    assert all(isinstance(each, float) for each in forms._tries)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_desk_works_in_a_real_browser_under_its_strict_policy(alice: Staff, live_server: Any, page: Page) -> None:
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(f"{live_server.url}/staff/")
    page.fill("[name=username]", alice.email)
    page.fill("[name=password]", LONG)
    follow(page.locator("[type=submit]"))
    assert "alice" in page.inner_text("#user-tools").lower()
    page.goto(f"{live_server.url}/staff/directory/operator/add/")
    page.fill("[name=name]", "Harbour")
    follow(page.locator("[name=_save]"))
    assert "added successfully" in page.inner_text(".messagelist")
    page.goto(f"{live_server.url}/staff/directory/closure/add/")
    page.click("#id_first + .datetimeshortcuts a:first-child")  # "Today": Django's own script runs
    assert page.input_value("#id_first")
    page.click("#id_last + .datetimeshortcuts a:first-child")
    follow(page.locator("[name=_save]"))
    assert "added successfully" in page.inner_text(".messagelist")
    assert refused == []
    assert {cookie["path"] for cookie in page.context.cookies()} == {"/staff/"}
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - Playwright takes no built-in
    page.goto(f"{live_server.url}/")
    assert {request.all_headers().get("cookie") for request in sent} == {None}
