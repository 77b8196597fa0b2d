"""A headless browser, driven through its WebDriver: what a test needs of one, over the standard library."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
STARTING_SECONDS = 60


def installed() -> bool:
    """Whether there is a browser to be driven."""
    return all(_paths())


def _paths() -> tuple[str | None, str | None]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return browser, shutil.which("chromedriver")


class Browser:
    """One window, closed at the end of a `with` block."""

    def __enter__(self) -> Browser:
        browser, driver = _paths()
        assert browser is not None
        assert driver is not None
        self._folder = tempfile.TemporaryDirectory(prefix="browser")
        self._driver = subprocess.Popen(
            [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._url = f"http://127.0.0.1:{self._port()}/session"
        arguments = [*QUIET, f"--user-data-dir={self._folder.name}"]
        options = {"binary": browser, "args": arguments}
        answer = self._post("", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self._url += f"/{answer['sessionId']}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(self._url, method="DELETE"), timeout=STARTING_SECONDS).close()
        finally:
            self._driver.kill()
            self._driver.communicate()
            self._folder.cleanup()

    def open(self, page: Path, width: int, dark: bool = False) -> None:
        """Shows a page at a width, to a reader who prefers light or dark."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self._command("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", {"features": [scheme]})
        self._post("/url", {"url": page.as_uri()})

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self._post("/execute/sync", {"script": f"return {expression}", "args": []})

    def _command(self, command: str, parameters: dict[str, Any]) -> None:
        self._post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _port(self) -> int:
        """The driver says on which port it listens."""
        assert self._driver.stdout is not None
        give_up = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < give_up:
            line = self._driver.stdout.readline()
            if "successfully on port" in line:
                return int(line.rstrip(".\n").rpartition(" ")[2])
        raise TimeoutError("chromedriver did not start")

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self._url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=STARTING_SECONDS) as response:
            return json.load(response)["value"]
