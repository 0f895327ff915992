"""WebKitGTK's MiniBrowser, driven over WebDriver; it shares Safari's engine, and not its fonts."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from browsers.keys import strokes
from programs import LIMIT, Program, free_port, required, running

PACKAGES = "webkit2gtk-driver xvfb"
SCREEN = "1600x1200x24"
# Its tool bar would not let the window be as narrow as a phone.
SMALL_BAR = "* { min-width: 0; margin: 0; padding: 0; font-size: 1px; -gtk-icon-source: none }"

# It answers by its last argument, which is called.
SCRIPT = """
  const args = [...arguments], answer = args.pop();
  (async () => { %s })().then(
    (value) => answer({ value: value ?? null }),
    (error) => answer({ error: String(error) }),
  );
"""


class WebKit:
    """The one tab of a running MiniBrowser."""

    def __init__(self, program: Program, connection: HTTPConnection) -> None:
        self._program, self._connection = program, connection
        self._path = "/session"
        self._path += f"/{self._ask('POST', '', capabilities={})['sessionId']}"

    def _ask(self, method: str, path: str, **params):
        try:
            self._connection.request(method, self._path + path, json.dumps(params))
            answer = self._connection.getresponse()
            value = json.load(answer)["value"]
        except OSError:
            self._program.end()  # or each test to come would wait as long
            raise
        if answer.status != 200:
            raise ValueError(f"WebKit refuses {path}: {value['message']}")
        return value

    def open(self, address: str) -> None:
        self._ask("POST", "/url", url=address)

    def run(self, body: str, *args):
        """What the body of an async function of ``args`` returns in the page: plain values."""
        told = self._ask(
            "POST",
            "/execute/async",
            script=SCRIPT % body,
            args=args,
        )
        if "error" in told:
            raise ValueError(told["error"])
        return told["value"]

    def press(self, keys: str) -> None:
        self._ask("POST", "/actions", actions=strokes(keys))

    def resize(self, width: int, height: int) -> None:
        rect = self._ask("POST", "/window/rect", width=width, height=height)
        # The bar takes of the height.
        missing = height - self.run("return innerHeight")
        if missing:
            self._ask("POST", "/window/rect", width=width, height=rect["height"] + missing)

    def complaints(self) -> list[str]:
        """None: it does not tell what is on its console."""
        return []


def wait_until_open(port: int) -> None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"WebKitWebDriver does not listen at port {port}")


@contextmanager
def started(home: Path) -> Iterator[WebKit]:
    """MiniBrowser while the block runs, on a screen of its own that nobody sees."""
    driver, screen = required(("WebKitWebDriver",), PACKAGES), required(("Xvfb",), PACKAGES)
    for version in ("gtk-3.0", "gtk-4.0"):
        (home / ".config" / version).mkdir(parents=True)
        (home / ".config" / version / "gtk.css").write_text(SMALL_BAR, "utf-8")
    port = free_port()
    command = [screen, "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"]
    with running(command, home) as it:
        number = it.said(r"(?m)^(\d+)$")
        with running([driver, f"--port={port}"], home, DISPLAY=f":{number}") as it:
            wait_until_open(port)
            with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
                yield WebKit(it, connection)
