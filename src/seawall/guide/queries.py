"""What the pages may say, as the directory has it. Each fact is fetched when a page first names it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from seawall.directory import queries as directory

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable
    from datetime import datetime

    from seawall.directory.hours import State
    from seawall.directory.queries import Helpline, Law, PlatformEntry, Service

UK = ("ENG", "WLS", "SCT", "NIR")
NATIONS = (
    ("UK", gettext_lazy("United Kingdom")),
    ("ENG", gettext_lazy("England")),
    ("WLS", gettext_lazy("Wales")),
    ("SCT", gettext_lazy("Scotland")),
    ("NIR", gettext_lazy("Northern Ireland")),
    ("EU", gettext_lazy("European Union")),
    ("US", gettext_lazy("United States")),
    ("AU", gettext_lazy("Australia")),
)
# What people look for help with, and the directory's topics for it. A service stands under the first that fits.
HEADINGS = (
    (gettext_lazy("About the picture"), {"pictures"}),
    (gettext_lazy("If your partner or ex does this"), {"partner"}),
    (gettext_lazy("If you are gay, lesbian, bi or trans"), {"lgbt"}),
    (gettext_lazy("How you feel"), {"feelings", "sexual-violence"}),
    (gettext_lazy("After a crime"), {"crime", "online"}),
    (gettext_lazy("Police and money"), {"police", "money"}),
)


class Facts:
    """The directory at one moment, for one page."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    @cached_property
    def version(self) -> Hashable:
        """What a page made of these facts follows from: the directory, the day, and whether the helpline is open."""
        return directory.version(), self.helpline, self._now.date(), self.state

    @cached_property
    def helpline(self) -> Helpline:
        """Who hosts this site."""
        return directory.helpline()

    @cached_property
    def state(self) -> State:
        """Whether the helpline is open."""
        return self.helpline.state(self._now)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Everyone who can help an adult."""
        return directory.services("adult", now=self._now)

    @cached_property
    def emergency(self) -> tuple[Service, ...]:
        """Who to call in danger in the UK."""
        return tuple(each for each in self.services if each.emergency and _in_uk(each))

    @cached_property
    def days(self) -> str:
        """The days on which the helpline opens, in words."""
        days = sorted(self.helpline.hours.days)
        names = [str(WEEKDAYS[day - 1]) for day in days]
        if len(days) > 2 and days[-1] - days[0] == len(days) - 1:  # noqa: PLR2004 - "Monday to Tuesday" reads oddly
            return _("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}
        return ", ".join(names)

    @cached_property
    def topics(self) -> dict[str, list[Service]]:
        """Topic -> who helps with it in the UK, beside the emergency lines."""
        found: dict[str, list[Service]] = {}
        for service in self.services:
            if _in_uk(service) and not service.emergency:
                for topic in service.topics:
                    found.setdefault(topic, []).append(service)
        return found

    @cached_property
    def abroad(self) -> list[tuple[str, Service]]:
        """(where, service) of those who help outside the UK too."""
        return [(where, each) for each in self.services if (where := _places(each.nations, but=("UK", *UK)))]

    @cached_property
    def police(self) -> list[Service]:
        """The police and who takes reports, without those already named for an emergency."""
        return [each for each in self.services if _in_uk(each) and "police" in each.topics and not each.emergency]

    @cached_property
    def groups(self) -> list[tuple[str, list[Service]]]:
        """Everyone who can help in the UK, each once, under a heading that says with what."""
        left = [each for each in self.services if _in_uk(each) and not each.emergency]
        found = []
        for heading, topics in HEADINGS:
            here = [each for each in left if topics & set(each.topics)]
            left = [each for each in left if each not in here]
            if here:
                found.append((str(heading), here))
        return [*found, (_("Others"), left)] if left else found

    @cached_property
    def platforms(self) -> list[Named]:
        """Every platform, with what may be shown of it."""
        return [Named(each) for each in directory.platform_entries(now=self._now)]

    @cached_property
    def search(self) -> list[Named]:
        """The platforms that take a page out of their search results."""
        return [each for each in self.platforms if each.routes_for_search]

    @cached_property
    def offences(self) -> list[tuple[str, Law]]:
        """(where, law) of what is a crime in the United Kingdom, each law once."""
        found = {law.slug: law for nation in UK for law in directory.laws(nation, now=self._now)}
        return [(_places(law.nations), law) for law in found.values() if law.kind == "offence"]

    @cached_property
    def fakes(self) -> list[Law]:
        """The laws that name fake pictures."""
        return [law for _, law in self.offences if "fake" in law.covers]

    @cached_property
    def recording(self) -> list[Law]:
        """The laws that name recording in secret."""
        return [law for _, law in self.offences if "recording" in law.covers]


def _in_uk(service: Service) -> bool:
    return any(service.serves(nation) for nation in UK)


def _places(nations: Collection[str], *, but: Collection[str] = ()) -> str:
    if "everywhere" in nations:
        return _("In every country")
    return ", ".join(str(words) for nation, words in NATIONS if nation in nations and nation not in but)


class Named:
    """A platform, with its routes where a template can reach them by situation."""

    def __init__(self, entry: PlatformEntry) -> None:
        self.slug, self.name = entry.slug, entry.name
        self.profiles, self.answers = entry.profiles, [each for each in entry.answers if each]
        self.capture, self.screenshot_is_told = entry.capture, entry.screenshot_is_told
        self.settings = entry.routes_for("settings")
        self.routes = tuple(each for each in entry.routes if each not in self.settings)
        self.routes_for_shared = entry.routes_for("shared")
        self.routes_for_threat = entry.routes_for("threat")
        self.routes_for_search = entry.routes_for("search-result")
