"""What a page complains of while tests use it."""

from __future__ import annotations


def complaints_of(page) -> list[str]:
    """Uncaught errors and errors on the console, from now on; the list grows as they come."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    return complaints
