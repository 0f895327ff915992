"""Drawings of the chapter on attention, from its own numbers."""

from minigpt.lessons.attention.drawings.averages import averaging, own_share, seen_and_guessed
from minigpt.lessons.attention.drawings.heads import split_and_joined
from minigpt.lessons.attention.drawings.looks import looks_of_the_last
from minigpt.lessons.attention.drawings.sizes import growing, sharpness
from minigpt.lessons.attention.drawings.steps import (
    all_at_once,
    attention_of_one,
    queries_keys_values,
)

__all__ = [
    "all_at_once",
    "attention_of_one",
    "averaging",
    "growing",
    "looks_of_the_last",
    "own_share",
    "queries_keys_values",
    "seen_and_guessed",
    "sharpness",
    "split_and_joined",
]
