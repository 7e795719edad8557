"""Which steps, in which order. Pure: answers in, steps out; nothing is stored and nobody is named.

The codes that travel in the form are digits, because a browser may keep a form's content with its history.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Who(StrEnum):
    """Who threatens. UNSURE stands for every answer that was left out."""

    STRANGER = "1"  # somebody met online, alone or in a gang
    PARTNER = "2"  # a partner or an ex
    KNOWN = "3"  # somebody else they know
    UNSURE = "0"


class Shared(StrEnum):
    """Whether the picture has been shared already."""

    NO = "1"
    YES = "2"
    UNSURE = "0"


class Paid(StrEnum):
    """Whether anything was paid."""

    NO = "1"
    YES = "2"
    UNSURE = "0"


class Also(StrEnum):
    """What else may be so. Any number of them."""

    NO_COPY = "1"  # the person has no copy of the picture
    RECORDED = "2"  # recorded in secret
    FAKE = "3"  # made by a computer
    OUTING = "4"  # the threat is to tell that they are gay, lesbian, bi or trans
    ACCUSED = "5"  # "you talked to a child": a common script
    MAN = "6"
    ABROAD = "7"  # outside the UK


class Place(StrEnum):
    """Where they threaten to share, beside the platforms of the directory, which go by their slugs."""

    CONTACTS = "1"  # messages to friends, family, work
    WEBSITE = "2"  # a website, such as a porn site
    NOT_SAID = "0"


class Phase(Enum):
    """When a step's turn is."""

    NOW = 1
    TODAY = 2
    LATER = 3


class Step(StrEnum):
    """One thing to do. Its value names the template that says what, why and how."""

    CALM = "calm"
    SAFETY = "safety"
    ACCUSED = "accused"
    BANK = "bank"
    EVIDENCE = "evidence"
    STOP = "stop"
    TAKEDOWN = "takedown"
    WEBSITE = "website"
    LOOK = "look"
    PROTECT = "protect"
    NO_COPY = "no_copy"
    REPORT = "report"
    SETTINGS = "settings"
    CONTACTS = "contacts"
    OUTING = "outing"
    RECORDED = "recorded"
    FAKE = "fake"
    POLICE = "police"
    POLICE_ABROAD = "police_abroad"
    MEN = "men"
    TALK = "talk"
    TALK_ABROAD = "talk_abroad"
    ALERTS = "alerts"
    DAYS = "days"


_NOW = frozenset({Step.CALM, Step.SAFETY, Step.ACCUSED, Step.BANK, Step.EVIDENCE, Step.STOP})
_LATER = frozenset({Step.ALERTS, Step.DAYS})


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person said. Nothing said is an answer too."""

    who: Who = Who.UNSURE
    platforms: frozenset[str] = frozenset()  # slugs of the directory
    places: frozenset[Place] = frozenset()
    shared: Shared = Shared.UNSURE
    paid: Paid = Paid.UNSURE
    also: frozenset[Also] = frozenset()

    @property
    def partner(self) -> bool:
        """Whether it is somebody who may know where they live, and hold their keys and passwords."""
        return self.who is Who.PARTNER

    @property
    def stranger(self) -> bool:
        """Whether it is somebody met online, who most often works in a gang."""
        return self.who is Who.STRANGER

    @property
    def on_a_website(self) -> bool:
        """Whether it is on a website, which has a step of its own with the search engines in it."""
        return self.shared_already and Place.WEBSITE in self.places

    @property
    def shared_already(self) -> bool:
        """Whether the picture is out."""
        return self.shared is Shared.YES


def phase(step: Step) -> Phase:
    """When that step's turn is."""
    if step in _NOW:
        return Phase.NOW
    return Phase.LATER if step in _LATER else Phase.TODAY


def plan(answers: Answers) -> tuple[Step, ...]:
    """Return the steps for that situation, first things first, each once.

    The order holds for everybody: evidence before a report or a block, because a block can take the chat away; a bank
    before evidence, because minutes count there; what stops the picture before what punishes the sender.
    """
    also, shared = answers.also, answers.shared
    abroad = Also.ABROAD in also
    asked = (
        (Step.CALM, True),
        (Step.SAFETY, answers.who in {Who.PARTNER, Who.KNOWN}),
        (Step.ACCUSED, Also.ACCUSED in also),
        (Step.BANK, answers.paid is Paid.YES),
        (Step.EVIDENCE, True),
        (Step.STOP, True),
        (Step.TAKEDOWN, shared is Shared.YES),
        (Step.WEBSITE, answers.on_a_website),
        (Step.LOOK, shared is Shared.UNSURE),
        (Step.PROTECT, Also.NO_COPY not in also),
        (Step.NO_COPY, Also.NO_COPY in also),
        (Step.REPORT, True),
        (Step.SETTINGS, True),
        (Step.CONTACTS, Place.CONTACTS in answers.places),
        (Step.OUTING, Also.OUTING in also),
        (Step.RECORDED, Also.RECORDED in also),
        (Step.FAKE, Also.FAKE in also),
        (Step.POLICE_ABROAD if abroad else Step.POLICE, True),
        (Step.MEN, Also.MAN in also),
        (Step.TALK_ABROAD if abroad else Step.TALK, True),
        (Step.ALERTS, True),
        (Step.DAYS, True),
    )
    return tuple(step for step, wanted in asked if wanted)
