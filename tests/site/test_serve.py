"""The book at an address: what the server answers, where it listens, and how it begins and ends."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import book_sources
import pytest
import serve
import web_addresses

LIMIT = 30  # seconds that any wait may take; none needs one
PROGRAM = [sys.executable, str(book_sources.ROOT / "book" / "_ext" / "site" / "serve.py")]
MAKEFILE = (book_sources.ROOT / "Makefile").read_text("utf-8")
posix = pytest.mark.skipif(sys.platform == "win32", reason="terminals and signals of POSIX")
# A background job's children inherit an ignored SIGINT, and Ctrl-C is for who has the terminal.
LAUNCHER = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
if os.isatty(0):
    import fcntl, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
FILES = {
    "index.html": b"<p>front",
    "404.html": b"<p>no such page",
    "folder/index.html": b"<p>in a folder",
    "empty/data.json": b"{}",
    "text with space.txt": b"0123456789",
    "a.js": b"1",
    "a.mjs": b"1",
    "a.webmanifest": b"{}",
    "a.wasm": b"\0asm",
    "a.safetensors": b"\0" * 8,
    "a.woff2": b"wOF2",
    "a.css": b"p {}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "site"


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    with serve.served(folder, "/") as address:
        yield address


def asked(url: str, path: str = "", method: str = "GET", **headers: str) -> SimpleNamespace:
    """What a server answers: `status`, `headers`, `body`."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, place.path + path, headers=named)
        answer = connection.getresponse()
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
    finally:
        connection.close()


# What it answers.


@pytest.mark.parametrize("path", ["", "index.html", "?q=words"])
def test_the_front_page(url, path):
    answer = asked(url, path)
    assert (answer.status, answer.body) == (200, b"<p>front")
    assert answer.headers.get_content_type() == "text/html"


def test_a_folder_is_its_index(url):
    assert asked(url, "folder/").body == b"<p>in a folder"
    moved = asked(url, "folder")
    assert moved.status == 301 and moved.headers["Location"] == "/folder/"


@pytest.mark.parametrize("path", ["nowhere", "nowhere.html", "empty/", "nowhere/else.js"])
def test_what_is_missing_is_the_books_own_page(url, path):
    answer = asked(url, path)
    assert (answer.status, answer.body) == (404, b"<p>no such page")
    assert answer.headers.get_content_type() == "text/html"


def test_nothing_outside_the_folder(url, folder):
    (folder.parent / "secret.txt").write_bytes(b"secret")
    for path in ("../secret.txt", "%2e%2e/secret.txt", "folder/../../secret.txt"):
        answer = asked(url, path)
        assert answer.status in (403, 404) and b"secret" not in answer.body.replace(
            b"secret.txt", b""
        )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.js", "text/javascript"),
        ("a.mjs", "text/javascript"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.wasm", "application/wasm"),
        ("a.safetensors", "application/octet-stream"),
        ("a.woff2", "font/woff2"),
        ("a.css", "text/css"),
    ],
)
def test_types_are_right_whatever_the_machine_thinks(url, name, kind, monkeypatch):
    # Windows looks them up in the registry, where other programs write.
    monkeypatch.setattr("mimetypes.guess_type", lambda *_: ("text/plain", None))
    assert asked(url, name).headers.get_content_type() == kind


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")],
)
def test_a_part_of_a_file(url, wanted, part):
    answer = asked(url, "text%20with%20space.txt", Range=wanted)
    assert (answer.status, answer.body) == (206, part)
    start = FILES["text with space.txt"].index(part)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/10"


def test_a_part_that_is_not_there(url):
    answer = asked(url, "text%20with%20space.txt", Range="bytes=10-")
    assert answer.status == 416 and answer.headers["Content-Range"] == "bytes */10"


