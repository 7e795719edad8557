"""Withdraw means withdrawn; delivered means delivered."""

from __future__ import annotations

import uuid

import pytest

from seawall.exchange import operations, queries
from seawall.exchange.models import Delivery, Entry, Feedback, Signal
from seawall.exchange.wire import Scope

from .conftest import HOUR, NOON, Follower, item, send, token

OTHER_GATE = "5b7e7a52-7bd0-4d3c-8a58-222222222222"


def states(number: int) -> set[str]:
    return {each.state for each in queries.status(token=token(number), now=NOON).platforms}


def test_it_is_delivered_when_every_gate_has_acknowledged(meadow: dict[str, str]) -> None:
    gate, other = Follower(meadow["api"]), Follower(meadow["api"])
    for each, name in ((gate, "1"), (other, "2")):
        each.follow()
        each.ack(gate=OTHER_GATE[:-1] + name)
    send(1)
    assert states(1) == {"waiting"}
    gate.follow()
    gate.ack(gate=OTHER_GATE[:-1] + "1")
    assert states(1) == {"waiting"}
    other.follow()
    other.ack(gate=OTHER_GATE[:-1] + "2")
    assert states(1) == {"loaded"}


def test_a_gate_that_was_not_heard_of_for_a_day_holds_nothing_up(meadow: dict[str, str]) -> None:
    gate, lost = Follower(meadow["api"]), Follower(meadow["api"])
    lost.follow()
    lost.ack(gate=OTHER_GATE)
    later = NOON + 30 * HOUR
    send(1, now=later)
    gate.follow()
    gate.ack(later)
    assert {each.state for each in queries.status(token=token(1), now=later).platforms} == {"loaded"}


