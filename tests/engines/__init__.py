"""One small face for the three browser engines that people have: Chromium, Firefox, and the WebKit of iPhones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class Engine(Protocol):
    """A real browser with one page open."""

    def open(self, url: str) -> None:
        """Go there, and return once it is loaded."""

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON would hold it; None while the page is changing."""

    def choose(self, css: str, *files: Path) -> None:
        """Choose files in a file field."""

    def close(self) -> None:
        """End the browser."""


def until(engine: Engine, expression: str, seconds: float = 90) -> Any:
    """Wait until the expression is true, and answer its value.

    :raises AssertionError: it did not become so in time
    """
    end = time.monotonic() + seconds
    while not (value := engine.run(expression)):
        assert time.monotonic() < end, f"never true: {expression}\n{engine.run('document.body.innerText')}"
        time.sleep(0.05)
    return value


def press(engine: Engine, css: str) -> None:
    """Press what the selector names, once it is there and not disabled."""
    until(engine, f"!!document.querySelector({css!r}) && !document.querySelector({css!r}).disabled")
    engine.run(f"document.querySelector({css!r}).click()")


def shown(engine: Engine, *, parts: bool) -> str:
    """What is to be sent for the files chosen, once it is made; also of their parts, if those are wanted."""
    press(engine, "#to-read")
    engine.run("document.getElementById('future').click()")
    if parts:
        engine.run("document.getElementById('parts').click()")
    until(engine, "!document.getElementById('to-receipt').disabled")
    return str(engine.run("document.getElementById('fingerprints').value"))


def send(engine: Engine) -> None:
    """From what is shown to the page that says it is done."""
    for css in ("#to-receipt", "#save", "#to-send", "#send"):
        press(engine, css)
    until(engine, "location.pathname === '/protect/send/' && document.readyState === 'complete'")
    assert engine.run("document.querySelector('h1').innerText") == "Done. It is on its way."
