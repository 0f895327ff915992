"""The image of the website answers as the published one does: its NGINX settings, without it.

NGINX runs here on the settings of the image and the built site; only the port and the folder are
replaced.
"""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import book_sources
import pytest
import web_addresses
from programs import free_port, required

pytestmark = pytest.mark.slow

SETTINGS = book_sources.ROOT / "docker" / "nginx.conf"
LIMIT = 20  # seconds, for a start and for an answer
# Its own types, but for where it keeps what it has not sent yet. One process, whoever starts it.
AROUND = """
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  default_type application/octet-stream;
  access_log off;
  client_body_temp_path temp/body;
  proxy_temp_path temp/proxy;
  fastcgi_temp_path temp/fastcgi;
  uwsgi_temp_path temp/uwsgi;
  scgi_temp_path temp/scgi;
  include default.conf;
}
"""


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes


def replaced(settings: str, old: str, new: str) -> str:
    assert settings.count(old) == 1, f"{SETTINGS} has {settings.count(old)} times {old!r}, not once"
    return settings.replace(old, new)


@pytest.fixture(scope="module")
def folder(site: Path, tmp_path_factory) -> Path:
    """The built site, and a file of a type that it has none of."""
    found = tmp_path_factory.mktemp("site")
    for path in site.iterdir():
        (found / path.name).symlink_to(path)
    (found / "program.wasm").write_bytes(b"\0asm\1\0\0\0")
    return found


@pytest.fixture(scope="module")
def port(folder: Path, tmp_path_factory) -> Iterator[int]:
    """Where NGINX listens."""
    program, here, number = (
        required(("nginx",), "nginx-light"),
        tmp_path_factory.mktemp("nginx"),
        free_port(),
    )
    settings = SETTINGS.read_text("utf-8")
    settings = replaced(settings, "listen 8080;", f"listen 127.0.0.1:{number};")
    settings = replaced(settings, "root /usr/share/nginx/html;", f"root {folder};")
    built = subprocess.run([program, "-V"], capture_output=True, text=True, check=True)
    own = Path(re.search(r"--conf-path=(\S+)", built.stderr)[1])
    shutil.copy(own.with_name("mime.types"), here)
    (here / "nginx.conf").write_text(AROUND, "utf-8")
    (here / "default.conf").write_text(settings, "utf-8")
    (here / "temp").mkdir()
    log = here / "error.log"
    command = [program, "-p", f"{here}/", "-c", str(here / "nginx.conf"), "-e", str(log)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + LIMIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"NGINX does not start: {log.read_text('utf-8')}")
                time.sleep(0.05)
        yield number
    finally:
        server.kill()
        server.wait(LIMIT)


@pytest.fixture
def get(port: int):
    """Ask for an address; redirects are not followed."""

    def ask(path: str, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers=named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    return ask


@pytest.mark.parametrize("below", ["/minigpt/", "/"])
def test_every_page_is_served(get, folder, below):
    published = re.findall(r"<loc>(.*?)</loc>", (folder / "sitemap.xml").read_text("utf-8"))
    assert len(published) > len(book_sources.stems())
    for address in published:
        name = urlsplit(address).path.removeprefix(urlsplit(web_addresses.homepage()).path)
        page = get(below + name)
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert page.body == (folder / (name or "index.html")).read_bytes()
    assert get(below).body == (folder / "index.html").read_bytes()


def test_the_folder_without_a_slash_leads_to_the_one_with(get):
    answer = get("/minigpt")
    # No host and no port: those that the reader asked are kept, whatever the container's are.
    assert (answer.status, answer.headers["Location"]) == (301, "/minigpt/")


@pytest.mark.parametrize("below", ["/minigpt/", "/"])
@pytest.mark.parametrize("name", ["none.html", "none/", "none/none", "_static/", "_static"])
def test_what_is_missing_is_told_by_the_books_page(get, folder, below, name):
    answer = get(below + name)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert answer.body == (folder / "404.html").read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("pattern", "kinds", "small"),
    [
        ("*.html", ["text/html; charset=utf-8"], True),
        ("_static/**/*.css", ["text/css"], True),
        (
            "_static/**/*.js",
            [
                "application/javascript; charset=utf-8",
                "text/javascript",
                "text/javascript; charset=utf-8",
            ],
            True,
        ),
        ("*.webmanifest", ["application/manifest+json"], True),
        ("_static/**/*.json", ["application/json"], True),
        ("_static/**/*.svg", ["image/svg+xml"], True),
        ("sitemap.xml", ["text/xml; charset=utf-8"], True),
        ("_static/**/*.png", ["image/png"], False),
        ("_static/**/*.woff2", ["font/woff2"], False),
        ("_static/**/*.safetensors", ["application/octet-stream"], False),
        ("program.wasm", ["application/wasm"], False),
    ],
)
def test_types_and_what_is_packed(get, folder, pattern, kinds, small):
    path = max(folder.glob(pattern), key=lambda path: path.stat().st_size)
    address = f"/minigpt/{path.relative_to(folder).as_posix()}"
    plain, packed = get(address), get(address, Accept_Encoding="gzip")
    assert plain.headers["Content-Type"] in kinds
    assert plain.body == path.read_bytes()
    assert packed.headers["Content-Encoding"] == ("gzip" if small else None)
    body = gzip.decompress(packed.body) if small else packed.body
    assert body == plain.body
    assert not small or (len(packed.body) < len(plain.body) and plain.headers["Vary"])


@pytest.mark.parametrize("name", ["index.html", "_static/site/book.js", "manifest.webmanifest"])
def test_a_reader_who_comes_back_fetches_nothing_again(get, name):
    first = get(f"/minigpt/{name}")
    assert first.headers["Cache-Control"] == "no-cache"
    for condition in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
    ):
        again = get(f"/minigpt/{name}", **condition)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["Cache-Control"] == "no-cache"
    assert get(f"/minigpt/{name}", If_None_Match='"other"').status == 200
