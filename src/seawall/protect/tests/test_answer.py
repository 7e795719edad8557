"""What each page answers, above all to bad input."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import brotli
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.utils.html import strip_tags

from seawall.exchange import operations, queries
from seawall.exchange.models import Entry
from seawall.protect import page
from seawall.protect.forms import MOST_CODES, Code, NotAReceipt, read_receipt
from seawall.protect.views import PictureStatus
from seawall.site.tests import pseudo

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
ALICE, BOB = bytes.fromhex("a1" * 16), bytes.fromhex("b0" * 16)
PICTURE = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"


def line(token: bytes = ALICE, pdq: str = PICTURE, quality: str = "100") -> str:
    return f"{hashlib.sha256(token).hexdigest()} image pdq1 {pdq} {quality}"


def text(*lines: str, scope: str = "all and future") -> str:
    return "\n".join(["seawall fingerprints 1", f"for {scope}", *lines, ""])


def receipt(*tokens: bytes) -> str:
    return "seawall receipt 1\nsite http://testserver\nmade 2026-11-23\n# keep\n" + "".join(
        f"{token.hex()} {PICTURE}\n" for token in tokens
    )


def send(fingerprints: str, client: Client | None = None) -> tuple[int, str]:
    answer = (client or Client()).post("/protect/send/", {"fingerprints": fingerprints})
    assert not answer.cookies
    return answer.status_code, answer.content.decode()


def ask(given: str, path: str = "/protect/receipt/", **fields: str) -> tuple[int, str]:
    answer = Client().post(path, {"receipt": given, **fields})
    assert not answer.cookies
    return answer.status_code, answer.content.decode()


# The pages before


def test_it_asks_the_age_first_and_leads_both_ways() -> None:
    body = Client().get("/protect/").content.decode()
    assert "18 or over when the picture or video was made?" in body
    assert 'href="/protect/picture/"' in body
    assert 'href="/protect/under-18/"' in body
    assert "<form" not in body


def test_it_leads_under_18s_to_the_services_made_for_them_and_stores_nothing() -> None:
    body = Client().get("/protect/under-18/").content.decode()
    assert 'href="tel:999"' in body  # one touch, and the number stands in the directory
    for name in ("Report Remove", "Take It Down", "CEOP"):
        assert name in body
    assert not Entry.objects.exists()


# The pinned page


class Parts(HTMLParser):
    """The text of every script and style of a page as a browser reads it, and each frame's srcdoc."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open = ""
        self.active: list[str] = []
        self.frames: list[str] = []
        self.named: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert "src" not in given, tag
        assert not any(name.startswith("on") or name == "style" for name in given), tag
        if tag in {"script", "style"}:
            self.open = tag
            self.active.append("")
        if tag == "iframe":
            assert given["sandbox"] == "allow-scripts"
            self.frames.append(given["srcdoc"] or "")
        if tag == "link":
            assert given["href"] == "data:,"
        if "name" in given and tag != "meta":
            self.named.append(given["name"] or "")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.active[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self.open:
            self.open = ""


def pins_of(policy: str) -> set[str]:
    return set(re.findall(r"'(sha256-[^']+)'", policy))


def test_every_pin_of_the_policy_is_the_hash_of_what_is_rendered_in_every_language(
    settings: Settings, tmp_path: Path
) -> None:
    pseudo.speak(settings, tmp_path)
    policies = set()
    for prefix in ("", "/cy", f"/{pseudo.CODE}"):
        answer = Client().get(f"{prefix}/protect/picture/")
        check_pins(answer.content.decode(), answer["Content-Security-Policy"])
        policies.add(answer["Content-Security-Policy"])
    assert len(policies) == 1, "the words have no part in what runs"


def check_pins(html: str, policy: str) -> None:
    outer = Parts(html)
    (inner,) = [Parts(frame) for frame in outer.frames]
    hashes = {
        "sha256-" + base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        for part in outer.active + inner.active
    }
    assert len(hashes) == 3
    assert pins_of(policy) == hashes
    assert outer.named == ["fingerprints"], "the picture's field, or another, could be sent"


def test_the_page_carries_both_policies_to_the_letter() -> None:
    policy = Client().get("/protect/picture/")["Content-Security-Policy"]
    script, hasher, style = re.findall(r"'sha256-[^']+'", policy)
    assert policy == (
        f"default-src 'none'; script-src {script} {hasher} 'wasm-unsafe-eval'; img-src data:; style-src {style}; "
        "worker-src blob:; connect-src 'none'; form-action 'self'; frame-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none', default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; img-src data:; "
        "style-src 'unsafe-inline'; worker-src blob:; form-action 'self'; frame-src 'none'"
    )


def test_the_page_is_one_small_answer_that_loads_nothing() -> None:
    body = Client().get("/protect/picture/").content.decode()
    assert "<title>Seawall</title>" in body
    assert not re.search(r"""(?:src|href)="(?:https?:)?//""", body.replace(exit_address(body), ""))

    pressed = Client().get("/protect/picture/", headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert pressed["Content-Encoding"] == "br"
    assert pressed["Vary"] == "Accept-Encoding"
    assert brotli.decompress(pressed.content).decode() == body
    assert len(pressed.content) <= 80_000
    welsh = Client().get("/cy/protect/picture/", headers={"Accept-Encoding": "br"})
    assert len(welsh.content) <= 80_000
    for takes in ("gzip, br;q=0", "gzip"):
        assert Client().get("/protect/picture/", headers={"Accept-Encoding": takes})["Content-Encoding"] == "gzip"


def exit_address(body: str) -> str:
    """The one address elsewhere is the exit's."""
    return re.search(r'id="exit" href="([^"]+)"', body)[1]  # type: ignore[index]


@pytest.mark.parametrize("end", ["</script>", "</SCRIPT >", "<!--", "\r\n"])
@pytest.mark.parametrize("part", ["frame", "page"])
def test_it_refuses_to_seal_a_script_that_would_end_its_element_early(part: str, end: str) -> None:
    parts = {"worker": "", "frame": "", "page": "", "style": ""}
    with pytest.raises(ValueError, match="break out"):
        page.seal(**parts | {part: f'const a = "{end}";'})


def test_it_refuses_to_seal_a_style_that_would_end_its_element_early() -> None:
    with pytest.raises(ValueError, match="break out"):
        page.seal(worker="", frame="", page="", style="p::before { content: '</style>' }")


def test_a_worker_may_hold_any_text_because_it_is_quoted() -> None:
    sealed = page.seal(worker='"</script><!--\r\n', frame="", page="", style="")
    assert sealed.frame.count("</script>") == 1


# Sending


def test_it_takes_the_text_and_says_what_happens_next() -> None:
    status, body = send(text(line(), line(BOB)))
    assert status == 200
    assert "2 fingerprints are with us now" in body
    assert "/protect/receipt/" in body
    assert Entry.objects.count() == 2


def test_it_takes_the_line_ends_of_a_browser() -> None:
    assert send(text(line()).replace("\n", "\r\n"))[0] == 200


def test_sending_twice_gives_the_same_answer_and_stores_once() -> None:
    assert send(text(line())) == send(text(line()))
    assert Entry.objects.count() == 1


def test_the_same_code_for_another_picture_is_a_conflict() -> None:
    send(text(line()))
    status, body = send(text(line(BOB), line(pdq="0f" * 32)))
    assert status == 409
    assert "Nothing was stored" in body
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "hello",
        text(),
        text(line(pdq="xyz" + PICTURE[3:])),
        text(line(pdq=PICTURE.upper())),
        text(line(pdq=PICTURE[1:])),
        text(line(pdq=PICTURE + "0")),
        text(line(quality="101")),
        text(line(quality="-1")),
        text(line(quality="49")),
        text(line(quality="1e2")),
        text(line(), line(BOB) + " extra"),
        text(line(), scope="everybody"),
        text(line(), scope="facebook facebook"),
        text(line()) + "\x00",
        text(*(line(index.to_bytes(16, "big")) for index in range(101))),
    ],
)
def test_a_bad_text_is_refused_with_a_sentence_and_nothing_is_stored(bad: str) -> None:
    status, body = send(bad)
    assert status == 422
    assert "Nothing was stored" in body
    assert "Traceback" not in body
    assert not Entry.objects.exists()


