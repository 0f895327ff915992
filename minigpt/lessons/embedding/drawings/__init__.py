"""Drawings of the chapter on embeddings, from its own numbers."""

from minigpt.lessons.embedding.drawings.letters import direction_and_length, letters_map
from minigpt.lessons.embedding.drawings.next_character import falling, pair_shares, scored, shifted
from minigpt.lessons.embedding.drawings.places import clocks, shuffled, sums
from minigpt.lessons.embedding.drawings.tables import half_way, lookup, one_hot_product, reached

__all__ = [
    "clocks",
    "direction_and_length",
    "falling",
    "half_way",
    "letters_map",
    "lookup",
    "one_hot_product",
    "pair_shares",
    "reached",
    "scored",
    "shifted",
    "shuffled",
    "sums",
]
