"""Firefox by WebDriver BiDi, over its own remote debugging port: no driver program is needed."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from pathlib import Path

# Nothing of its own on the network, and downloads where nobody is asked.
_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.download.folderList": 2,
    "browser.newtabpage.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
_STARTED = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


# What BiDi answers when the document goes away meanwhile.
_GONE = {"no such frame", "no such node", "unknown error"}


class Refused(AssertionError):
    """Firefox answered with an error."""


class Firefox:
    """A headless Firefox with a profile of its own."""

    def __init__(self) -> None:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        assert program, "No Firefox. `make test` installs it on Debian; elsewhere install it and run again."
        self._profile = tempfile.mkdtemp(prefix="seawall-firefox-")
        preferences = {**_PREFERENCES, "browser.download.dir": self._profile}
        with open(f"{self._profile}/user.js", "w", encoding="utf-8") as file:  # noqa: PTH123 - a name, not a Path
            lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
            file.writelines(lines)
        command = [program, "--headless", "--no-remote", "--profile", self._profile, "--remote-debugging-port", "0"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self._numbers = itertools.count(1)
        self._socket = websocket.create_connection(f"{self._address()}/session", suppress_origin=True, timeout=120)
        self._call("session.new", capabilities={})
        self._tab = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def _address(self) -> str:
        assert self._process.stderr
        for line in self._process.stderr:
            if found := _STARTED.search(line):
                return found[1]
        raise AssertionError("Firefox ended before it could be driven.")

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.recv())).get("id") != number:
            continue
        if answer["type"] != "success":
            raise Refused(answer)
        return answer["result"]

    def open(self, url: str) -> None:
        """Go there, and return once it is loaded."""
        self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON would hold it; None while the page is changing."""
        script = f"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))"
        try:
            answer = self._call(
                "script.evaluate",
                expression=script,
                target={"context": self._tab},
                awaitPromise=True,
                userActivation=True,
            )
        except Refused as error:
            if error.args[0]["error"] in _GONE:
                return None
            raise
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def choose(self, css: str, *files: Path) -> None:
        """Choose files in a file field."""
        locator = {"type": "css", "value": css}
        (field,) = self._call("browsingContext.locateNodes", context=self._tab, locator=locator)["nodes"]
        element = {"sharedId": field["sharedId"]}
        self._call("input.setFiles", context=self._tab, element=element, files=[str(file) for file in files])

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.kill()
        self._process.communicate()
        shutil.rmtree(self._profile, ignore_errors=True)
