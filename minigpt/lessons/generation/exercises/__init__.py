"""Checks for the exercises of the chapter on generation."""

from minigpt.lessons.generation.exercises.cache import tokens_read
from minigpt.lessons.generation.exercises.distribution import sharpened, top_p
from minigpt.lessons.generation.exercises.speculative import accept_or_replace
from minigpt.lessons.generation.exercises.stopping import write_until

__all__ = [
    "accept_or_replace",
    "sharpened",
    "tokens_read",
    "top_p",
    "write_until",
]
