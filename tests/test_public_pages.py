"""Walks every public page as a visitor would, and looks at what each answer carries."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

START = ["/", "/protect/", "/protect/picture/", "/protect/receipt/", "/no-such-page/", "/v1/FetchHashes", "/api/feed"]
FORMS = ["/protect/send/", "/protect/receipt/", "/api/receipts/status", "/api/receipts/withdraw", "/v1/SubmitHashes"]


def every_page() -> dict[str, tuple[int, dict[str, str], str]]:
    client, found, waiting = Client(raise_request_exception=False), {}, list(START)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        answer = client.get(path)
        assert not client.cookies
        body = b"".join(answer) if answer.streaming else answer.content
        found[path] = (answer.status_code, dict(answer.headers), body.decode())
        for link in re.findall(r'(?:href|action)="([^"#]+)"', body.decode()):
            target = urlsplit(urljoin(f"http://testserver{path}", link))
            if target.netloc == "testserver" and target.scheme == "http":
                waiting.append(target.path)
    return found


def test_no_public_page_sets_a_cookie_or_may_be_kept() -> None:
    pages = every_page()
    assert {"/", "/protect/", "/protect/picture/", "/protect/under-18/", "/protect/receipt/", "/privacy/"} <= set(pages)
    for path, (_, headers, _) in pages.items():
        assert "Set-Cookie" not in headers, path
        if not path.startswith("/static/"):
            assert headers["Cache-Control"] == "no-store", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path


def test_no_form_sets_a_cookie_even_when_it_is_refused() -> None:
    for path in FORMS:
        for body in ({}, {"fingerprints": "nonsense"}, {"receipt": "nonsense"}):
            answer = Client(raise_request_exception=False).post(path, body)
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
            assert "Set-Cookie" not in answer.headers


def test_every_link_between_our_pages_leads_somewhere() -> None:
    for path, (status, _, _) in every_page().items():
        plain = re.sub("^(/easy)?(/cy)?", "", path)
        if plain not in {"/no-such-page/", "/v1/FetchHashes", "/api/feed", "/protect/send/"}:
            assert status == 200, path


def test_every_page_has_the_exit_and_a_neutral_title() -> None:
    for path, (_, headers, body) in every_page().items():
        if body and headers["Content-Type"].startswith("text/html"):
            assert "<title>Seawall</title>" in body, path
            assert 'id="exit"' in body, path


def test_pages_load_nothing_from_elsewhere() -> None:
    for path, (_, headers, body) in every_page().items():
        if body and headers["Content-Type"].startswith("text/html"):
            assert not re.findall(r'(?:src|srcset|action)="(?:https?:)?//', body), path
            assert not re.findall(r'<link[^>]+href="(?:https?:)?//', body), path
