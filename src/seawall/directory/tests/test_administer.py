"""The operator's desk."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from seawall.directory import facts, queries
from seawall.directory.models import Closure, FactEdit, Operator

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

pytestmark = pytest.mark.django_db
EDIT = {
    "fact": "services/report-fraud/phone",
    "status": "verified",
    "source": "https://www.reportfraud.police.uk/",
    "checked": "2026-08-01",
}
ALICES = {
    "name": "Harbour",
    "phones": "0300 111 2222",
    "nation": "SCT",
    "opens": "09:00",
    "closes": "17:00",
    "monday": "on",
}


@pytest.fixture
def alice(django_user_model: type[AbstractBaseUser]) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(django_user_model.objects.create(email="alice@example.org", name="Alice", is_superuser=True))  # type: ignore[attr-defined]
    return client


def test_a_visitor_is_asked_to_sign_in() -> None:
    for page in ("", "directory/factedit/", "directory/operator/add/", "admin/logentry/"):
        answer = Client().get(f"/staff/{page}")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/staff/login/")


def test_alice_confirms_a_fact_and_it_is_shown(alice: Client) -> None:
    alice.post("/staff/directory/factedit/add/", EDIT)
    alice.post("/staff/directory/factedit/add/", EDIT | {"fact": "services/report-fraud", "what": "Tell them."})
    now = timezone.make_aware(datetime(2026, 8, 3))  # noqa: DTZ001 - made aware here
    found = next(each for each in queries.services(now=now) if each.slug == "report-fraud")
    assert (found.what, found.phone) == ("Tell them.", "0300 123 2040")


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": ""},
        {"source": "   "},
        {"checked": ""},
        {"checked": "yesterday"},
        {"checked": str(date.today() + timedelta(days=2))},  # noqa: DTZ011 - a day to come, in any zone
        {"fact": "services/nobody"},
        {"fact": ""},
        {"status": "perhaps"},
        {"url": "javascript:alert(1)"},
        {"url": "http://example.org/"},
        {"what": "a phone has no words"},
        {"fact": "platforms/facebook/takes-part", "value": "perhaps"},
    ],
)
def test_it_refuses_a_fact_without_source_or_date_or_with_something_that_does_not_fit(
    alice: Client, wrong: dict[str, str]
) -> None:
    answer = alice.post("/staff/directory/factedit/add/", EDIT | wrong)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not FactEdit.objects.exists()


def test_the_database_itself_refuses_a_fact_without_a_source() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        FactEdit.objects.create(fact="services/galop", source="", checked=date(2026, 8, 1))


def test_the_history_says_who_changed_what_and_what_stood_there_before(alice: Client) -> None:
    alice.post("/staff/directory/factedit/add/", EDIT)
    row = FactEdit.objects.get()
    changed = {name: value for name, value in EDIT.items() if name != "fact"}
    alice.post(f"/staff/directory/factedit/{row.pk}/change/", changed | {"source": "a call to them"})
    last = LogEntry.objects.order_by("-id")[0]
    assert str(last.user) == "Alice"
    assert "source: https://www.reportfraud.police.uk/ became a call to them" in last.get_change_message()
    assert "source: https://www.reportfraud.police.uk/" in LogEntry.objects.order_by("id")[0].get_change_message()
    page = alice.get(f"/staff/directory/factedit/{row.pk}/history/").content.decode()
    assert "alice@example.org" in page
    assert "became a call to them" in page
    assert "became a call to them" in alice.get("/staff/admin/logentry/").content.decode()


def test_nobody_edits_the_history(alice: Client) -> None:
    alice.post("/staff/directory/factedit/add/", EDIT)
    entry = LogEntry.objects.get()
    for verb in ("delete", "change"):
        answer = alice.post(f"/staff/admin/logentry/{entry.pk}/{verb}/", {"post": "yes"})
        assert answer.status_code == 403
    assert LogEntry.objects.count() == 1


def test_an_edit_stays_with_its_fact(alice: Client) -> None:
    alice.post("/staff/directory/factedit/add/", EDIT)
    row = FactEdit.objects.get()
    alice.post(f"/staff/directory/factedit/{row.pk}/change/", EDIT | {"fact": "services/galop"})
    row.refresh_from_db()
    assert row.fact == "services/report-fraud/phone"
    assert "0300 123 2040" in alice.get(f"/staff/directory/factedit/{row.pk}/change/").content.decode()


def test_the_helplines_own_values_start_from_the_shipped_ones(alice: Client) -> None:
    page = alice.get("/staff/directory/operator/add/").content.decode()
    assert "0345 6000 459" in page
    assert "10:00" in page


def test_alice_writes_the_helplines_values_once(alice: Client) -> None:
    assert alice.post("/staff/directory/operator/add/", ALICES).status_code == 302
    assert queries.helpline().name == "Harbour"
    assert alice.post("/staff/directory/operator/add/", ALICES).status_code == 403
    assert alice.post("/staff/directory/operator/1/change/", ALICES | {"name": "Haven"}).status_code == 302
    assert queries.helpline().name == "Haven"
    assert "name: Harbour became Haven" in LogEntry.objects.order_by("-id")[0].get_change_message()


@pytest.mark.parametrize(
    "wrong",
    [
        {"closes": "08:00"},
        {"opens": "25:00"},
        {"phones": "call us"},
        {"phones": "<b>1</b>"},
        {"nation": "FRA"},
        {"name": ""},
    ],
)
def test_it_refuses_values_that_cannot_be(alice: Client, wrong: dict[str, str]) -> None:
    answer = alice.post("/staff/directory/operator/add/", ALICES | wrong)
    assert answer.status_code == 200
    assert not Operator.objects.exists()


def test_alice_closes_the_helpline_for_a_week(alice: Client) -> None:
    alice.post("/staff/directory/closure/add/", {"first": "2026-08-03", "last": "2026-08-07"})
    assert queries.helpline().hours.closures == ((date(2026, 8, 3), date(2026, 8, 7)),)
    alice.post("/staff/directory/closure/add/", {"first": "2026-08-07", "last": "2026-08-03"})
    assert Closure.objects.count() == 1


def test_every_fact_can_be_chosen(alice: Client) -> None:
    page = alice.get("/staff/directory/factedit/add/").content.decode()
    assert all(f'value="{fact_id}"' in page for fact_id in facts.by_id())


def test_what_to_look_up_comes_first_and_nothing_is_chosen_for_a_tired_alice(alice: Client) -> None:
    def groups() -> dict[str, list[str]]:
        page = alice.get("/staff/directory/factedit/add/").content.decode()
        assert 'value="" selected' in page
        return {
            label: re.findall(r'value="([^"]+)"', options)
            for label, options in re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page, flags=re.DOTALL)
        }

    hidden, old = "Hidden until you confirm it", "Shown, and not looked at for 90 days"
    before = groups()
    assert next(iter(before)) == hidden
    assert EDIT["fact"] in before[hidden]
    assert "services/emergency-eu" not in before[hidden]  # never hides
    alice.post("/staff/directory/factedit/add/", EDIT | {"checked": str(timezone.localdate())})
    after = groups()
    assert EDIT["fact"] not in after[hidden] + after.get(old, [])
    assert "0300 123 2040" in alice.get("/staff/directory/factedit/add/").content.decode()
