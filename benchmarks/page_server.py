"""What the benchmarks of the page share: a server of the site's files, and the peers' versions."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ASSETS = HERE.parent / "book" / "assets"
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}

sys.path.append(str(HERE.parent))
from editions.browser import chromium  # noqa: E402, F401


class Server(http.server.ThreadingHTTPServer):
    """Serves the files of folders, the first whose address fits, and notes which were asked for."""

    daemon_threads = True

    def __init__(self, folders: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folders = folders
        self.fetched: set[Path] = set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    def find(self, address: str) -> Path | None:
        for start, folder in self.folders.items():
            if address.startswith(start):
                path = folder / address.removeprefix(start)
                return path if path.is_file() else None
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    """With the headers that let threads share memory; any other address is an empty page."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.server.find(self.path)
        content, kind = b"<!doctype html>", "text/html"
        if path:
            self.server.fetched.add(path)
            content, kind = path.read_bytes(), TYPES.get(path.suffix, "application/json")
        self.send_response(200 if path or self.path == "/" else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def served(folders: dict[str, Path]) -> Iterator[Server]:
    """Our files, these benchmarks', and `folders` of peers, at addresses of this machine."""
    with Server(folders | {"/assets/": ASSETS, "/benchmarks/": HERE}) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def npm_version(package: Path) -> str:
    """Name and version of an unpacked npm package."""
    about = json.loads((package / "package.json").read_text("utf-8"))
    return f"{about['name']} {about['version']}"
