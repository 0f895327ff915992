"""Whether what a page shows has room for itself."""

from __future__ import annotations


def too_wide(element, but: str = ".mg-visually-hidden") -> list[str]:
    """The element and all inside it that are wider than their boxes, as HTML; ``but`` selects
    those inside that may be."""
    return element.evaluate(
        """(e, but) => [e, ...e.querySelectorAll(`*:not(${but})`)].filter(
            (x) => x.clientWidth && x.scrollWidth > x.clientWidth + 1).map((x) => x.outerHTML)""",
        but,
    )
