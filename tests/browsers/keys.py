"""Keys as WebDriver presses them, in both of its protocols."""

from __future__ import annotations

CODES = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "ArrowRight": "\ue014"}


def strokes(keys: str) -> list[dict]:
    """The actions that press the keys of "Shift+Tab" one after the other, and let them go."""
    codes = [CODES[key] for key in keys.split("+")]
    down = [{"type": "keyDown", "value": code} for code in codes]
    up = [{"type": "keyUp", "value": code} for code in reversed(codes)]
    return [{"type": "key", "id": "keyboard", "actions": down + up}]
