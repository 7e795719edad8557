"""Every combination of answers leads to steps in an order that does no harm."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import TypeVar

import pytest

from seawall.guide.triage import Also, Answers, Paid, Phase, Place, Shared, Step, Who, phase, plan

_Code = TypeVar("_Code", Place, Also)


def every(kind: type[_Code]) -> Iterator[frozenset[_Code]]:
    members = list(kind)
    return (frozenset(some) for some in chain.from_iterable(combinations(members, n) for n in range(len(members) + 1)))


def all_answers() -> Iterator[Answers]:
    platforms = (frozenset[str](), frozenset({"facebook"}))
    for who, where, places, shared, paid, also in product(Who, platforms, every(Place), Shared, Paid, every(Also)):
        yield Answers(who, where, places, shared, paid, also)


def test_every_combination_keeps_the_rules_of_order() -> None:
    seen = 0
    for answers in all_answers():
        steps, seen = plan(answers), seen + 1
        place = {step: number for number, step in enumerate(steps)}
        assert len(place) == len(steps), answers
        assert steps[0] is Step.CALM
        # A block or a report can take the chat away: proof comes first.
        assert place[Step.EVIDENCE] < place[Step.REPORT]
        assert place[Step.STOP] < place[Step.REPORT]
        phases = [phase(step).value for step in steps]
        assert phases == sorted(phases), answers
        assert {Step.EVIDENCE, Step.STOP, Step.REPORT, Step.SETTINGS, Step.ALERTS, Step.DAYS} <= set(steps)
        assert len({Step.POLICE, Step.POLICE_ABROAD} & set(steps)) == 1
        assert len({Step.TALK, Step.TALK_ABROAD} & set(steps)) == 1
        assert len({Step.PROTECT, Step.NO_COPY} & set(steps)) == 1
        assert len({Step.TAKEDOWN, Step.LOOK} & set(steps)) == (answers.shared is not Shared.NO)
        if answers.paid is Paid.YES:
            assert place[Step.BANK] < place[Step.EVIDENCE]  # minutes count at a bank
        if answers.shared is Shared.YES:
            assert place[Step.EVIDENCE] < place[Step.TAKEDOWN] < place[Step.REPORT]
    assert seen == 4 * 2 * 8 * 3 * 3 * 128


@pytest.mark.parametrize(
    ("answers", "step"),
    [
        (Answers(who=Who.PARTNER), Step.SAFETY),
        (Answers(who=Who.KNOWN), Step.SAFETY),
        (Answers(shared=Shared.YES), Step.TAKEDOWN),
        (Answers(shared=Shared.YES, places=frozenset({Place.WEBSITE})), Step.WEBSITE),
        (Answers(paid=Paid.YES), Step.BANK),
        (Answers(places=frozenset({Place.CONTACTS})), Step.CONTACTS),
        (Answers(also=frozenset({Also.NO_COPY})), Step.NO_COPY),
        (Answers(also=frozenset({Also.RECORDED})), Step.RECORDED),
        (Answers(also=frozenset({Also.FAKE})), Step.FAKE),
        (Answers(also=frozenset({Also.OUTING})), Step.OUTING),
        (Answers(also=frozenset({Also.ACCUSED})), Step.ACCUSED),
        (Answers(also=frozenset({Also.MAN})), Step.MEN),
        (Answers(also=frozenset({Also.ABROAD})), Step.POLICE_ABROAD),
    ],
)
def test_each_variant_adds_its_step_and_only_for_those_it_is_for(answers: Answers, step: Step) -> None:
    assert step in plan(answers)
    assert step not in plan(Answers(who=Who.STRANGER, shared=Shared.NO, paid=Paid.NO))


def test_a_stranger_who_only_threatens_leads_to_the_shortest_way() -> None:
    assert plan(Answers(who=Who.STRANGER, shared=Shared.NO, paid=Paid.NO)) == (
        Step.CALM,
        Step.EVIDENCE,
        Step.STOP,
        Step.PROTECT,
        Step.REPORT,
        Step.SETTINGS,
        Step.POLICE,
        Step.TALK,
        Step.ALERTS,
        Step.DAYS,
    )


def test_who_said_nothing_gets_a_whole_plan() -> None:
    steps = plan(Answers())
    assert Step.LOOK in steps
    assert {phase(step) for step in steps} == set(Phase)
