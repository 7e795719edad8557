"""The pages. All work without scripts, and none stores anything."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from seawall.guide import forms
from seawall.guide.kept import kept
from seawall.guide.queries import Facts
from seawall.guide.triage import phase, plan

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

# The six steps of the helpline's page, and the name of each one's template and address.
STEPS = {1: "calm", 2: "evidence", 3: "money", 4: "report", 5: "police", 6: "talk"}
# The pages around them.
PAGES = ("what", "bank", "apps", "settings", "alerts", "support", "days")


@require_safe
@kept
def page(request: HttpRequest, name: str, facts: Facts) -> HttpResponse:
    """One of the pages around the steps."""
    return render(request, f"guide/{name}.html", {"facts": facts})


@require_safe
@kept
def step(request: HttpRequest, number: int, facts: Facts) -> HttpResponse:
    """One of the six steps."""
    context = {"facts": facts, "number": number, "count": len(STEPS)}
    return render(request, f"guide/steps/{STEPS[number]}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Ask four questions; answer with the steps that fit."""
    return plan_for(request) if request.method == "POST" else questions(request)


@kept
def questions(request: HttpRequest, facts: Facts) -> HttpResponse:
    """The four questions."""
    first = [each for slug in forms.FIRST for each in facts.platforms if each.slug == slug]
    more = [each for each in facts.platforms if each not in first]
    return render(request, "guide/start.html", {"facts": facts, "forms": forms, "first": first, "more": more})


def plan_for(request: HttpRequest) -> HttpResponse:
    """The steps that fit. The answers are forgotten as soon as this is sent, and the page is not kept."""
    facts = Facts(timezone.now())
    answers = forms.read_answers(request.POST, platforms=[each.slug for each in facts.platforms])
    phases = [
        (when.name.lower(), [f"guide/plan/{each}.html" for each in steps])
        for when, steps in groupby(plan(answers), key=phase)
    ]
    named = [each for each in facts.platforms if each.slug in answers.platforms]
    context = {"facts": facts, "answers": answers, "phases": phases, "named": named}
    return render(request, "guide/plan.html", context)
