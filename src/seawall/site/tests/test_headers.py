"""Mozilla's HTTP Observatory, its rules as a test of ours: https://github.com/mdn/mdn-http-observatory (scoring)."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from seawall.site.frame import SCRIPT, STYLE, _pin

pytestmark = pytest.mark.django_db

PAGES = ["guide:home", "guide:start", "guide:calm", "guide:support", "site:privacy", "site:leaving"]
PAGES += ["protect:start", "protect:receipt", "protect:under_18", "protect:picture"]
A_PLUS = 100


def directives(policy: str) -> dict[str, list[str]]:
    return {each.split()[0]: each.split()[1:] for each in policy.split(";") if each.split()}


def effective(header: str) -> list[dict[str, list[str]]]:
    """The policies of a header. A page must satisfy each of them."""
    return [directives(policy) for policy in header.split(",")]


def allows(policies: list[dict[str, list[str]]], directive: str, source: str) -> bool:
    """Whether every policy lets that source in: what one forbids is forbidden."""
    return all(source in policy.get(directive, policy.get("default-src", ["*"])) for policy in policies)


def score(headers: dict[str, str], body: str) -> int:
    """The Observatory's score of one answer: 100, less what is missing, plus what it rewards."""
    policies = effective(headers.get("Content-Security-Policy", ""))
    points = 100
    scripts_inline = allows(policies, "script-src", "'unsafe-inline'")
    points -= 20 if scripts_inline or allows(policies, "script-src", "'unsafe-eval'") else 0
    points -= 25 if not policies[0] else 0
    points -= 20 if allows(policies, "script-src", "data:") or allows(policies, "script-src", "*") else 0
    # default-src 'none' and nothing unsafe, not in styles either, is worth 10 more
    strict = any(policy.get("default-src") == ["'none'"] for policy in policies)
    points += 10 if strict and not allows(policies, "style-src", "'unsafe-inline'") else 0
    points -= 20 if "Set-Cookie" in headers else 0
    points -= 50 if "Access-Control-Allow-Origin" in headers else 0
    seconds = re.search(r"max-age=(\d+)", headers.get("Strict-Transport-Security", ""))
    points -= 20 if not seconds else 10 if int(seconds[1]) < 15_768_000 else 0
    points += 5 if headers.get("Referrer-Policy") in {"no-referrer", "same-origin", "strict-origin"} else 0
    points -= 5 if headers.get("X-Content-Type-Options") != "nosniff" else 0
    framed = not any(policy.get("frame-ancestors") == ["'none'"] for policy in policies)
    points += -20 if framed and headers.get("X-Frame-Options") not in {"DENY", "SAMEORIGIN"} else 5 * (not framed)
    points += 10 if headers.get("Cross-Origin-Resource-Policy") in {"same-origin", "same-site"} else 0
    points -= 5 if re.search(r'<script[^>]+src="(?:https?:)?//', body) else 0
    return points


def test_the_score_can_fall() -> None:
    assert score({}, "") < A_PLUS
    bare = {"Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'"}
    assert score(bare, "") < score({"Content-Security-Policy": "default-src 'none'"}, "")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_would_be_given_an_a_plus(name: str) -> None:
    answer = Client().get(reverse(name), secure=True)
    assert score(dict(answer.headers), answer.content.decode()) > A_PLUS


@pytest.mark.parametrize("name", PAGES)
def test_no_policy_lets_unpinned_code_in(name: str) -> None:
    policies = effective(Client().get(reverse(name)).headers["Content-Security-Policy"])
    for directive in ("script-src", "style-src"):
        assert not allows(policies, directive, "'unsafe-inline'")
        assert not allows(policies, directive, "'unsafe-eval'")
        assert not allows(policies, directive, "*")


@pytest.mark.parametrize("name", [name for name in PAGES if name != "protect:picture"])
def test_trusted_types_keep_text_from_becoming_code(name: str) -> None:
    (policy,) = effective(Client().get(reverse(name)).headers["Content-Security-Policy"])
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert policy["trusted-types"] == ["'none'"]


def test_the_pins_are_those_of_the_text_in_the_page() -> None:
    answer = Client().get("/")
    page, policy = answer.content.decode(), answer.headers["Content-Security-Policy"]
    assert f"<style>{STYLE}</style>" in page
    assert f'<script type="module">{SCRIPT}</script>' in page
    assert _pin(STYLE) in policy
    assert _pin(SCRIPT) in policy


def test_a_page_says_https_only_where_it_came_by_https() -> None:
    assert "Strict-Transport-Security" in Client().get("/", secure=True).headers
    assert "Strict-Transport-Security" not in Client().get("/").headers


@pytest.mark.parametrize(
    "path",
    [
        "/no-such-page/",
        "/static/site/no-such-file.css",
        "/static/admin/no-such-file.css",
        "/static/admin/",
        "/directory.jsonx",
        "/directory.json.sig.old",
        "/easy/directory.json",
        "/easy/staff/login/",
        "/staff/no-such-page/",
        "/cy/no-such-page/",
        "/api/no-such-call",
        "/v1/no-such-call",
        "/health/",
    ],
)
def test_what_is_not_there_may_be_kept_by_no_cache(path: str) -> None:
    for answer in (Client().get(path), Client().head(path), Client().post(path)):
        assert answer.headers["Cache-Control"] == "no-store", answer.status_code


def test_what_may_be_kept_is_the_directory_and_the_practitioners_style() -> None:
    for path in ("/directory.json", "/directory.json.sig", "/directory.json.pub", "/static/admin/css/base.css"):
        answer = Client().get(path)
        answer.close()
        assert (answer.status_code, "max-age=" in answer.headers["Cache-Control"]) == (200, True), path
    assert Client().post("/directory.json").headers["Cache-Control"] == "no-store"


def test_a_page_is_sent_compressed_and_a_programs_answer_is_left_alone() -> None:
    answer = Client().get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.content) < len(Client().get("/").content) / 2
    told = Client(raise_request_exception=False).get("/api/nothing", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in told.headers
