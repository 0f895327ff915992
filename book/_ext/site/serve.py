"""Serve the built site at an address of this machine, which is where its interactive parts work.

`make book` runs this when the site is built, `make serve` for itself; the tests and the editions
serve the site with it too, below the path that it has when published.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, StaticFileHandler

# Run by its path, it has only its own folder to import from.
sys.path.append(str(Path(__file__).resolve().parents[1] / "notebooks"))

import book_sources
import terminal
import web_addresses

SITE = book_sources.ROOT / "_build" / "html"
PUBLISHED = urlsplit(web_addresses.homepage()).path  # the links of 404.html begin with it
HOST = "127.0.0.1"
PORT = 8000
TRIED = 100  # ports, of which the first free one is taken
# What browsers insist on, whatever the machine's own table of types says.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".ipynb": "application/json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".safetensors": "application/octet-stream",
    ".webmanifest": "application/manifest+json",
}


class Files(StaticFileHandler):
    """Answers with the files of a site that stands below each of some paths."""

    def initialize(self, site: Path, paths: Sequence[str]) -> None:
        super().initialize(str(site), default_filename="index.html")
        self.paths = paths

    def parse_url_path(self, url_path: str) -> str:
        below = [path for path in self.paths if f"/{url_path}".startswith(path)]
        if not below:
            raise HTTPError(404)
        return super().parse_url_path(f"/{url_path}".removeprefix(max(below, key=len)))

    def get_content_type(self) -> str:
        return TYPES.get(Path(self.absolute_path).suffix) or super().get_content_type()

    def compute_etag(self) -> str:
        # Tornado's own is computed once for each file: a site that is built again would seem old.
        found = os.stat(self.absolute_path)
        return f'"{found.st_mtime_ns:x}-{found.st_size:x}"'

    def get_cache_time(self, *_) -> int:
        return 0

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")  # keep it, but ask whether it has changed

    def write_error(self, status_code: int, **told) -> None:
        page = Path(self.root) / "404.html"
        if status_code == 404 and page.exists():
            self.finish(page.read_bytes())
        else:
            super().write_error(status_code, **told)


def require(site: Path = SITE) -> Path:
    """The folder of the built site; raises `ValueError` where there is none."""
    if not (site / "index.html").exists():
        raise ValueError(f"{site}/index.html is missing: build the site first with `make book`")
    return site


def listening(port: int) -> list[socket.socket]:
    """The sockets of the first port from this one on that is free; 0 is any.

    Raises:
        ValueError: none of a hundred is.
    """
    last = min(port + TRIED - 1, 65535)
    for candidate in range(port, last + 1):
        try:
            return bind_sockets(candidate, HOST)
        except OSError as error:
            reason = error.strerror
    raise ValueError(f"no port from {port} to {last} can be used ({reason}): give another PORT")


async def answer(
    site: Path,
    sockets: list[socket.socket],
    paths: Sequence[str],
    begun: Callable[[Callable[[], None]], None],
) -> None:
    """Serve until told to stop. `begun` is called once, with what any thread calls to stop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    routes = [("/(.*)", Files, {"site": site, "paths": paths})]
    server = HTTPServer(Application(routes, log_function=lambda handler: None))
    server.add_sockets(sockets)

    def end() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: a second Ctrl-C
            loop.call_soon_threadsafe(stop.set)

    begun(end)
    await stop.wait()
    server.stop()
    await server.close_all_connections()


def address(sockets: list[socket.socket], path: str = "/") -> str:
    return f"http://{HOST}:{sockets[0].getsockname()[1]}{path}"


@contextlib.contextmanager
def served(site: Path, path: str = PUBLISHED) -> Iterator[str]:
    """The address of the site below one path while the block runs, with a slash at the end."""
    sockets, begun, stops = listening(0), threading.Event(), []

    def begin(stop: Callable[[], None]) -> None:
        stops.append(stop)
        begun.set()

    work = answer(site, sockets, [path], begin)
    thread = threading.Thread(target=asyncio.run, args=(work,), daemon=True)
    thread.start()
    begun.wait(10)
    try:
        yield address(sockets, path)
    finally:
        stops[0]()
        thread.join()


def has_desktop() -> bool:
    """Whether a browser opened here would show where the reader sits."""
    if "SSH_CONNECTION" in os.environ:
        return False
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(shown)


def open_browser(url: str) -> None:
    """Open the reader's browser, if there is one; it may take its time."""

    def attempt() -> None:
        with contextlib.suppress(webbrowser.Error, OSError):
            # A text browser, alone of this very type, would take the terminal.
            if type(webbrowser.get()) is not webbrowser.GenericBrowser:
                webbrowser.open(url)

    threading.Thread(target=attempt, daemon=True).start()


def port_number(text: str) -> int:
    """The port that a reader asks for.

    Raises:
        ValueError: it is none.
    """
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise ValueError(f"PORT is {text!r}: give a number from 1 to 65535, as PORT={PORT}")
    return int(text)


def at_a_terminal() -> bool:
    """Whether someone reads what is printed, and can press Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("CI") != "true"


def announce(url: str, port: int, opens: bool) -> None:
    """Say where the site is, with a word on why it is not at the port that was asked for."""
    taken = "" if url == f"http://{HOST}:{port}/" else f"Port {port} is taken. "
    print(f"{taken}The book is at {url} (Ctrl-C stops)", flush=True)
    if opens and has_desktop():
        open_browser(url)


def serve(site: Path, port: int, opens: bool) -> None:
    """Serve a site until Ctrl-C or SIGTERM, and say where.

    Raises:
        ValueError: there is no site, or no free port.
    """
    require(site)
    sockets = listening(port)

    def begin(stop: Callable[[], None]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as a script's background job has
                signal.signal(number, lambda *_: stop())
        announce(address(sockets), port, opens)

    # At its published path too, for the links of 404.html.
    asyncio.run(answer(site, sockets, ["/", PUBLISHED], begin))


def main() -> None:
    terminal.replace_unknown_letters()
    parser = argparse.ArgumentParser(description="Serve the built site on this machine.")
    parser.add_argument("--site", type=Path, default=SITE, help="its folder")
    parser.add_argument("--port", default=str(PORT), help="the first to try")
    parser.add_argument("--check", action="store_true", help="check the options, and no more")
    parser.add_argument(
        "--reader",
        action="store_true",
        help="open a browser where there is a desktop; without a terminal, serve nothing",
    )
    options = parser.parse_args()
    try:
        port = port_number(options.port)
        if options.check:
            return
        if options.reader and not at_a_terminal():
            print(f"The website is in {options.site}; `make serve` serves it at an address.")
            return
        serve(options.site, port, opens=options.reader)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
