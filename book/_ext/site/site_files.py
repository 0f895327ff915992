"""What follows from the site's address, and the files at its root that no page is made of."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit


def use_address(app, config) -> None:
    """Derive every other setting that holds the address from `html_baseurl`."""
    config.ogp_site_url = config.html_baseurl
    config.ogp_image = f"{config.html_baseurl}_static/site/card.png"
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path


def write(app, error) -> None:
    if error or app.builder.format != "html":
        return
    root = Path(app.outdir)
    sitemap = f"Sitemap: {app.config.html_baseurl}sitemap.xml\n"
    (root / "robots.txt").write_text(f"User-agent: *\nAllow: /\n{sitemap}", "utf-8")
    (root / ".nojekyll").touch()  # or GitHub Pages would drop every folder that starts with _


def setup(app) -> None:
    app.connect("config-inited", use_address, priority=100)
    app.connect("build-finished", write)
