"""The pages around protecting a picture. All work without scripts, but for the one that makes fingerprints."""

from __future__ import annotations

import functools
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import brotli
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from seawall.directory import queries as directory
from seawall.exchange import operations, queries, wire
from seawall.hashing import USABLE_QUALITY
from seawall.protect.forms import Code, NotAReceipt, read_receipt
from seawall.protect.page import Sealed, sealed, sealed_for_heic

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


# Only over TLS, and to itself, does a browser say so.
_TAKES_BROTLI = re.compile(r"\bbr\b(?!;q=0(\.0*)?(,|$))")


class TooLarge(Exception):
    """The form holds more than any form of ours would."""


def _field(request: HttpRequest, name: str) -> str:
    try:
        return request.POST.get(name, "")
    except (RequestDataTooBig, TooManyFieldsSent) as error:
        raise TooLarge from error


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Ask the age first. The answer is a link, so nothing is sent or stored."""
    return render(request, "protect/start.html")


@require_safe
def under_18(request: HttpRequest) -> HttpResponse:
    """Lead to the services made for under 18s."""
    danger = [each for each in directory.services(nation="ENG", topic="police") if each.emergency]
    context = {"services": directory.services(audience="under-18"), "danger": danger}
    return render(request, "protect/under_18.html", context)


@require_safe
def picture(request: HttpRequest) -> HttpResponse:
    """The page that makes fingerprints on the device."""
    return picture_page(request, sealed())


@require_safe
def heic(request: HttpRequest) -> HttpResponse:
    """The same with a decoder for HEIC photos, which most browsers cannot open. It is large, so it is apart."""
    return picture_page(request, sealed_for_heic(), heic=True)


def picture_page(request: HttpRequest, parts: Sealed, *, heic: bool = False) -> HttpResponse:
    """Render those parts under the policy that pins them."""
    context = {
        "sealed": parts,
        "platforms": queries.platforms_today(),
        "usable_quality": USABLE_QUALITY,
        "heic": heic,
    }
    response = render(request, "protect/picture.html", context)
    response["Content-Security-Policy"] = parts.policy
    patch_vary_headers(response, ["Accept-Encoding"])
    if _TAKES_BROTLI.search(request.headers.get("Accept-Encoding", "")):
        # Both are long for a phone's line. Of the longer one the last twentieth would take ten seconds.
        response.content = _pressed(response.content, 9 if heic else 11)
        response["Content-Encoding"] = "br"
    return response


@functools.lru_cache(maxsize=32)
def _pressed(page: bytes, quality: int) -> bytes:
    """With Brotli, which leaves an eighth less than gzip does, but may take a second: so it is kept.

    There are as many pages as languages and layouts, for nobody's page differs from another's.
    """
    pressed: bytes = brotli.compress(page, quality=quality)
    return pressed


def _refused(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "protect/refused.html", {"sentence": sentence}, status=status)


def _refuse_a_part(request: HttpRequest) -> None:
    """A connection that breaks at the end of a line would leave a shorter text that reads well.

    :raises BadRequest: fewer bytes came than were announced
    """
    with suppress(RequestDataTooBig):  # answered by the view, in its own words
        if len(request.body) != int(request.META.get("CONTENT_LENGTH") or 0):
            raise BadRequest("The form was cut off.")


@require_http_methods(["GET", "HEAD", "POST"])
def send(request: HttpRequest) -> HttpResponse:
    """Take the fingerprint text exactly as it was shown."""
    if request.method != "POST":
        return redirect("protect:start")
    _refuse_a_part(request)
    try:
        submission = wire.parse(_field(request, "fingerprints"))
        accepted = operations.submit(submission=submission, now=timezone.now())
    except TooLarge:
        return _refused(request, _("That is too much for one form. Send 100 pictures at a time."), 413)
    except wire.BadSubmission as error:
        return _refused(request, str(error), 422)
    except operations.EntryConflict as error:
        return _refused(request, str(error), 409)
    return render(request, "protect/sent.html", {"count": len(accepted)})


@dataclass(frozen=True, slots=True)
class PictureStatus:
    """One line of a receipt and what became of it; ``status`` is None where the code is unknown."""

    code: Code
    status: queries.EntryStatus | None = None
    platforms: tuple[tuple[list[str], queries.PlatformStatus], ...] = ()  # a line a partner: its platforms' names

    @property
    def withdrawable(self) -> bool:
        """Whether there is anything to take back."""
        return self.status is not None and self.status.state == "active"


def _look_up(code: Code) -> PictureStatus:
    try:
        status = queries.status(token=code.token, now=timezone.now())
    except queries.UnknownEntry:
        return PictureStatus(code)
    # A partner's gates speak for all its platforms at once: one line a partner, or each block would show thrice.
    partners = {each.partner: each for each in status.platforms}
    lines = (
        ([each.name for each in status.platforms if each.partner == name], last) for name, last in partners.items()
    )
    return PictureStatus(code, status, tuple(lines))


class NoReceipt(Exception):
    """What came is no receipt; holds the sentence and the status to answer with."""


def _codes(request: HttpRequest) -> tuple[str, tuple[Code, ...]]:
    try:
        text = _field(request, "receipt")
        return text, read_receipt(text)
    except TooLarge as error:
        raise NoReceipt(_("That is too much at once. Paste one receipt at a time."), 413) from error
    except NotAReceipt as error:
        raise NoReceipt(str(error), 422) from error


def _ask_again(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return render(request, "protect/receipt.html", {"sentence": sentence}, status=status)


def _show(request: HttpRequest, text: str, codes: tuple[Code, ...]) -> HttpResponse:
    pictures = [_look_up(code) for code in codes]
    known = any(each.status for each in pictures)
    withdrawable = sum(each.withdrawable for each in pictures)
    context = {"receipt": text, "pictures": pictures, "withdrawable": withdrawable}
    return render(request, "protect/status.html", context, status=200 if known else 404)


@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest) -> HttpResponse:
    """Ask for a receipt and say what became of each picture in it."""
    if request.method != "POST":
        return render(request, "protect/receipt.html")
    try:
        text, codes = _codes(request)
    except NoReceipt as error:
        return _ask_again(request, *error.args)
    return _show(request, text, codes)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take one picture's fingerprint back, or all of a receipt's: first ask, then do it."""
    if request.method != "POST":
        return redirect("protect:receipt")
    try:
        text, codes = _codes(request)
    except NoReceipt as error:
        return _ask_again(request, *error.args)
    which = request.POST.get("which", "")
    chosen = [code for code in codes if which in {"all", code.hex}]
    if not chosen:
        return _ask_again(request, _("That picture is not in this receipt. Paste the receipt once more."), 422)
    if request.POST.get("confirmed") == "yes":
        for code in chosen:
            with suppress(queries.UnknownEntry):  # the answer says of each such code that we know nothing of it
                operations.withdraw(token=code.token, now=timezone.now())
        return _show(request, text, codes)
    takeable = [each.code for each in map(_look_up, chosen) if each.withdrawable]
    if not takeable:
        return _show(request, text, codes)
    context = {"receipt": text, "which": which, "chosen": takeable}
    return render(request, "protect/withdraw.html", context)
