"""What the case page and its worker are allowed, and that the server tells everybody the same."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def directives(policy: str) -> dict[str, str]:
    return dict(each.strip().partition(" ")[::2] for each in policy.split(";"))


def test_the_page_may_talk_to_its_own_origin_and_start_two_workers() -> None:
    answer = Client().get("/case/")
    policy = directives(answer.headers["Content-Security-Policy"])
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == policy["worker-src"] == "'self'"
    assert re.fullmatch(r"'self' 'sha256-[\w+/=]+'", policy["script-src"])
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["trusted-types"] == "seawall-derive seawall-sealer"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_webassembly_runs_in_the_worker_that_makes_the_key_and_nothing_else_does() -> None:
    answer = Client().get("/case/derive.js")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; script-src 'wasm-unsafe-eval'"
    assert answer.headers["Content-Type"] == "text/javascript"
    assert b"argon2" in answer.content.lower()


def test_everybody_gets_the_same_page_and_no_cookie() -> None:
    pages = [Client().get("/case/", headers={"User-Agent": agent}) for agent in ("one", "another")]
    assert pages[0].content == pages[1].content
    assert not any(page.cookies for page in pages)


def test_no_field_of_the_page_itself_has_a_name_under_which_it_could_be_sent() -> None:
    html = Client().get("/case/").content.decode()
    for step in ("check", "entering"):
        part = html.split(f'data-step="{step}"')[1].split("</section>")[0]
        assert "<input" in part
        assert not re.search(r"<input[^>]* name=", part)
        assert not re.search(r"<form[^>]* (action|method)=", part)


def test_scripts_are_sent_compressed() -> None:
    answer = Client().get("/static/site/vendor/sealing.js", headers={"Accept-Encoding": "gzip"})
    body = b"".join(answer)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(body) * 2 < len(gzip.decompress(body))


def test_it_stands_in_every_language_and_layout() -> None:
    for path in ("/cy/case/", "/easy/case/", "/easy/cy/case/"):
        answer = Client().get(path)
        assert answer.status_code == 200
        assert "seawall-derive" in answer.headers["Content-Security-Policy"]
