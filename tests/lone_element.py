"""An element of the page on a page of its own, in the built site's look."""

from __future__ import annotations

import re

import pytest

TEMPLATE = "notation.html"  # a short page, with no element
ADDRESS = "lone-element.html"
CONTENT = re.compile(r'(?<=<div class="mg-article">).*</section>(?=\s*</div>)', re.DOTALL)
each_width = pytest.mark.parametrize(
    "width", [320, 1280, *(pytest.param(width, marks=pytest.mark.slow) for width in (390, 700))]
)


def serve_alone(page, site_url: str, name: str, attributes: str = "") -> str:
    """The address of a page that holds one element, linked as the directive `page-widget` does."""
    folder = f"_static/elements/{name}/{name}"
    element = f'<{name} data-still="…" {attributes}></{name}>'
    head = (
        f'<link rel="stylesheet" href="{folder}.css">'
        f'<script type="module" async src="{folder}.js"></script></head>'
    )

    def answer(route) -> None:
        text = route.fetch(url=site_url + TEMPLATE).text()
        text, found = CONTENT.subn(f"<section><h1>One element</h1>{element}</section>", text)
        assert found == 1
        route.fulfill(body=text.replace("</head>", head, 1), content_type="text/html")

    page.route(f"**/{ADDRESS}", answer)
    return site_url + ADDRESS


def load(page, name: str) -> None:
    """Wait until the element is there with all that it fetches, or says that it is not."""
    page.evaluate(
        "name => customElements.whenDefined(name).then("
        "() => document.querySelector(name).load?.())",
        name,
    )


def replace(page, name: str, **attributes: str) -> None:
    """Put a new element in the place of the old one."""
    page.evaluate(
        """([name, attributes]) => {
            const element = document.createElement(name);
            for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
            document.querySelector(name).replaceWith(element);
            return element.load?.();
        }""",
        [name, attributes],
    )
