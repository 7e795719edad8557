"""WebKit as GTK builds it, on a screen that nobody sees: the nearest to an iPhone's browser that runs here."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from selenium.webdriver import Remote
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

if TYPE_CHECKING:
    from pathlib import Path


class WebKit:
    """Debian's WebKitGTK in its MiniBrowser."""

    def __init__(self) -> None:
        driver = shutil.which("WebKitWebDriver")
        browsers = glob.glob("/usr/lib*/*/webkit2gtk-4.*/MiniBrowser")  # noqa: PTH207 - from the root
        assert driver, "No WebKitWebDriver. `make test` installs it on Debian; elsewhere install it and run again."
        assert browsers, "No MiniBrowser beside WebKit. On Debian: apt-get install webkit2gtk-driver"
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._screen.stdout
        display = f":{self._screen.stdout.readline().strip()}"
        options = Options()
        options.binary_location = browsers[0]
        options.add_argument("--automation")
        environment = {**os.environ, "DISPLAY": display, "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
        self._service = Service(executable_path=driver, env=environment)
        self._service.start()
        there = RemoteConnection(client_config=ClientConfig(remote_server_addr=self._service.service_url))
        self._driver = Remote(command_executor=there, options=options)
        self._driver.file_detector = UselessFileDetector()  # it is on this machine: nothing to upload
        self._driver.set_script_timeout(120)

    def open(self, url: str) -> None:
        """Go there, and return once it is loaded."""
        self._driver.get(url)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON would hold it; None while the page is changing."""
        return self._driver.execute_async_script(
            f"const done = arguments[0]; Promise.resolve({expression}).then((value) => done(value ?? null));"
        )

    def choose(self, css: str, *files: Path) -> None:
        """Choose files in a file field."""
        self._driver.find_element("css selector", css).send_keys("\n".join(map(str, files)))

    def close(self) -> None:
        """End the browser."""
        self._driver.quit()
        self._service.stop()
        self._screen.terminate()
        self._screen.communicate()
