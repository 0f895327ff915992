"""Drawings of the chapter on generation, from its own numbers: a file an idea."""

from minigpt.lessons.generation.drawings.beams import beam_tree
from minigpt.lessons.generation.drawings.choice import choice_in_steps, three_filters
from minigpt.lessons.generation.drawings.cost import cache_filling, prompt_and_writing
from minigpt.lessons.generation.drawings.drafts import draft_and_check
from minigpt.lessons.generation.drawings.loop import writing_loop
from minigpt.lessons.generation.drawings.stream import characters_of_tokens

__all__ = [
    "beam_tree",
    "cache_filling",
    "characters_of_tokens",
    "choice_in_steps",
    "draft_and_check",
    "prompt_and_writing",
    "three_filters",
    "writing_loop",
]