def test_10_000_fingerprints_in_one_form_are_too_many() -> None:
    status, body = send(text(*(line(index.to_bytes(16, "big")) for index in range(10_000))))
    assert status == 413
    assert "100 pictures at a time" in body
    assert not Entry.objects.exists()


def test_a_thousand_fields_are_too_many() -> None:
    answer = Client().post("/protect/send/", {f"field{number}": "x" for number in range(1000)})
    assert answer.status_code == 413


def test_it_refuses_a_form_that_another_site_sent() -> None:
    stranger = Client(headers={"Sec-Fetch-Site": "cross-site"})
    assert send(text(line()), stranger)[0] == 403
    assert not Entry.objects.exists()


def test_a_form_that_was_cut_off_at_the_end_of_a_line_is_not_taken_as_whole() -> None:
    sent = urlencode({"fingerprints": text(line())}).encode()
    answer = Client(raise_request_exception=False).post(
        "/protect/send/",
        sent,
        content_type="application/x-www-form-urlencoded",
        **{"CONTENT_LENGTH": str(len(sent) + 300), "wsgi.input": BytesIO(sent)},  # type: ignore[arg-type]
    )
    assert answer.status_code == 400
    assert not Entry.objects.exists()


def test_it_takes_no_file() -> None:
    answer = Client().post("/protect/send/", {"fingerprints": SimpleUploadedFile("a.txt", text(line()).encode())})
    assert answer.status_code == 422


