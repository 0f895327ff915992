"""Firefox, driven over WebDriver BiDi, which it speaks itself.

Playwright drives the newest Firefox only, by commands that Debian's does not know; Selenium needs
geckodriver, which neither Debian nor PyPI has.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsers.keys import strokes
from programs import LIMIT, Program, required, running
from tornado.websocket import WebSocketClientConnection, websocket_connect

NAMES = ("firefox-esr", "firefox")
EVENTS = ["log.entryAdded", "network.responseCompleted", "network.fetchError"]
# Firefox says so in some loads, of formulas in which each <munder> has the two that look.js counts.
NOT_SO = "Invalid markup: Incorrect number of children for <munder/> tag."
GIVEN_UP = "NS_BINDING_ABORTED"  # by the browser itself: what it fetched for the next page
# A mouse, which no headless browser has, and pages ask for.
SETTINGS = """
user_pref("ui.primaryPointerCapabilities", 6);
user_pref("ui.allPointerCapabilities", 6);
"""
MOST_BYTES = 2**26  # of one message


class Firefox:
    """A window of a running Firefox."""

    def __init__(self, program: Program, loop: asyncio.AbstractEventLoop) -> None:
        self._program, self._loop, self._asked = program, loop, 0
        self._complaints: list[str] = []
        address = program.said(r"WebDriver BiDi listening on (ws://\S+)")
        self._socket = self._wait_for(self._connected(f"{address}/session"))
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=EVENTS)
        # The window that it begins with never has the focus.
        self._tab = self._ask("browsingContext.create", type="window")["context"]

    def _wait_for(self, answer):
        """Playwright has this thread's event loop, so this has one in a thread of its own."""

        async def limited():
            return await asyncio.wait_for(answer, LIMIT)

        try:
            return asyncio.run_coroutine_threadsafe(limited(), self._loop).result()
        except TimeoutError:
            self._program.end()  # or each test to come would wait as long
            raise

    async def _connected(self, address: str) -> WebSocketClientConnection:
        return await websocket_connect(address, max_message_size=MOST_BYTES)

    def _ask(self, method: str, **params) -> dict:
        return self._wait_for(self._answer(method, params))

    async def _answer(self, method: str, params: dict) -> dict:
        self._asked += 1
        question = {"id": self._asked, "method": method, "params": params}
        await self._socket.write_message(json.dumps(question))
        while message := await self._socket.read_message():
            told = json.loads(message)
            if told["type"] == "event":
                self._note(told["method"], told["params"])
            elif told["type"] == "error":
                raise ValueError(f"Firefox refuses {method}: {told['message']}")
            elif told["id"] == self._asked:
                return told["result"]
        raise ConnectionError(f"Firefox has ended before {method}: {self._program.log.read_text()}")

    def _note(self, event: str, told: dict) -> None:
        if event == "log.entryAdded":
            if told["level"] in ("error", "warn") and told["text"] != NOT_SO:
                self._complaints.append(told["text"])
        elif event == "network.fetchError":
            if told["errorText"] != GIVEN_UP:
                self._complaints.append(f"{told['errorText']}: {told['request']['url']}")
        elif told["response"]["status"] > 399:
            self._complaints.append(f"{told['response']['status']}: {told['response']['url']}")

    def open(self, address: str) -> None:
        self._ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def run(self, body: str, *args):
        """What the body of an async function of ``args`` returns in the page: plain values."""
        work = f"(async (...args) => {{ {body} }})(...{json.dumps(args)})"
        answer = self._ask(
            "script.evaluate",
            expression=f"{work}.then((value) => JSON.stringify(value ?? null))",
            target={"context": self._tab},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise ValueError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def press(self, keys: str) -> None:
        self._ask("input.performActions", context=self._tab, actions=strokes(keys))

    def resize(self, width: int, height: int) -> None:
        viewport = {"width": width, "height": height}
        self._ask("browsingContext.setViewport", context=self._tab, viewport=viewport)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._socket.close)

    def complaints(self) -> list[str]:
        """Errors, warnings and failed requests since this was last asked."""
        self._ask("session.status")  # what happened before comes before its answer
        found, self._complaints = self._complaints, []
        return found


@contextmanager
def started(home: Path) -> Iterator[Firefox]:
    """Firefox while the block runs."""
    command = [required(NAMES, "firefox-esr"), "--headless", "--no-remote"]
    command += ["--profile", str(home), "--remote-debugging-port", "0"]
    (home / "user.js").write_text(SETTINGS, "utf-8")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with running(command, home) as program:
            firefox = Firefox(program, loop)
            yield firefox
            firefox.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
