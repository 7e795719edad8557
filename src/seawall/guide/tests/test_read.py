"""The words: easy to read, ours, and without facts of their own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import textstat
from django.test import Client
from django.urls import reverse

from seawall.guide.urls import urlpatterns

pytestmark = pytest.mark.django_db

TEMPLATES = sorted((Path(__file__).parents[1] / "templates").rglob("*.html"))
PATHS = [reverse(f"guide:{pattern.name}") for pattern in urlpatterns]
FULL = {"a": "2", "b": ["facebook", "instagram", "1", "2"], "c": "2", "d": "2", "e": ["1", "2", "3", "4", "5", "6"]}


class Lines(HTMLParser):
    """The text of ``main``, one block a line."""

    BLOCKS = frozenset({"p", "li", "h1", "h2", "h3", "h4", "summary", "legend", "label", "br"})
    SILENT = frozenset({"svg", "script", "style", "nav"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.inside = self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - HTMLParser's signature
        self.inside += tag == "main"
        self.silent += tag in self.SILENT
        self.parts += "\n" if tag in self.BLOCKS else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag == "main"
        self.silent -= tag in self.SILENT
        self.parts += "\n" if tag in self.BLOCKS else ""

    def handle_data(self, data: str) -> None:
        if self.inside and not self.silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def lines(html: str) -> list[str]:
    """Each line as a sentence, so that a heading does not run into what follows it."""
    reader = Lines()
    reader.feed(html)
    found = (line.strip() for line in "".join(reader.parts).split("\n"))
    return [line if line[-1] in ".!?:”" else f"{line}." for line in found if re.search("[A-Za-z]", line)]


def grade(html: str) -> float:
    return float(textstat.flesch_kincaid_grade(" ".join(lines(html))))


def test_the_measure_tells_hard_from_easy() -> None:
    hard = "<main><p>Notwithstanding jurisdictional considerations, perpetrators habitually exploit intimidation."
    assert grade(hard + "</p></main>") > 12
    assert grade("<main><p>Do not pay. They come back.</p></main>") < 3


@pytest.mark.parametrize("path", PATHS)
def test_a_ten_year_old_can_read_it(path: str) -> None:
    assert grade(Client().get(path).content.decode()) <= 5


def test_a_ten_year_old_can_read_the_steps_too() -> None:
    assert grade(Client().post(reverse("guide:start"), FULL).content.decode()) <= 5
    assert grade(Client().post(reverse("guide:start"), {"e": ["7"]}).content.decode()) <= 5


@pytest.mark.parametrize("path", PATHS)
def test_no_sentence_is_long(path: str) -> None:
    for line in lines(Client().get(path).content.decode()):
        for sentence in re.split(r"[.!?:]\s", line):
            assert len(sentence.split()) <= 25, sentence


def test_no_template_states_a_fact_of_its_own() -> None:
    # Numbers to call, addresses and sections of law belong to the directory, with source and date.
    for template in TEMPLATES:
        text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"))
        if template.parent.name != "drawings":
            assert not re.search(r"\b(?:999|101|112|911|0\d{3,})\b|\d{3} \d{3}", text), template
        assert not re.search(r"https?://|@[a-z]+\.|\bAct (?:19|20)\d\d|[Ss]ection \d", text), template


def test_every_sentence_can_be_translated() -> None:
    for template in TEMPLATES:
        text = re.sub(r"\{%\s*blocktranslate.*?endblocktranslate\s*%\}", "", template.read_text(), flags=re.DOTALL)
        text = re.sub(r"\{[%#{].*?[%#}]\}|<[^>]+>|&\w+;", "", text, flags=re.DOTALL)
        assert not re.search("[A-Za-z]{2}", text), (template, text.strip())


def test_it_blames_nobody_who_asks_for_help_and_promises_nothing() -> None:
    pages = [Client().get(path).content.decode() for path in PATHS]
    pages.append(Client().post(reverse("guide:start"), FULL).content.decode())
    for page in pages:
        said = " ".join(lines(page))
        assert not re.search(r"\byou should(?:n't| not)? have\b|\bguarantee|\bwill be removed\b|\balways works\b", said)
        for found in re.finditer(r"your fault", said):
            assert said[: found.start()].endswith("not "), said[found.start() - 40 : found.end()]


POINTS = {
    # point of the helpline's page -> (page, words that carry it)
    "what it is": ("guide:what", "to get money, more pictures, or power over you"),
    "social media and dating sites": ("guide:what", "in an app or on a dating site"),
    "how it happens": ("guide:what", "They use a false name"),
    "trust is quickly gained": ("guide:what", "Soon you trust them."),
    "recorded without knowledge": ("guide:what", "They may record it, and you do not see that."),
    "threats for money or more pictures": ("guide:what", "They want money, or more pictures."),
    "by whom": ("guide:what", "a gang in another country"),
    "or one person": ("guide:what", "Sometimes it is one person."),
    "keep calm, not your fault": ("guide:calm", "The blame is theirs."),
    "not alone": ("guide:home", "you are not alone"),
    "help exists": ("guide:what", "There is help, and there is a way through."),
    "opening hours": ("guide:talk", "Closed on bank holidays."),
    "keep all messages": ("guide:home", "Keep the messages."),
    "do not delete": ("guide:evidence", "Do not delete the chat."),
    "collect evidence": ("guide:evidence", "Take a screenshot of each threat."),
    "bank details": ("guide:evidence", "where the money should go: bank"),
    "no money": ("guide:money", "Send no money"),
    "no time": ("guide:money", "Do not ask for more time."),
    "they want to talk, to press": ("guide:money", "The more you talk, the more they can press you."),
    "do not answer": ("guide:money", "Do not answer at all."),
    "the sum looks affordable": ("guide:money", "They pick a sum that you can just pay."),
    "followed by more": ("guide:money", "Then they ask for more."),
    "report after evidence": ("guide:report", "Keep the evidence first."),
    "block": ("guide:report", "Block them."),
    "advice per platform": ("guide:apps", "Instagram"),
    "platform not listed": ("guide:apps", "Use its own way to report."),
    "police": ("guide:police", "101"),
    "emergency": ("guide:police", "999"),
    "against the law": ("guide:police", "breaks the law"),
    "offenders abroad": ("guide:police", "If the person is far away, they often cannot reach them."),
    "a report still helps": ("guide:police", "Each report still helps."),
    "not urgent": ("guide:police", "Call when it is not an emergency."),
    "the national crime agency": ("guide:police", "National Crime Agency"),
    "tell the helpline where": ("guide:talk", "Tell them where the threat is."),
    "the fingerprint": ("guide:talk", "Facebook, Messenger or Instagram"),
    "privacy settings": ("guide:settings", "Make your account private."),
    "privacy settings per platform": ("guide:settings", "Let only your contacts add you to groups."),
    "google alerts": ("guide:alerts", "Google Alerts"),
    "more support": ("guide:support", "Victim Support"),
    "exit": ("site:leaving", "The red button"),
}


@pytest.mark.parametrize("point", POINTS)
def test_every_point_of_the_helplines_page_has_its_page(point: str) -> None:
    name, words = POINTS[point]
    assert words in " ".join(lines(Client().get(reverse(name)).content.decode()))
