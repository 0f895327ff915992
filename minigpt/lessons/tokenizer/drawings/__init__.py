"""Drawings of the chapter on tokenization, from its own tokenizers."""

from minigpt.lessons.tokenizer.drawings.merging import counted_pairs, merge_rows, ranked_rows
from minigpt.lessons.tokenizer.drawings.pieces import cut, weighed
from minigpt.lessons.tokenizer.drawings.side_by_side import number_cuts, typed_and_meant
from minigpt.lessons.tokenizer.drawings.texts import bytes_and_tokens, letters_and_bytes, round_trip
from minigpt.lessons.tokenizer.drawings.tree import merge_tree

__all__ = [
    "bytes_and_tokens",
    "counted_pairs",
    "cut",
    "letters_and_bytes",
    "merge_rows",
    "merge_tree",
    "number_cuts",
    "ranked_rows",
    "round_trip",
    "typed_and_meant",
    "weighed",
]