def test_opening_the_address_of_the_form_leads_back_to_the_start() -> None:
    for path, start in (("/protect/send/", "/protect/"), ("/protect/receipt/withdraw/", "/protect/receipt/")):
        answer = Client().get(path)
        assert (answer.status_code, answer["Location"]) == (302, start)


# The receipt


def test_it_reads_a_whole_receipt_bare_codes_and_what_mail_does_to_them() -> None:
    for given in (
        receipt(ALICE, BOB),
        receipt(ALICE, BOB).replace("\n", "\r\n"),
        f"  {ALICE.hex()}\n\n{BOB.hex().upper()}  ",
        receipt(ALICE, BOB) + receipt(ALICE),
    ):
        assert [code.token for code in read_receipt(given)] == [ALICE, BOB]


@pytest.mark.parametrize("given", ["", "\n \n", "seawall receipt 1\n", "a1" * 15, "a1" * 17, "hello", "g1" * 16])
def test_it_refuses_what_is_no_receipt_with_a_sentence(given: str) -> None:
    status, body = ask(given)
    assert status == 422
    assert "aste" in body


def test_it_refuses_more_codes_than_any_receipt_has() -> None:
    with pytest.raises(NotAReceipt, match="one receipt at a time"):
        read_receipt("\n".join(f"{number:032x}" for number in range(MOST_CODES + 1)))
    assert ask("x" * (1 << 20) + "x")[0] == 413


def test_an_unknown_code_gets_a_kind_sentence() -> None:
    status, body = ask(receipt(ALICE))
    assert status == 404
    assert "We know nothing of this code" in body


def test_it_shows_each_platform_and_what_it_stopped() -> None:
    operations.add_partner(name="Example", slugs=["facebook", "instagram"], now=NOW)
    send(text(line(), scope="facebook"))
    status, body = ask(receipt(ALICE))
    assert status == 200
    assert re.search(r"<b>Facebook</b>:\s*not fetched yet", body)
    assert "Instagram" not in body
    assert PICTURE in body


def test_platforms_of_one_partner_share_a_line_so_that_a_block_shows_once() -> None:
    operations.add_partner(name="Example", slugs=["facebook", "instagram"], now=NOW)
    operations.add_partner(name="Other", slugs=["reddit"], now=NOW)
    send(text(line(), scope="all"))
    _, body = ask(receipt(ALICE))
    assert re.findall(r"<b>([^<]+)</b>:", body) == ["Facebook, Instagram", "Reddit"]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("waiting", "not fetched yet."),
        ("does not report", "got it on 23 November, 14:00 UK time. No reports come from there."),
        ("delivered", "got it on 23 November, 14:00 UK time."),
        ("loaded", "looking for it since 23 November, 14:00 UK time."),
        ("matched", "a copy was found on 23 November, 14:00 UK time. It is not decided yet what happens to it."),
        ("blocked", "a copy was stopped, last on 23 November, 14:00 UK time."),
        ("refused", "decided on 23 November, 14:00 UK time not to stop it."),
        ("asked to withdraw", "asked to drop it."),
        ("withdrawn", "dropped it on 23 November, 14:00 UK time."),
        ("asked, not confirmed", "asked to drop it. They do not confirm it."),
    ],
)
def test_it_says_in_words_what_each_platform_did(state: queries.PlatformState, sentence: str) -> None:
    words = words_for(state, ["Facebook"], blocked=2)
    assert f"Facebook: {sentence} 2 uploads stopped." in words
    assert "With us since 23 November, 14:00 UK time." in words


