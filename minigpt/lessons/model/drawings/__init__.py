"""Drawings of the chapter on the model, from its own numbers."""

from minigpt.lessons.model.drawings.bend import bend, bent_plane, mlp_of_one
from minigpt.lessons.model.drawings.block import block, block_at_work, wirings
from minigpt.lessons.model.drawings.cost import areas, kept_by_a_block
from minigpt.lessons.model.drawings.norm import norm_in_steps
from minigpt.lessons.model.drawings.whole import stack, stream_by_block

__all__ = [
    "areas",
    "bend",
    "bent_plane",
    "block",
    "block_at_work",
    "kept_by_a_block",
    "mlp_of_one",
    "norm_in_steps",
    "stack",
    "stream_by_block",
    "wirings",
]