def test_the_head_alone(url):
    whole, head = asked(url, "a.css"), asked(url, "a.css", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == "4" == str(len(whole.body))
    assert head.headers["ETag"] == whole.headers["ETag"]
    missing = asked(url, "nowhere", "HEAD")
    assert (missing.status, missing.body) == (404, b"")


def test_what_has_not_changed_is_not_sent_again(url):
    first = asked(url, "a.css")
    again = asked(url, "a.css", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    again = asked(url, "a.css", If_Modified_Since=first.headers["Last-Modified"])
    assert (again.status, again.body) == (304, b"")
    assert asked(url, "a.css", If_Modified_Since=formatdate(0, usegmt=True)).status == 200


def test_a_site_that_is_built_again_is_sent_again(url, folder):
    first = asked(url, "a.css?v=1")
    assert first.headers["Cache-Control"] == "no-cache" and "Expires" not in first.headers
    (folder / "a.css").write_bytes(b"a {}")
    again = asked(url, "a.css?v=1", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (200, b"a {}")


def test_below_one_path_there_is_nothing_else(folder):
    with serve.served(folder) as url:
        assert urlsplit(url).path == urlsplit(web_addresses.homepage()).path == serve.PUBLISHED
        assert asked(url).body == b"<p>front"
        root = url.removesuffix(serve.PUBLISHED) + "/"
        for path in ("", "index.html", serve.PUBLISHED.strip("/"), "a.css"):
            assert asked(root, path).status == 404


@posix
def test_the_built_books_own_page_finds_its_style(site):
    links = re.findall(r'(?:href|src)="(/[^"]*)"', (site / "404.html").read_text("utf-8"))
    assert links and all(link.startswith(serve.PUBLISHED) for link in links)
    with running(*PROGRAM, "--site", str(site), "--port", str(free_port())) as child:
        url = child.address()
        assert {asked(url, link.removeprefix("/")).status for link in links} == {200}


# Where it listens, and how it begins and ends.


class Child:
    """A program that was started, and what it has said so far."""

    def __init__(self, process: subprocess.Popen, source: int):
        self.process, self.source, self.said = process, source, ""

    def more(self, until: float) -> bool:
        """Read on; False when it will say no more."""
        if not select.select([self.source], [], [], max(0, until - time.monotonic()))[0]:
            raise TimeoutError(f"in {LIMIT} s it said no more than {self.said!r}")
        try:
            found = os.read(self.source, 4096)
        except OSError:  # what Linux says of a terminal that is left
            found = b""
        self.said += found.decode()
        return bool(found)

    def address(self) -> str:
        """The address that it prints."""
        until = time.monotonic() + LIMIT
        while "(Ctrl-C stops)" not in self.said:
            assert self.more(until), self.said
        return re.search(r"The book is at (http://127\.0\.0\.1:\d+/) ", self.said)[1]

    def ends(self) -> int:
        """Its exit status, when it has said all."""
        until = time.monotonic() + LIMIT
        while self.more(until):
            pass
        return self.process.wait(LIMIT)


@contextmanager
def running(
    *command: str, terminal: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """A command with this environment and no CI or desktop, at a terminal or in a script."""
    lacking = ("CI", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "BROWSER")
    lacking += ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")  # of a make that runs the tests
    settings = {name: value for name, value in os.environ.items() if name not in lacking}
    master, slave = os.openpty() if terminal else os.pipe()
    source = slave if terminal else subprocess.DEVNULL
    target = slave
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, *command],
        cwd=book_sources.ROOT,
        env=settings | dict(environment or {}),
        stdin=source,
        stdout=target,
        stderr=target,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Child(process, master)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(LIMIT)
        os.close(master)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told_to(folder, number):
    with running(*PROGRAM, "--site", str(folder)) as child:
        place = urlsplit(child.address())
        reader = http.client.HTTPConnection(place.hostname, place.port, timeout=LIMIT)
        reader.request("GET", "/")
        assert reader.getresponse().read() == b"<p>front"  # and the connection stays open
        begun = socket.create_connection((place.hostname, place.port), LIMIT)
        begun.send(b"GET / HT")
        child.process.send_signal(number)
        assert child.ends() == 0
        assert len(child.said.splitlines()) == 1, child.said
        begun.close()
        reader.close()


@posix
def test_a_taken_port_leads_to_the_next(folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with running(*PROGRAM, "--site", str(folder), "--port", str(port)) as child:
            url = child.address()
            assert port < urlsplit(url).port < port + serve.TRIED
            assert child.said.startswith(f"Port {port} is taken. The book is at {url}")
            assert asked(url).body == b"<p>front"


def test_no_free_port_is_told(monkeypatch):
    def refuse(port: int, host: str):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(serve, "bind_sockets", refuse)
    with pytest.raises(ValueError, match=r"from 80 to 179 can be used \(Permission denied\)"):
        serve.listening(80)
    with pytest.raises(ValueError, match="from 65530 to 65535 can"):
        serve.listening(65530)


def test_only_this_machine_is_answered(folder):
    sockets = serve.listening(0)
    assert [found.getsockname()[0] for found in sockets] == ["127.0.0.1"]
    for found in sockets:
        found.close()


@pytest.mark.parametrize("port", ["abc", "", "0", "65536", "-1", "80.5", "٨٠٠٠"])
@pytest.mark.parametrize("also", [[], ["--check"]])
def test_a_wrong_port_is_told_in_a_sentence(port, also):
    command = [*PROGRAM, f"--port={port}", *also]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=LIMIT)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"PORT is {port!r}: give a number from 1 to 65535, as PORT=8000\n"


def test_a_site_that_is_not_built_is_told(tmp_path):
    command = [*PROGRAM, "--site", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1
    assert done.stderr.endswith("index.html is missing: build the site first with `make book`\n")


# For a reader, it opens a browser; in a script, it does not go on for ever.


def test_without_a_terminal_it_only_says_how_to_serve(folder):
    command = [*PROGRAM, "--reader", "--site", str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"The website is in {folder}; `make serve` serves it at an address.\n"


@posix
def test_in_ci_a_terminal_is_none(folder):
    command = [*PROGRAM, "--reader", "--site", str(folder)]
    with running(*command, terminal=True, environment={"CI": "true"}) as child:
        assert child.ends() == 0
        assert "`make serve` serves it" in child.said


@posix
def test_at_a_terminal_it_opens_the_browser_of_a_desktop(folder, tmp_path):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >>"{opened}"\n')
    browser.chmod(0o755)
    desktop = {"DISPLAY": ":99", "BROWSER": f"{browser} %s &"}
    command = [*PROGRAM, "--reader", "--site", str(folder)]
    with running(*command, terminal=True, environment=desktop) as child:
        url = child.address()
        until = time.monotonic() + LIMIT
        while not opened.exists() or not opened.read_text().endswith("\n"):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert opened.read_text() == f"{url}\n"


@pytest.mark.parametrize(
    ("system", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, False),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, False),
        ("win32", {}, True),
    ],
)
def test_where_there_is_a_desktop(monkeypatch, system, environment, expected):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert serve.has_desktop() is expected


@pytest.mark.parametrize(("desktop", "opens"), [(True, True), (True, False), (False, True)])
def test_a_browser_is_opened_for_a_reader_at_a_desktop(monkeypatch, capsys, desktop, opens):
    opened = []
    monkeypatch.setattr(serve, "has_desktop", lambda: desktop)
    monkeypatch.setattr(serve, "open_browser", opened.append)
    serve.announce("http://127.0.0.1:8000/", 8000, opens)
    assert opened == (["http://127.0.0.1:8000/"] if desktop and opens else [])
    assert capsys.readouterr().out == "The book is at http://127.0.0.1:8000/ (Ctrl-C stops)\n"


def test_a_slow_browser_holds_nothing_up(monkeypatch):
    opening, shown, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(url: str) -> None:
        opening.set()
        shown.wait(LIMIT)
        ended.set()

    monkeypatch.setattr(webbrowser, "get", lambda: object())
    monkeypatch.setattr(webbrowser, "open", slow)
    serve.open_browser("http://127.0.0.1:8000/")
    assert opening.wait(LIMIT) and not ended.is_set()
    shown.set()
    assert ended.wait(LIMIT)


@pytest.mark.parametrize("found", [webbrowser.Error("none"), webbrowser.GenericBrowser("lynx")])
def test_no_browser_but_one_of_text_is_no_error(monkeypatch, found):
    asked_for, opened = threading.Event(), []

    def get():
        asked_for.set()
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(webbrowser, "get", get)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    before = set(threading.enumerate())
    serve.open_browser("http://127.0.0.1:8000/")
    assert asked_for.wait(LIMIT)
    for thread in set(threading.enumerate()) - before:
        thread.join(LIMIT)
    assert opened == []


# In the Makefile.

# As make names it, which splits names at spaces.
PYTHON = os.path.relpath(sys.executable, book_sources.ROOT)
BUILT = [f"PY={PYTHON}", "--old-file=site", "--old-file=port"]  # what is tried is the end


@posix
@pytest.mark.parametrize("target", ["book", "serve"])
def test_make_ends_quietly_with_ctrl_c(site, target):
    port = free_port()
    with running("make", target, f"PORT={port}", *BUILT, terminal=True) as child:
        assert port <= urlsplit(child.address()).port < port + serve.TRIED
        assert asked(child.address()).body == (site / "index.html").read_bytes()
        os.write(child.source, b"\x03")
        child.ends()
        assert re.fullmatch(r"The book is at \S+ \(Ctrl-C stops\)\s+(\^C)?\s*", child.said)


@posix
def test_make_in_a_script_builds_and_ends_or_serves_when_told(site):
    with running("make", "book", f"PORT={free_port()}", *BUILT) as child:
        assert child.ends() == 0
        assert "`make serve` serves it" in child.said
    with running("make", "serve", f"PORT={free_port()}", *BUILT) as child:
        assert asked(child.address()).status == 200
        child.process.terminate()
        child.ends()
        assert "***" not in child.said and "Traceback" not in child.said


def test_nothing_that_wants_the_built_site_serves_it():
    rules = dict(re.findall(r"^([a-z]+): *([^#\n]*)", MAKEFILE, re.M))
    serving = {
        name
        for name in rules
        if re.search(rf"^{name}:.*\n\t.*serve\.py(?!.*--check)", MAKEFILE, re.M)
    }
    assert serving == {"book", "serve"}
    for name, needed in rules.items():
        assert not serving & set(needed.split()), name
    inner = re.findall(r"\$\(MAKE\).* (\S+)$", MAKEFILE, re.M)
    assert inner and not serving & set(inner)
    assert rules["book"].split() == rules["serve"].split() == ["port", "site"]
