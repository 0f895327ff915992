"""Checks for the exercises of the chapter on generation."""

from minigpt.lessons.generation.exercises.stopping import (
    accept_or_replace,
    sharpened,
    tokens_read,
    top_p,
    write_until,
)

__all__ = [
    "accept_or_replace",
    "sharpened",
    "tokens_read",
    "top_p",
    "write_until",
]
