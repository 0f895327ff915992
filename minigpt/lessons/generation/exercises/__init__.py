"""Checks for the exercises of the chapter on generation."""

from minigpt.lessons.generation.exercises.cache import generate_cached
from minigpt.lessons.generation.exercises.choosing import choose_by_min_p, penalised
from minigpt.lessons.generation.exercises.speculative import accept_or_replace
from minigpt.lessons.generation.exercises.stopping import write_until

__all__ = [
    "accept_or_replace",
    "choose_by_min_p",
    "generate_cached",
    "penalised",
    "write_until",
]