def test_its_value_is_erased_once_every_partner_in_scope_has_dropped_it(
    meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    [alice] = send(1)
    gates = [Follower(meadow["api"]), Follower(harbour["api"])]
    for gate in gates:
        gate.follow()
        gate.ack()
    operations.withdraw(token=token(1), now=NOON)
    assert states(1) == {"asked to withdraw"}
    gates[0].follow()
    gates[0].ack()
    assert states(1) == {"asked to withdraw", "withdrawn"}
    assert queries.status(token=token(1), now=NOON).state == "withdrawing"
    assert Signal.objects.exists()
    gates[1].follow()
    gates[1].ack()
    assert states(1) == {"withdrawn"}
    assert queries.status(token=token(1), now=NOON).state == "withdrawn"
    assert not Signal.objects.exists()
    assert Entry.objects.get(pk=alice).state == "withdrawn"


def test_what_no_partner_ever_had_is_erased_at_once(meadow: dict[str, str]) -> None:
    send(1)
    operations.withdraw(token=token(1), now=NOON)
    assert not Signal.objects.exists()
    assert states(1) == {"withdrawn"}
    assert Follower(meadow["api"]).follow() == set()


def test_a_gate_that_took_it_and_had_not_yet_said_so_is_still_asked(meadow: dict[str, str]) -> None:
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    send(1)
    gate.follow()  # holds it, and the acknowledgement is still on its way
    operations.withdraw(token=token(1), now=NOON)
    assert states(1) == {"asked to withdraw"}
    gate.ack()
    assert states(1) == {"asked to withdraw"}
    gate.follow()
    gate.ack()
    assert states(1) == {"withdrawn"}
    assert gate.held == {}


def test_a_partner_whose_gates_never_speak_is_still_asked(meadow: dict[str, str]) -> None:
    send(1)
    silent = Follower(meadow["api"])
    assert len(silent.follow()) == 1
    operations.withdraw(token=token(1), now=NOON)
    assert states(1) == {"asked to withdraw"}
    assert Signal.objects.exists()
    send(2, now=NOON + HOUR)  # after its last look
    operations.withdraw(token=token(2), now=NOON + HOUR)
    assert states(2) == {"withdrawn"}


def test_what_was_withdrawn_stays_so_whatever_is_read_later(meadow: dict[str, str]) -> None:
    send(1)
    operations.withdraw(token=token(1), now=NOON)
    assert states(1) == {"withdrawn"}
    send(2, now=NOON + HOUR)
    late = Follower(meadow["api"], now=NOON + HOUR)
    late.follow()
    assert states(1) == {"withdrawn"}


def test_who_never_spoke_is_still_named_when_the_value_is_erased_after_30_days(meadow: dict[str, str]) -> None:
    send(1)
    Follower(meadow["api"]).follow()
    operations.withdraw(token=token(1), now=NOON)
    operations.erase_expired(now=NOON + 30 * 24 * HOUR)
    assert not Signal.objects.exists()
    assert states(1) == {"asked, not confirmed"}


def test_withdrawing_one_of_two_entries_of_a_picture_leaves_the_other(meadow: dict[str, str]) -> None:
    [alice] = send(1)
    [bob] = send(2, picture=1)
    gate = Follower(meadow["api"])
    assert gate.follow() == {alice, bob}
    operations.withdraw(token=token(1), now=NOON)
    assert gate.follow() == {bob}
    assert queries.status(token=token(2), now=NOON).state == "active"


def test_withdrawing_twice_is_fine_and_sending_again_does_not_bring_it_back(meadow: dict[str, str]) -> None:
    send(1)
    operations.withdraw(token=token(1), now=NOON)
    number = Entry.objects.get().number
    operations.withdraw(token=token(1), now=NOON)
    assert Entry.objects.get().number == number
    send(1)
    assert queries.status(token=token(1), now=NOON).state == "withdrawn"
    assert Follower(meadow["api"]).follow() == set()


@pytest.mark.usefixtures("meadow")
def test_an_unknown_token_and_one_with_the_right_id_look_alike() -> None:
    send(1)
    Entry.objects.update(h=item(1).h[:8] + b"x" * 24)  # the same 63 bits, another token
    for number in (1, 2):
        with pytest.raises(queries.UnknownEntry, match="do not know this token"):
            operations.withdraw(token=token(number), now=NOON)
        with pytest.raises(queries.UnknownEntry):
            queries.status(token=token(number), now=NOON)


def test_the_value_is_erased_after_30_days_though_a_gate_stayed_silent(meadow: dict[str, str]) -> None:
    send(1)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    operations.withdraw(token=token(1), now=NOON)
    assert operations.erase_expired(now=NOON + 30 * 24 * HOUR - HOUR) == 0
    assert Signal.objects.exists()
    assert operations.erase_expired(now=NOON + 30 * 24 * HOUR) == 1
    assert not Signal.objects.exists()
    assert states(1) == {"asked, not confirmed"}
    gate.follow()
    assert gate.held == {}


def test_a_partner_out_of_scope_is_not_in_the_receipt_and_cannot_speak_of_it(
    meadow: dict[str, str], harbour: dict[str, str]
) -> None:
    [alice] = send(1, scope=Scope(("reddit",)))
    shown = queries.status(token=token(1), now=NOON)
    assert [(each.slug, each.partner) for each in shown.platforms] == [("reddit", "Harbour")]
    event = operations.Report(uuid.uuid4(), alice)
    assert operations.take_feedback(caller=Follower(meadow["api"]).caller, events=[event], now=NOON) == 0
    assert operations.take_feedback(caller=Follower(harbour["api"]).caller, events=[event], now=NOON) == 1
    assert [each.blocked for each in queries.status(token=token(1), now=NOON).platforms] == [1]


def test_an_event_counts_once_a_partner_and_two_events_count_twice(meadow: dict[str, str]) -> None:
    alice, bob = send(1, 2)
    caller = Follower(meadow["api"]).caller
    one, two = uuid.uuid4(), uuid.uuid4()
    both = [operations.Report(one, alice), operations.Report(one, alice), operations.Report(one, bob)]
    assert operations.take_feedback(caller=caller, events=both, now=NOON) == 3
    assert operations.take_feedback(caller=caller, events=[*both, operations.Report(two, alice)], now=NOON) == 4
    assert dict(Feedback.objects.values_list("entry_id", "blocked")) == {alice: 2, bob: 1}


def test_an_acknowledgement_again_costs_no_write(meadow: dict[str, str], django_assert_num_queries: object) -> None:
    send(1)
    gate = Follower(meadow["api"])
    gate.follow()
    gate.ack()
    caller = gate.caller
    with django_assert_num_queries(1):  # type: ignore[operator]
        from seawall.exchange.cursor import Cursor  # noqa: PLC0415

        operations.acknowledge(
            caller=caller,
            gate=uuid.UUID("5b7e7a52-7bd0-4d3c-8a58-111111111111"),
            cursor=Cursor.parse(gate.cursor or ""),
            now=NOON,
        )
    assert Delivery.objects.count() == 1
