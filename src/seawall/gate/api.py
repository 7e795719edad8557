"""Answers "may this be shared?" over HTTP, as docs/spec/gate.md says."""

from __future__ import annotations

import asyncio
import hmac
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from seawall.gate.check import PdqSent
from seawall.gate.intake import JSON_BYTES, Refusal, later, read_all, read_upload
from seawall.hashing import UnreadableImage

if TYPE_CHECKING:
    from starlette.requests import Request

    from seawall.gate.bank import BankCopy
    from seawall.gate.check import Checker, Verdict
    from seawall.gate.follower import Health
    from seawall.gate.intake import Intake
    from seawall.gate.reporter import Reporter
    from seawall.matching import HashIndex

_OPENAPI = files("seawall.gate").joinpath("openapi.json").read_bytes()
_NO_STORE = {"Cache-Control": "no-store"}
_pdq_decoder = msgspec.json.Decoder(PdqSent)
log = structlog.get_logger()


class Api:
    """The routes and what they stand on."""

    def __init__(
        self,
        *,
        key: str,
        checker: Checker,
        copy: BankCopy,
        index: HashIndex,
        health: Health,
        intake: Intake,
        reporter: Reporter,
    ) -> None:
        self._key = key.encode()
        self._checker, self._copy, self._index = checker, copy, index
        self._health, self._intake, self._reporter = health, intake, reporter

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/check", self.check, methods=["POST"]),
                Route("/status", self.status, methods=["GET"]),
                Route("/status/detail", self.status_detail, methods=["GET"]),
                Route("/openapi.json", self.openapi, methods=["GET"]),
            ],
            # Starlette types every handler as if it took any exception.
            exception_handlers={Refusal: _refused, HTTPException: _no_such_page, Exception: _broken},  # type: ignore[dict-item]
        )

    async def check(self, request: Request) -> Response:
        """Free, or a match. A match is in the outbox, on disk, before the answer leaves."""
        self._authorise(request)
        if not self._health.complete:
            raise later("The gate is still fetching its first list.")
        media, _, _ = request.headers.get("content-type", "").partition(";")
        match media.strip().lower():
            case "multipart/form-data":
                verdict = await self._check_file(request)
            case "application/json":
                verdict = await self._check_fingerprint(request)
            case _:
                raise Refusal(
                    415, "Send multipart/form-data with a picture or video, or application/json with a fingerprint."
                )
        return _json(200, verdict)

    async def _check_file(self, request: Request) -> Verdict:
        with self._intake.body(request, self._intake.max_bytes) as body:
            async with read_upload(request.headers, body) as upload:
                try:
                    return await self._intake.work(
                        lambda: self._reported(self._checker.upload(upload)), video=upload.video is not None
                    )
                except UnreadableImage as error:
                    raise Refusal(422, str(error)) from error

    async def _check_fingerprint(self, request: Request) -> Verdict:
        with self._intake.body(request, JSON_BYTES) as body:
            try:
                sent = _pdq_decoder.decode(await read_all(body))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise Refusal(
                    422, 'Send {"pdq": 64 lowercase hex digits, "quality": a whole number from 0 to 100}.'
                ) from error
            return await self._intake.work(lambda: self._reported(self._checker.pdq(sent)))

    def _reported(self, verdict: Verdict) -> Verdict:
        if verdict.matches:
            try:
                self._checker.report(verdict)
            except sqlite3.OperationalError as error:
                # The upload must be stopped all the same; only the count of what was stopped is lost.
                log.error("a block could not be kept for reporting", problem=str(error))  # noqa: TRY400 - no trace needed
            self._reporter.news.set()
        return verdict

    async def status(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        """The HMA protocol's word for a load balancer. Tells nothing about the bank."""
        word = self._health.status
        if word == "I-AM-ALIVE":
            return PlainTextResponse(word, 200, _NO_STORE)
        hint = "\nThe reason is under /status/detail." if self._health.problem else ""
        return PlainTextResponse(word + hint, 503, _NO_STORE)

    async def status_detail(self, request: Request) -> Response:
        """The same for the operator, with what is wrong."""
        self._authorise(request)
        unsent = await asyncio.to_thread(self._copy.count_unsent)
        return _json(
            200,
            {
                "status": self._health.status,
                "fingerprints": len(self._index),
                "seconds_since_contact": round(self._health.silence, 1),
                "problem": self._health.problem,
                "reports_waiting": unsent,
                "report_problem": self._health.report_problem,
            },
        )

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002
        """What this file promises, for machines."""
        return Response(_OPENAPI, media_type="application/json")

    def _authorise(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        # latin-1 is how headers come in; compare_digest takes the same time wherever the keys differ.
        if not hmac.compare_digest(key.strip().encode("latin-1"), self._key) or scheme.lower() != "bearer":
            raise Refusal(
                401,
                "The key is missing or wrong. Send it as `Authorization: Bearer KEY`.",
                {"WWW-Authenticate": "Bearer"},
            )


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, _NO_STORE | (headers or {}), media_type="application/json")


async def _refused(_: Request, error: Refusal) -> Response:
    return _json(error.status, {"message": str(error)}, error.headers)


async def _no_such_page(_: Request, error: HTTPException) -> Response:
    said = {404: "There is nothing here. /openapi.json lists what there is.", 405: "Not with this method."}
    return _json(error.status_code, {"message": said.get(error.status_code, error.detail)}, dict(error.headers or {}))


async def _broken(_: Request, __: Exception) -> Response:
    """The traceback goes to the log (Starlette raises it again); the sender gets a sentence."""
    return _json(500, {"message": "Something broke in the gate. Send it again, or ask its operator."})
