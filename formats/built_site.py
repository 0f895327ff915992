"""The built site, served below the path that it has when published."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
PREFIX = "/minigpt"
sys.path.append(str(ROOT / "book" / "_ext"))  # where `chapters` is, for every format


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a site below /minigpt/, as GitHub Pages does, and keeps quiet."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        if not path.startswith(f"{PREFIX}/"):
            return str(Path(self.directory) / "no-such-page")
        return super().translate_path(path.removeprefix(PREFIX))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None):
        page = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code, message)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args) -> None:
        pass


def require(site: Path = SITE) -> Path:
    """The folder of the built site; raises `ValueError` where there is none."""
    if not (site / "index.html").exists():
        raise ValueError(f"{site}/index.html is missing: build the site first with `make book`")
    return site


@contextmanager
def served(site: Path = SITE) -> Iterator[str]:
    """The address of the site while the block runs, with a slash at the end."""
    handler = functools.partial(Handler, directory=str(require(site)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{PREFIX}/"
        finally:
            server.shutdown()
