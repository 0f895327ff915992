"""Texts and tasks by name: `open_text("king-james-bible")`, `open_pairs("arithmetic")`."""

from minigpt.data.sets.cards import SETS
from minigpt.data.sets.data_set import DataSet, Pair
from minigpt.data.sets.opening import find_set, open_pairs, open_text

__all__ = ["SETS", "DataSet", "Pair", "find_set", "open_pairs", "open_text"]
