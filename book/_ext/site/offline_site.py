"""The site as a web app that reads offline: its manifest, and the worker that keeps its files.

`service-worker.js` at the site's root is `book/assets/site/service-worker.js` below the list of the
files to keep. It is written after everything else, from what then lies in the site's folder.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "site"
LAST = 990  # of the handlers of build-finished; the latest others delete files, at 900
GROUND = "#14171d"  # of the icons
# What no page asks for: notebooks, other formats, WebAssembly as text, what crawlers read, and
# pictures that stand in a page itself.
LEFT_OUT = re.compile(
    r"""(_sources|notebooks|_downloads|downloads)/ | (.*/)?\. | .*\.(ipynb|wat)$
    | service-worker\.js$ | objects\.inv$ | robots\.txt$ | sitemap\.xml$ | _static/site/card\.
    | _static/site/icons/.*\.svg$ | _static/site/road/""",
    re.VERBOSE,
)
UNQUOTED = "/!$&'()*+,:;=@~"  # by browsers, in the path of an address
SIZE = re.compile(r"const BYTES = *\d+;")


def kept_files(site: Path) -> dict[str, Path]:
    """The files that are kept for reading offline, by their address below the site's root."""
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    names = sorted(name for name in files if not LEFT_OUT.match(name))
    return {quote(name, safe=UNQUOTED): files[name] for name in names}


def tell_size(site: Path) -> None:
    """Write into the button's script how many bytes all files to keep have, itself included."""
    script = site / "_static" / "site" / "offline.js"

    def write(size: int) -> None:
        text = script.read_text("utf-8")
        # As wide for every number, so that the number does not change the size.
        script.write_bytes(SIZE.sub(f"const BYTES = {size:10d};", text).encode())

    write(0)
    write(sum(path.stat().st_size for path in kept_files(site).values()))


def integrity(path: Path) -> str:
    """A file's hash, in the form in which a browser checks what it fetches."""
    return "sha256-" + base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def write_worker(site: Path) -> None:
    """Write the worker for the files that lie in ``site`` now."""
    (site / "_static" / "site" / "service-worker.js").unlink(
        missing_ok=True
    )  # it has to be at the root
    tell_size(site)
    files = {address: integrity(path) for address, path in kept_files(site).items()}
    text = f"const FILES = {json.dumps(files, indent=0)};\n\n"
    text += (ASSETS / "service-worker.js").read_text("utf-8")
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    worker = f'const VERSION = "{version}";\n{text}'
    (site / "service-worker.js").write_bytes(worker.encode())


def manifest(name: str, short_name: str, baseurl: str) -> dict:
    """What a browser needs to install the site as an app. Addresses are relative, so that it
    works wherever the site is served."""
    icon = {"type": "image/png"}
    return {
        "name": name,
        "short_name": short_name,
        "description": "Build a GPT, from the first byte to the last word.",
        "lang": "en",
        "categories": ["books", "education"],
        # A name only, relative to the host and not to the site.
        "id": urlsplit(baseurl).path,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "theme_color": GROUND,
        "background_color": GROUND,
        "icons": [
            {**icon, "src": "_static/site/icons/icon-192.png", "sizes": "192x192"},
            {**icon, "src": "_static/site/icons/icon-512.png", "sizes": "512x512"},
            {
                **icon,
                "src": "_static/site/icons/maskable-512.png",
                "sizes": "512x512",
                "purpose": "maskable",
            },
        ],
    }


def write(app, error) -> None:
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    config = app.config
    told = manifest(config.ogp_site_name, config.project, config.html_baseurl)
    (site / "manifest.webmanifest").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    write_worker(site)


def setup(app) -> None:
    app.add_js_file("site/offline.js", loading_method="defer")
    app.connect("build-finished", write, priority=LAST)