@pytest.mark.parametrize(("blocked", "sentence"), [(1, "1 upload stopped."), (2, "2 uploads stopped.")])
def test_platforms_that_share_a_line_are_said_to_have_stopped_an_upload_together(blocked: int, sentence: str) -> None:
    words = words_for("delivered", ["Facebook", "Instagram"], blocked=blocked)
    assert f"Facebook, Instagram: got it on 23 November, 14:00 UK time. Together: {sentence}" in words
    assert "Together" not in words_for("delivered", ["Facebook", "Instagram"], blocked=0)


def words_for(state: queries.PlatformState, names: list[str], *, blocked: int) -> str:
    hour = NOW.replace(minute=0)
    platform = queries.PlatformStatus("facebook", "Facebook", "Example", state, hour, blocked=blocked)
    shown = PictureStatus(Code(ALICE, PICTURE), queries.EntryStatus("active", hour, (platform,)), ((names, platform),))
    return re.sub(r"\s+", " ", strip_tags(render_to_string("protect/platforms.html", {"picture": shown})))


def test_it_asks_only_about_what_can_still_be_taken_back() -> None:
    send(text(line(), line(BOB)))
    unknown = b"\1" * 16
    ask(receipt(BOB), "/protect/receipt/withdraw/", which="all", confirmed="yes")
    assert (
        "Take this fingerprint back?" in ask(receipt(ALICE, BOB, unknown), "/protect/receipt/withdraw/", which="all")[1]
    )
    assert "back?" not in ask(receipt(BOB, unknown), "/protect/receipt/withdraw/", which="all")[1]


def test_it_asks_before_it_takes_back_and_then_does() -> None:
    send(text(line(), line(BOB)))
    status, body = ask(receipt(ALICE, BOB), "/protect/receipt/withdraw/", which=ALICE.hex())
    assert status == 200
    assert "Take this fingerprint back?" in body
    assert queries.status(token=ALICE, now=NOW).state == "active"

    status, body = ask(receipt(ALICE, BOB), "/protect/receipt/withdraw/", which=ALICE.hex(), confirmed="yes")
    assert status == 200
    assert queries.status(token=ALICE, now=NOW).state != "active"
    assert queries.status(token=BOB, now=NOW).state == "active"


def test_it_takes_all_back_at_once_and_twice_is_fine() -> None:
    send(text(line(), line(BOB)))
    for _ in range(2):
        assert ask(receipt(ALICE, BOB), "/protect/receipt/withdraw/", which="all", confirmed="yes")[0] == 200
    assert {queries.status(token=token, now=NOW).state for token in (ALICE, BOB)} <= {"withdrawing", "withdrawn"}


def test_taking_back_needs_a_code_of_that_receipt() -> None:
    send(text(line(), line(BOB)))
    assert ask(receipt(ALICE), "/protect/receipt/withdraw/", which=BOB.hex(), confirmed="yes")[0] == 422
    assert ask(receipt(b"\0" * 16), "/protect/receipt/withdraw/", which="all", confirmed="yes")[0] == 404
    assert {queries.status(token=token, now=NOW).state for token in (ALICE, BOB)} == {"active"}


def test_bob_taking_the_same_picture_back_leaves_alice_protected() -> None:
    send(text(line(ALICE)))
    send(text(line(BOB)))
    ask(receipt(BOB), "/protect/receipt/withdraw/", which="all", confirmed="yes")
    assert queries.status(token=ALICE, now=NOW).state == "active"


def test_no_page_puts_a_code_into_an_address() -> None:
    send(text(line()))
    for body in (
        ask(receipt(ALICE))[1],
        ask(receipt(ALICE), "/protect/receipt/withdraw/", which="all")[1],
    ):
        for address in re.findall(r'(?:href|action)="([^"]*)"', body):
            assert ALICE.hex() not in address
            assert PICTURE not in address
